/** One job, kept as it is in the service: its document and all its trials as points. */
import { signal } from "@preact/signals";
import { call, request, ServiceError } from "./client";
import { EventStream } from "./stream";
import type { Job, Point } from "./types";

const PAGE = 2_500;
const GATHER_MS = 200;
const AWAY_MS = 2_000;

interface Points {
  items: Point[];
}

/** Follows a job from `start` to `stop`. Events say that something changed; what changed is read by number. */
export class LiveJob {
  readonly job = signal<Job | null>(null);
  /** Trials by their number. */
  readonly points = signal<readonly Point[]>([]);
  readonly error = signal<Error | null>(null);
  /** Whether all trials of the first reading are there. */
  readonly complete = signal(false);
  readonly stream = signal<EventStream | null>(null);
  private readonly byNumber: Point[] = [];
  private seq = 0;
  private news = false;
  private reading = true;
  private dirty = false;
  private readonly ending = new AbortController();

  constructor(readonly id: string) {}

  /** Read everything, then follow. */
  async start(): Promise<void> {
    try {
      const head = this.document().then((job) => (this.job.value = job));
      await Promise.all([head, this.readPoints()]);
      this.complete.value = true;
      // From the last change of a trial that was read on: what happened to the job meanwhile is told again.
      const stream = new EventStream(`/v1/jobs/${this.id}/events`, this.seq, () => this.changed(), () => this.forget());
      this.stream.value = stream;
      void stream.run();
      this.error.value = null;
      this.settle();
    } catch (error) {
      this.fail(error);
      // A refusal stays one; a service that is away comes back.
      const away = !(error instanceof ServiceError) || error.status === 0 || error.status >= 500;
      if (away && !this.ending.signal.aborted) setTimeout(() => void this.start(), AWAY_MS);
    }
  }

  /** Stop following. */
  stop(): void {
    this.ending.abort();
    this.stream.value?.stop();
  }

  /** Something changed: read it, at most once in a while. */
  changed(): void {
    this.dirty = true;
    if (this.reading) return;
    this.reading = true;
    setTimeout(() => void this.refresh(), GATHER_MS);
  }

  private async refresh(): Promise<void> {
    try {
      while (this.dirty && !this.ending.signal.aborted) {
        this.dirty = false;
        const job = await this.document();
        await this.readPoints();
        this.job.value = job;
      }
      this.error.value = null;
    } catch (error) {
      this.dirty = true; // the stream has said it once: it is read again when the service is back
      this.fail(error);
      setTimeout(() => void this.refresh(), 5 * GATHER_MS);
      return;
    }
    this.settle();
  }

  private settle(): void {
    this.reading = false;
    if (this.dirty) this.changed();
  }

  private forget(): void {
    this.seq = 0;
    this.byNumber.length = 0;
    this.changed();
  }

  private fail(error: unknown): void {
    if (!this.ending.signal.aborted) this.error.value = error instanceof Error ? error : new Error(String(error));
  }

  private document(): Promise<Job> {
    return call<Job>(`/v1/jobs/${this.id}`, { signal: this.ending.signal });
  }

  private async readPoints(): Promise<void> {
    const ask = (path: string): Promise<Response> => request(path, { signal: this.ending.signal });
    let next: Promise<Response> | null = ask(`/v1/jobs/${this.id}/points?since_seq=${this.seq}&limit=${PAGE}`);
    while (next !== null) {
      const answer: Response = await next;
      // Its head names the page behind it, which is asked for while this one is read.
      const behind = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      next = behind === undefined ? null : ask(behind);
      next?.catch(() => undefined); // told where it is awaited
      this.merge(((await answer.json()) as Points).items);
    }
    this.show();
  }

  private merge(items: readonly Point[]): void {
    for (const point of items) {
      this.byNumber[point.number] = point;
      this.seq = Math.max(this.seq, point.seq);
    }
    this.news ||= items.length > 0;
  }

  private show(): void {
    if (!this.news) return;
    this.news = false;
    // A trial that changed moves to a later page, so there are holes until the last page was read.
    this.points.value = this.byNumber.filter(Boolean);
  }
}
