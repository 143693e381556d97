/** Parts of a page that need not be there in its first picture. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

const LATEST_MS = 1000;

/** Shows its children once the page has been painted without them, and what it draws itself is drawn. */
export function Later({ children }: { children: ComponentChildren }) {
  const due = useSignal(false);
  useEffect(() => {
    const show = (): void => void (due.value = true);
    if (!("requestIdleCallback" in window)) {
      const timer = setTimeout(show, LATEST_MS / 4);
      return () => clearTimeout(timer);
    }
    const idle = requestIdleCallback(show, { timeout: LATEST_MS });
    return () => cancelIdleCallback(idle);
  }, []);
  return due.value ? <>{children}</> : null;
}
