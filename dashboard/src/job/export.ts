/** Trials as files. */
import type { Point } from "../service/types";
import type { Field, Value } from "./fields";

function cell(value: Value): string {
  const text = value === null ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180, with the names of the API as headings. */
export function csv(fields: readonly Field[], points: readonly Point[]): string {
  const rows = points.map((point) => [point.id, ...fields.map((field) => field.of(point))]);
  return [["id", ...fields.map(({ key }) => key)], ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

/** Hand a text to the browser as a file. */
export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
