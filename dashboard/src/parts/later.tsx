/** Parts of a page that need not be there in its first picture. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** Shows its children once the page has been painted without them. */
export function Later({ children }: { children: ComponentChildren }) {
  const due = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => requestAnimationFrame(() => (due.value = true)), 0);
    return () => clearTimeout(timer);
  }, []);
  return due.value ? <>{children}</> : null;
}
