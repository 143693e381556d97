/** Files of the service that need its token, saved by the browser. */
import { request } from "../service/client";

/** Put bytes into a file of the reader's. */
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Fetch a file and save it under a name. Raises ServiceError. */
export async function download(path: string, name: string): Promise<void> {
  const answer = await request(path);
  save(await answer.blob(), name);
}
