/** Fields that write one place of a draft, with what the service said of it below. */
import type { ComponentChildren } from "preact";
import { type Draft, fieldId, type Json } from "./draft";

interface Common {
  draft: Draft;
  pointer: string;
  label: string;
  note?: string;
}

/** A label, its control, a note, and what is wrong. */
export function Field({ draft, pointer, label, note, children }: Common & { children: ComponentChildren }) {
  const said = draft.said(pointer);
  return (
    <div class={`field${said === null ? "" : " wrong"}`}>
      <label for={fieldId(pointer)}>{label}</label>
      {children}
      {note !== undefined && <span class="field-note">{note}</span>}
      {said !== null && (
        <span class="field-said" id={`${fieldId(pointer)}-said`}>
          {said}
        </span>
      )}
    </div>
  );
}

const marks = (draft: Draft, pointer: string) => {
  const said = draft.said(pointer);
  return { id: fieldId(pointer), "aria-invalid": said !== null, "aria-describedby": said === null ? undefined : `${fieldId(pointer)}-said` };
};

/** A number; an empty field is null. What is no number is sent as it is, so that the service says what is wrong. */
export function NumberField(props: Common & { placeholder?: string }) {
  const { draft, pointer, placeholder } = props;
  const value = draft.at(pointer);
  const write = (text: string): void => draft.set(pointer, text.trim() === "" ? null : Number.isNaN(Number(text)) ? text : Number(text));
  return (
    <Field {...props}>
      <input {...marks(draft, pointer)} inputMode="decimal" autocomplete="off" placeholder={placeholder} value={value == null ? "" : String(value)} onChange={(event) => write(event.currentTarget.value)} />
    </Field>
  );
}

/** One of several words; `none` stands for null. */
export function WordField(props: Common & { words: readonly { value: string; label: string }[]; none?: string }) {
  const { draft, pointer, words, none } = props;
  const value = draft.at(pointer);
  return (
    <Field {...props}>
      <select {...marks(draft, pointer)} value={typeof value === "string" ? value : ""} onChange={(event) => draft.set(pointer, event.currentTarget.value === "" ? null : event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {words.map((word) => (
          <option key={word.value} value={word.value} selected={word.value === value}>
            {word.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Any of several values, as buttons that stay pressed. */
export function SetField({ draft, pointer, label, note, values }: Common & { values: readonly (string | number)[] }) {
  const chosen = draft.list(pointer);
  const said = [draft.said(pointer), ...chosen.map((_, i) => draft.said(`${pointer}/${i}`))].filter((one) => one !== null);
  const toggle = (value: string | number): void => {
    const next = chosen.includes(value) ? chosen.filter((one) => one !== value) : values.filter((one) => one === value || chosen.includes(one));
    draft.set(pointer, next as Json[]);
  };
  return (
    <fieldset class={`field set${said.length > 0 ? " wrong" : ""}`} id={fieldId(pointer)} tabIndex={-1}>
      <legend>{label}</legend>
      <span class="set-values">
        {values.map((value) => (
          <button key={value} type="button" class="button" aria-pressed={chosen.includes(value)} onClick={() => toggle(value)}>
            {value}
          </button>
        ))}
      </span>
      {note !== undefined && <span class="field-note">{note}</span>}
      {said.length > 0 && <span class="field-said">{said.join("; ")}</span>}
    </fieldset>
  );
}
