/** Whether what is shown is what the service knows now. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EventStream } from "../service/stream";
import { span } from "./format";

/** Live, stale since when, or over. */
export function LiveBadge({ stream }: { stream: EventStream | null }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const state = stream?.state.value ?? { kind: "connecting" as const };
  const missed = stream?.missed.value ?? 0;
  const words = {
    connecting: () => "connecting …",
    live: () => "live",
    stale: (since: number) => `stale for ${span(Math.max(1, Math.round((now.value - since) / 1000)))}, reconnecting`,
    ended: () => "final",
  };
  const text = state.kind === "stale" ? words.stale(state.since) : words[state.kind]();
  return (
    <span class={`live live-${state.kind}`} title={state.kind === "stale" ? state.why : undefined} data-missed={missed}>
      {text}
    </span>
  );
}
