/** Short messages in a corner, read out by screen readers. */
import { signal } from "@preact/signals";
import { Button } from "./basics";

interface Notice {
  key: number;
  text: string;
  tone: "good" | "bad";
}

const SHOWN_MS = 6_000;
const notices = signal<readonly Notice[]>([]);
let next = 0;

function drop(key: number): void {
  notices.value = notices.value.filter((notice) => notice.key !== key);
}

/** Tell something; what went wrong stays until it is closed. */
export function tell(text: string, tone: Notice["tone"] = "good"): void {
  const key = next++;
  notices.value = [...notices.value, { key, text, tone }];
  if (tone === "good") setTimeout(() => drop(key), SHOWN_MS);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ key, text, tone }) => (
        <div key={key} class={`notice tone-${tone}`}>
          <span>{text}</span>
          <Button kind="bare" icon="cancel" name="Close this message" onClick={() => drop(key)} />
        </div>
      ))}
    </div>
  );
}
