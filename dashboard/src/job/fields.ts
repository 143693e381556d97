/** Everything about a trial that can be an axis, a colour, a column or a filter. */
import { figure } from "../parts/format";
import { metricLabel } from "../parts/words";
import type { Candidate, Point } from "../service/types";

export type Value = number | string | null;

export interface Field {
  key: string;
  label: string;
  group: "Metrics" | "Decisions" | "Trial";
  /** Values of a category in order; null: numbers. */
  categories: readonly string[] | null;
  of: (point: Point) => Value;
}

const METRIC_ORDER = [
  "accuracy", "throughput_per_s", "latency_ns", "est_lut", "est_ff", "est_dsp", "est_bram_kb", "est_uram_kb", "est_power_w",
  "est_energy_uj_per_inference", "meas_interval_cycles", "meas_latency_cycles", "clock_mhz", "est_fmax_mhz", "devices_used",
  "link_bytes_per_inference", "float_accuracy",
];

const BITS = new Map<string, number | null>([["binary", 1], ["ternary", 2]]);

/** Bits of a number format; null for one that does not say. */
export function bits(format: string): number | null {
  const known = BITS.get(format);
  if (known !== undefined) return known;
  const digits = /\d+/.exec(format);
  const found = digits === null ? null : Number(digits[0]);
  BITS.set(format, found);
  return found;
}

const byBits = (a: string, b: string): number => (bits(a) ?? 0) - (bits(b) ?? 0) || a.localeCompare(b);

type Decide = (candidate: Candidate, node: string) => Value;

const DECISIONS: readonly { key: string; words: string; of: Decide }[] = [
  { key: "weights", words: "weights", of: (c, node) => c.quantization[node]?.weight ?? null },
  { key: "activations", words: "activations", of: (c, node) => c.quantization[node]?.activation ?? null },
  { key: "in", words: "lanes in", of: (c, node) => c.parallelism[node]?.in_lanes ?? null },
  { key: "out", words: "lanes out", of: (c, node) => c.parallelism[node]?.out_lanes ?? null },
  { key: "device", words: "device", of: (c, node) => placed(c.partition[node]) },
];

function placed(place: number | number[] | undefined): Value {
  if (place === undefined) return null;
  return Array.isArray(place) ? place.join("+") : String(place);
}

const TRIAL: readonly Field[] = [
  { key: "number", label: "Number", group: "Trial", categories: null, of: (point) => point.number },
  { key: "state", label: "State", group: "Trial", categories: ["complete", "infeasible", "failed", "running", "queued", "cancelled"], of: (point) => point.state },
  { key: "attempts", label: "Attempts", group: "Trial", categories: null, of: (point) => point.attempts },
  { key: "seconds", label: "Seconds", group: "Trial", categories: null, of: seconds },
  { key: "cached", label: "Known before", group: "Trial", categories: ["no", "yes"], of: (point) => (point.cached_from === null ? "no" : "yes") },
  { key: "sign_off", label: "Sign-off", group: "Trial", categories: ["queued", "running", "done", "failed"], of: (point) => point.sign_off },
  { key: "reason", label: "Reason", group: "Trial", categories: [], of: (point) => point.reason },
];

/** Seconds from the first start of a trial to its end. */
function seconds(point: Point): number | null {
  return point.started_at === null || point.finished_at === null ? null : point.finished_at - point.started_at;
}

function metricFields(names: ReadonlySet<string>): Field[] {
  const rank = (name: string): number => (METRIC_ORDER.indexOf(name) + METRIC_ORDER.length + 1) % (METRIC_ORDER.length + 1) || METRIC_ORDER.length;
  const ordered = [...names].sort((a, b) => rank(a) - rank(b));
  return ordered.map((name) => ({ key: name, label: metricLabel(name), group: "Metrics", categories: null, of: (point) => point.metrics[name] ?? null }));
}

/** What trials chose in one place. */
interface Choice {
  node: string;
  decision: (typeof DECISIONS)[number];
  values: Set<Value>;
  last: Value;
}

function choicesOf({ quantization, parallelism, partition }: Candidate): Choice[] {
  const nodes = new Set([quantization, parallelism, partition].flatMap((plan) => Object.keys(plan)));
  return DECISIONS.flatMap((decision) => [...nodes].map((node) => ({ node, decision, values: new Set<Value>(), last: null })));
}

function decisionField({ node, decision: { key, words, of }, values }: Choice): Field {
  const numbers = [...values].every((value) => typeof value === "number");
  const categories = numbers ? null : [...values].map(String).sort(byBits);
  return { key: `${key}:${node}`, label: `${node} ${words}`, group: "Decisions", categories, of: (point) => of(point.candidate, node) };
}

function meanWeightBits({ candidate }: Point): number | null {
  let [sum, count] = [0, 0];
  for (const node in candidate.quantization) {
    const weight = candidate.quantization[node]?.weight ?? null;
    if (weight === null) continue;
    sum += bits(weight) ?? NaN;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

/** The fields of a job's trials, kept while trials come: a new one costs the same however many there are. */
export class FieldIndex {
  private readonly metrics = new Set<string>();
  private choices: Choice[] | null = null;
  private weights = false;
  private known: readonly Point[] = [];
  /** When the first trial started, seconds since 1970. */
  private begin = Infinity;
  private made: readonly Field[] | null = null;

  /** The fields of these trials, which are those of the last call with some more or some changed. */
  of(points: readonly Point[]): readonly Field[] {
    points.forEach((point, i) => point !== this.known[i] && this.add(point));
    this.known = points;
    this.made ??= this.make();
    return this.made;
  }

  private add(point: Point): void {
    this.begin = Math.min(this.begin, point.started_at ?? Infinity);
    for (const name in point.metrics) if (typeof point.metrics[name] === "number") this.put(this.metrics, name);
    this.choices ??= choicesOf(point.candidate);
    for (const choice of this.choices) {
      const value = choice.decision.of(point.candidate, choice.node);
      if (value === choice.last || value === null) continue;
      choice.last = value;
      this.put(choice.values, value);
    }
    if (this.weights || meanWeightBits(point) === null) return;
    this.weights = true;
    this.made = null;
  }

  private put<T>(set: Set<T>, value: T): void {
    if (set.has(value)) return;
    set.add(value);
    this.made = null;
  }

  private make(): Field[] {
    const mean: Field = { key: "mean_weight_bits", label: "Mean bits of weights", group: "Decisions", categories: null, of: meanWeightBits };
    const started: Field = { key: "started", label: "Started after, s", group: "Trial", categories: null, of: (point) => (point.started_at === null ? null : point.started_at - this.begin) };
    // Decisions that all trials share explain nothing.
    const decisions = (this.choices ?? []).filter(({ values }) => values.size > 1).map(decisionField);
    return [...metricFields(this.metrics), ...(this.weights ? [mean] : []), ...decisions, ...TRIAL, started];
  }
}

/** A field's value as text. */
export function textOf(field: Field, point: Point): string {
  const value = field.of(point);
  return typeof value === "string" ? value : figure(value);
}

/** A field's value as a coordinate: numbers are themselves, categories their place. */
export function coordinate(field: Field, point: Point): number | null {
  const value = field.of(point);
  if (typeof value !== "string") return value;
  const place = field.categories?.indexOf(value) ?? -1;
  return place < 0 ? null : place;
}

/** The least and the greatest coordinate that trials have; `low > high` where none has one. */
export function rangeOf(field: Field, points: readonly Point[]): { low: number; high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (const point of points) {
    const value = coordinate(field, point);
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}
