/** Trials as text of a file. */
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
