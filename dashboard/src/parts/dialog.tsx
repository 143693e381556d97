/** Questions before something happens that cannot be taken back. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Question {
  title: string;
  text: ComponentChildren;
  /** Words of the button that does it. */
  act: string;
  danger: boolean;
  /** A number to be given with it. */
  field?: { label: string; value: number; min: number };
  onAct: (value: number) => void;
}

const asked = signal<Question | null>(null);

/** Ask; `onAct` is called when the answer is yes. */
export function ask(question: Question): void {
  asked.value = question;
}

/** The place where questions appear. */
export function Dialogs() {
  const question = asked.value;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (question !== null) element.current?.showModal();
  }, [question]);
  if (question === null) return null;
  const close = (): void => {
    element.current?.close();
    asked.value = null;
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get("value");
    close();
    question.onAct(Number(given ?? 0));
  };
  return (
    <dialog ref={element} class="dialog" aria-labelledby="dialog-title" onClose={close}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">{question.title}</h2>
        <div class="dialog-text">{question.text}</div>
        {question.field !== undefined && (
          <label class="field">
            <span>{question.field.label}</span>
            <input name="value" type="number" required min={question.field.min} step={1} defaultValue={String(question.field.value)} />
          </label>
        )}
        <div class="dialog-ways">
          <button type="button" class="button" onClick={close}>
            Leave it
          </button>
          <button type="submit" class={`button ${question.danger ? "danger" : "main"}`}>
            {question.act}
          </button>
        </div>
      </form>
    </dialog>
  );
}
