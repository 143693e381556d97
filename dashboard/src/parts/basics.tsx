/** Small parts that every page is made of. */
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";
import type { Tone } from "./words";

/** A state: its word, and a dot in its tone. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}

/** A section of a page with a heading; `actions` stand opposite the heading. */
export function Card(props: { title: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`card ${props.class ?? ""}`} aria-label={props.title}>
      <header class="card-head">
        <h2>{props.title}</h2>
        {props.note !== undefined && props.note !== false && <p class="card-note">{props.note}</p>}
        {props.actions !== undefined && <div class="card-actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  );
}

interface ButtonProps {
  icon?: IconName;
  kind?: "plain" | "main" | "danger" | "bare" | "small";
  pressed?: boolean;
  disabled?: boolean;
  /** For a button that shows only an icon. */
  name?: string;
  onClick: () => void;
  children?: ComponentChildren;
}

/** A button. One that shows only an icon needs a `name`. */
export function Button({ icon, kind = "plain", pressed, disabled = false, name, onClick, children }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind}`} aria-label={name} title={name} aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: string; group?: string }[];
  onChange: (value: T) => void;
}

/** A labelled list to choose from; options with a group stand below its name. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const groups = [...new Set(options.map((option) => option.group ?? ""))];
  const inGroup = (group: string) =>
    options
      .filter((option) => (option.group ?? "") === group)
      .map((option) => (
        <option key={option.value} value={option.value} selected={option.value === value}>
          {option.label}
        </option>
      ));
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {groups.map((group) => (group === "" ? inGroup(group) : <optgroup key={group} label={group}>{inGroup(group)}</optgroup>))}
      </select>
    </label>
  );
}

/** What stands where there is nothing to show. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Placeholders in the shape of what is loading. */
export function Skeleton({ lines }: { lines: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}
