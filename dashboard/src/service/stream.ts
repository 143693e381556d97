/** A job's event stream: followed without gaps over sleep, lost networks and restarts of the service. */
import { signal } from "@preact/signals";
import { credentials, ServiceError } from "./client";

export interface Happening {
  id: number;
  type: string;
  data: unknown;
}

export type StreamState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "stale"; since: number; why: string }
  | { kind: "ended" };

// The service sends a comment after 15 s without events, so a longer silence is a dead connection.
const SILENCE_MS = 25_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** Bytes of `text/event-stream` to events. */
export class EventParser {
  private rest = "";
  private id = 0;
  private type = "message";
  private data = "";

  /** Events that are complete with this piece of text. */
  feed(text: string): Happening[] {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.line(line.endsWith("\r") ? line.slice(0, -1) : line));
  }

  private line(line: string): Happening[] {
    if (line === "") return this.flush();
    const colon = line.indexOf(":");
    if (colon <= 0) return [];
    const value = line.slice(colon + 1).replace(/^ /, "");
    const field = line.slice(0, colon);
    if (field === "id") this.id = Number(value);
    else if (field === "event") this.type = value;
    else if (field === "data") this.data += value;
    return [];
  }

  private flush(): Happening[] {
    const event = { id: this.id, type: this.type, data: this.data };
    this.type = "message";
    this.data = "";
    return event.data === "" ? [] : [{ ...event, data: JSON.parse(event.data) as unknown }];
  }
}

/** Follows `path` until its end; reconnects by itself and resumes behind the last event it saw. */
export class EventStream {
  readonly state = signal<StreamState>({ kind: "connecting" });
  /** Events that were skipped by the numbering, which counts without gaps: never, unless something is broken. */
  readonly missed = signal(0);
  private readonly stopping = new AbortController();
  private connection = new AbortController();
  private wait = FIRST_WAIT_MS;
  private wake: () => void = () => undefined;

  constructor(
    private readonly path: string,
    private last: number,
    private readonly onEvents: (events: readonly Happening[]) => void,
    private readonly onForgotten: () => void,
  ) {}

  /** Follow until the end or `stop`. */
  async run(): Promise<void> {
    const woken = (): void => this.woken();
    const limit = { signal: this.stopping.signal };
    document.addEventListener("visibilitychange", woken, limit);
    addEventListener("online", woken, limit);
    addEventListener("pageshow", woken, limit);
    while (!this.stopping.signal.aborted && this.state.value.kind !== "ended") {
      if (document.hidden) await this.pause(Infinity); // hidden pages hold no connection: browsers allow six
      else await this.attempt();
    }
  }

  /** Stop following. */
  stop(): void {
    this.stopping.abort();
    this.connection.abort();
    this.wake();
  }

  private woken(): void {
    this.wait = FIRST_WAIT_MS;
    if (document.hidden) this.connection.abort();
    this.wake();
  }

  private async attempt(): Promise<void> {
    this.connection = new AbortController();
    try {
      await this.connect(this.connection.signal);
      if (this.state.value.kind !== "ended") throw new ServiceError(0, "Closed", "the connection was closed");
    } catch (error) {
      if (this.stopping.signal.aborted || document.hidden) return;
      this.lost(error instanceof Error ? error.message : "the connection was lost");
      await this.pause(this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
    }
  }

  private lost(why: string): void {
    if (this.state.value.kind !== "stale") this.state.value = { kind: "stale", since: Date.now(), why };
  }

  private async connect(signal: AbortSignal): Promise<void> {
    const headers = { ...credentials(), Accept: "text/event-stream", "Last-Event-ID": String(this.last) };
    const answer = await fetch(this.path, { headers, signal, cache: "no-store" });
    if (answer.status === 400) {
      // The service does not know this number: its database is another one than before.
      this.last = 0;
      this.onForgotten();
    }
    if (!answer.ok || answer.body === null) throw new ServiceError(answer.status, "Refused", `HTTP ${answer.status}`);
    this.state.value = { kind: "live" };
    this.wait = FIRST_WAIT_MS;
    await this.read(answer.body);
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const watchdog = setTimeout(() => this.connection.abort(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
      if (done) return;
      this.take(parser.feed(decoder.decode(value, { stream: true })));
      if (this.state.value.kind === "ended") return;
    }
  }

  private take(events: readonly Happening[]): void {
    if (events.length === 0) return;
    for (const event of events) {
      // A client that has seen everything is told `end` again, with the number it knows.
      this.missed.value += Math.max(0, event.id - this.last - 1);
      this.last = Math.max(this.last, event.id);
    }
    this.onEvents(events);
    if (events.some((event) => event.type === "end")) this.state.value = { kind: "ended" };
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
