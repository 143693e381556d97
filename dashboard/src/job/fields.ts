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

/** Bits of a number format; null for one that does not say. */
export function bits(format: string): number | null {
  if (format === "binary") return 1;
  if (format === "ternary") return 2;
  const digits = /\d+/.exec(format);
  return digits === null ? null : Number(digits[0]);
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

function metricFields(points: readonly Point[]): Field[] {
  const names = new Set<string>();
  for (const { metrics } of points) for (const name in metrics) if (typeof metrics[name] === "number") names.add(name);
  const rank = (name: string): number => (METRIC_ORDER.indexOf(name) + METRIC_ORDER.length + 1) % (METRIC_ORDER.length + 1) || METRIC_ORDER.length;
  const ordered = [...names].sort((a, b) => rank(a) - rank(b));
  return ordered.map((name) => ({ key: name, label: metricLabel(name), group: "Metrics", categories: null, of: (point) => point.metrics[name] ?? null }));
}

/** Decisions that differ between trials: those that all share explain nothing. */
function decisionFields(points: readonly Point[]): Field[] {
  const nodes = new Set<string>();
  for (const point of points.slice(0, 1)) {
    for (const plan of [point.candidate.quantization, point.candidate.parallelism, point.candidate.partition]) {
      for (const node in plan) nodes.add(node);
    }
  }
  return DECISIONS.flatMap(({ key, words, of }) =>
    [...nodes].flatMap((node) => {
      const values = new Set<Value>();
      for (const point of points) values.add(of(point.candidate, node));
      values.delete(null);
      if (values.size < 2) return [];
      const texts = [...values].every((value) => typeof value === "number") ? null : [...values].map(String).sort(byBits);
      return [{ key: `${key}:${node}`, label: `${node} ${words}`, group: "Decisions" as const, categories: texts, of: (point: Point) => of(point.candidate, node) }];
    }),
  );
}

function meanWeightBits(points: readonly Point[]): Field[] {
  const of = ({ candidate }: Point): number | null => {
    const found = Object.values(candidate.quantization).flatMap(({ weight }) => (weight === null ? [] : [bits(weight) ?? NaN]));
    return found.length === 0 ? null : found.reduce((a, b) => a + b, 0) / found.length;
  };
  if (points.every((point) => of(point) === null)) return [];
  return [{ key: "mean_weight_bits", label: "Mean bits of weights", group: "Decisions", categories: null, of }];
}

/** The fields of a job's trials. */
export function fieldsOf(points: readonly Point[]): Field[] {
  return [...metricFields(points), ...meanWeightBits(points), ...decisionFields(points), ...TRIAL];
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
