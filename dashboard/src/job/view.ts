/** What the parts of a job's page share: the trials as shown, the filters, the front. Charts and table read it alike. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { keep } from "../app/router";
import type { LiveJob } from "../service/job";
import { type Point, type Spec, TRIAL_STATES, type TrialState } from "../service/types";
import { coordinate, type Field, FieldIndex, textOf } from "./fields";
import { atClock, feasible, front } from "./front";

export type Only = "all" | "feasible" | "front";
export type Range = readonly [low: number, high: number];

/** One view of one job. `spec` is that of the job; its limits may change, what is read here does not. */
export class JobView {
  /** The clock that figures in time are shown at, MHz; null: each trial's own. */
  readonly clock = signal<number | null>(null);
  readonly states = signal<ReadonlySet<TrialState>>(new Set());
  readonly only = signal<Only>("all");
  readonly text = signal("");
  readonly ranges = signal<ReadonlyMap<string, Range>>(new Map());
  /** Numbers of the trials inside the lasso. */
  readonly lasso = signal<ReadonlySet<number> | null>(null);
  /** Key of the field that colours marks, or "" for what became of a trial. */
  readonly colour = signal("");

  readonly points: ReadonlySignal<readonly Point[]>;
  readonly fields: ReadonlySignal<readonly Field[]>;
  readonly byKey: ReadonlySignal<ReadonlyMap<string, Field>>;
  readonly feasible: ReadonlySignal<ReadonlySet<number>>;
  readonly front: ReadonlySignal<ReadonlySet<number>>;
  readonly shown: ReadonlySignal<readonly Point[]>;
  readonly filtered: ReadonlySignal<boolean>;
  readonly shownNumbers: ReadonlySignal<ReadonlySet<number>>;

  constructor(
    readonly live: LiveJob,
    readonly spec: Spec,
    query: URLSearchParams,
  ) {
    this.restore(query);
    this.points = computed(() => {
      const clock = this.clock.value;
      return clock === null ? live.points.value : live.points.value.map((point) => atClock(point, clock));
    });
    const index = new FieldIndex();
    this.fields = computed(() => index.of(live.points.value));
    this.byKey = computed(() => new Map(this.fields.value.map((field) => [field.key, field])));
    const good = computed(() => this.points.value.filter((point) => feasible(spec, point)));
    this.feasible = computed(() => new Set(good.value.map(({ number }) => number)));
    this.front = computed(() => new Set(front(spec.objectives, good.value).map(({ number }) => number)));
    this.shown = computed(() => this.points.value.filter(this.filter()));
    this.filtered = computed(() => this.shown.value.length < this.points.value.length);
    this.shownNumbers = computed(() => new Set(this.shown.value.map(({ number }) => number)));
  }

  /** Set or clear the range of a field. */
  range(key: string, range: Range | null): void {
    if (range === null && !this.ranges.value.has(key)) return;
    const next = new Map(this.ranges.value);
    if (range === null) next.delete(key);
    else next.set(key, range);
    this.change(() => (this.ranges.value = next));
  }

  /** Show trials in this state too, or no longer. */
  toggleState(state: TrialState): void {
    const next = new Set(this.states.value);
    if (!next.delete(state)) next.add(state);
    this.change(() => (this.states.value = next));
  }

  /** Show all trials. */
  clear(): void {
    this.change(() => {
      this.states.value = new Set();
      this.only.value = "all";
      this.text.value = "";
      this.ranges.value = new Map();
      this.lasso.value = null;
    });
  }

  /** Change filters and the address together: what reads both is drawn once. */
  change(filters: () => void): void {
    batch(() => {
      filters();
      this.remember();
    });
  }

  /** Put the filters into the address, but for the lasso, which may be long. */
  private remember(): void {
    const ranges = [...this.ranges.value].map(([key, [low, high]]) => `${key}~${low}~${high}`);
    keep({ states: [...this.states.value].join(" "), only: this.only.value === "all" ? "" : this.only.value, find: this.text.value, ranges: ranges.join(" ") });
  }

  private restore(query: URLSearchParams): void {
    const words = (name: string): string[] => (query.get(name) ?? "").split(" ").filter(Boolean);
    this.states.value = new Set(TRIAL_STATES.filter((state) => words("states").includes(state)));
    const only = query.get("only");
    this.only.value = only === "feasible" || only === "front" ? only : "all";
    this.text.value = query.get("find") ?? "";
    this.ranges.value = new Map(words("ranges").map((text) => text.split("~")).map(([key = "", low, high]) => [key, [Number(low), Number(high)]]));
  }

  private filter(): (point: Point) => boolean {
    const tests: ((point: Point) => boolean)[] = [];
    const [states, only, text, lasso] = [this.states.value, this.only.value, this.text.value.trim().toLowerCase(), this.lasso.value];
    if (states.size > 0) tests.push(({ state }) => states.has(state));
    if (only !== "all") {
      const kept = only === "front" ? this.front.value : this.feasible.value;
      tests.push(({ number }) => kept.has(number));
    }
    if (lasso !== null) tests.push(({ number }) => lasso.has(number));
    for (const [key, range] of this.ranges.value) {
      const field = this.byKey.value.get(key);
      if (field !== undefined) tests.push((point) => within(coordinate(field, point), range));
    }
    if (text !== "") tests.push((point) => this.says(point, text));
    return (point) => tests.every((test) => test(point));
  }

  private says(point: Point, text: string): boolean {
    if (String(point.number) === text || point.reason?.toLowerCase().includes(text) === true) return true;
    return this.fields.value.some((field) => field.categories !== null && textOf(field, point).toLowerCase() === text);
  }
}

function within(value: number | null, [low, high]: Range): boolean {
  return value !== null && value >= low && value <= high;
}
