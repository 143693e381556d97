/** Labels of a job, one a line. */
import { Field } from "./fields";
import { type Body, type Draft, fieldId } from "./draft";

/** `key=value` lines as an object; a line without `=` is a key of nothing, which the service judges. */
export function parsed(text: string): Body {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.split("=", 1)[0] ?? "", line.includes("=") ? line.slice(line.indexOf("=") + 1) : ""]));
}

export function Labels({ draft }: { draft: Draft }) {
  const labels = (draft.at("/labels") ?? {}) as Body;
  const said = draft.offences.value.filter(({ pointer }) => pointer?.startsWith("/labels/")).map(({ detail }) => detail);
  return (
    <Field draft={draft} pointer="/labels" label="Labels" note={said.length > 0 ? said.join("; ") : "one a line: key=value"}>
      <textarea id={fieldId("/labels")} rows={3} defaultValue={Object.entries(labels).map(([key, value]) => `${key}=${value}`).join("\n")} onChange={(event) => draft.set("/labels", parsed(event.currentTarget.value))} />
    </Field>
  );
}
