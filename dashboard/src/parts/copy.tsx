/** A command to copy. */
import { useSignal } from "@preact/signals";
import { Button } from "./basics";

export function Command({ text, label }: { text: string; label: string }) {
  const done = useSignal(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      done.value = true;
      setTimeout(() => (done.value = false), 2000);
    });
  };
  return (
    <div class="command">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Button icon={done.value ? "check" : "copy"} name={done.value ? "Copied" : `Copy: ${label}`} kind="bare" onClick={copy} />
    </div>
  );
}
