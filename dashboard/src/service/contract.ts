/** The service's own contract: which calls it has, and which words its bodies take. Read once. */
import { call } from "./client";

interface Schema {
  enum?: string[];
  items?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
  description?: string;
}

export interface Contract {
  paths: Record<string, unknown>;
  components: { schemas: Record<string, Schema> };
}

let reading: Promise<Contract> | null = null;

/** `/openapi.json`. Raises ServiceError, and asks again the next time. */
export function readContract(): Promise<Contract> {
  reading ??= call<Contract>("/openapi.json").catch((error: unknown) => {
    reading = null;
    throw error;
  });
  return reading;
}

/** Whether the service has a path, as its contract writes it: pages leave out what an older service does not answer. */
export async function offers(path: string): Promise<boolean> {
  const { paths } = await readContract();
  return path in paths;
}

function words(schema: Schema): string[] {
  return [...(schema.enum ?? []), ...(schema.items === undefined ? [] : words(schema.items)), ...(schema.anyOf ?? []).flatMap(words)];
}

/** The words that a property of a body, or the items of a list, can be. */
export function wordsOf(contract: Contract, schema: string, property: string): string[] {
  const found = contract.components.schemas[schema]?.properties?.[property];
  return found === undefined ? [] : words(found);
}
