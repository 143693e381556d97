/** Something that is read again and again while its page is shown. */
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export interface Polled<T> {
  value: Signal<T | null>;
  /** The newest failure; the value before it stays. */
  error: Signal<Error | null>;
  /** Read now. */
  again: () => void;
}

/** Read at once, then `ms` after each answer while the page is visible; another `key` starts anew. */
export function usePolled<T>(read: (signal: AbortSignal) => Promise<T>, ms: number, key: string): Polled<T> {
  const value = useSignal<T | null>(null);
  const error = useSignal<Error | null>(null);
  const again = useSignal<() => void>(() => undefined);
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reading = false;
    const round = async (): Promise<void> => {
      if (reading) return;
      reading = true;
      clearTimeout(timer);
      try {
        if (!document.hidden) value.value = await read(ending.signal);
        error.value = null;
      } catch (caught) {
        if (ending.signal.aborted) return;
        error.value = caught instanceof Error ? caught : new Error(String(caught));
      }
      reading = false;
      timer = setTimeout(() => void round(), ms);
    };
    again.value = () => void round();
    document.addEventListener("visibilitychange", again.value, { signal: ending.signal });
    void round();
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [key]);
  return { value, error, again: () => again.value() };
}
