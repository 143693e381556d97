/** Which calls the service has: pages of a newer release leave out what an older service does not answer. */
import { call } from "./client";

let paths: Promise<ReadonlySet<string>> | null = null;

/** Whether the contract of the service has a path, as it is written there. */
export async function offers(path: string): Promise<boolean> {
  paths ??= call<{ paths: Record<string, unknown> }>("/openapi.json").then(
    (contract) => new Set(Object.keys(contract.paths)),
    () => {
      paths = null; // asked again the next time
      return new Set<string>();
    },
  );
  return (await paths).has(path);
}
