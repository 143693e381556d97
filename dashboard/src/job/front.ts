/** Which trials are feasible, and which of those no other one beats. The same rules as the service's. */
import type { Objective, Point, Spec } from "../service/types";

/** Metrics that follow the clock: a slower one changes whether their bounds are met. */
const CLOCKED: ReadonlySet<string> = new Set(["throughput_per_s", "latency_ns"]);

/** Whether a complete trial meets every constraint, and has every objective. */
export function feasible(spec: Spec, point: Point): boolean {
  if (point.state !== "complete") return false;
  for (const name in point.constraints) if ((point.constraints[name] ?? 0) > 0 && !CLOCKED.has(name)) return false;
  return spec.objectives.every(({ metric }) => point.metrics[metric] !== undefined) && meetsClocked(spec, point);
}

function meetsClocked(spec: Spec, { metrics }: Point): boolean {
  return spec.constraints.every(({ metric, min, max }) => {
    const value = metrics[metric];
    if (!CLOCKED.has(metric) || value === undefined) return true;
    return (min === null || value >= min) && (max === null || value <= max);
  });
}

/** Objective values with the sign that makes smaller better. */
export function losses(objectives: readonly Objective[], { metrics }: Point): number[] {
  return objectives.map(({ metric, direction }) => {
    const value = metrics[metric] ?? NaN;
    return direction === "minimize" ? value : -value;
  });
}

/** Whether `a` is nowhere worse than `b`, and somewhere better. */
function dominates(a: readonly number[], b: readonly number[]): boolean {
  let better = false;
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i] as number, b[i] as number];
    if (!(left <= right)) return false;
    if (left < right) better = true;
  }
  return better;
}

/** The points that no other one dominates; equal ones all count. */
export function front(objectives: readonly Objective[], points: readonly Point[]): Point[] {
  const ranked = points.map((point) => ({ point, loss: losses(objectives, point) }));
  ranked.sort((a, b) => compare(a.loss, b.loss));
  const kept: typeof ranked = [];
  // In lexicographic order nothing that comes later dominates what came before.
  for (const candidate of ranked) {
    if (!kept.some(({ loss }) => dominates(loss, candidate.loss))) kept.push(candidate);
  }
  return kept.map(({ point }) => point);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}

/** The trial as it would be at another clock: cycles stay, what is counted in time follows. */
export function atClock(point: Point, mhz: number): Point {
  const { clock_mhz: own, est_fmax_mhz: fmax, throughput_per_s: rate, latency_ns: latency } = point.metrics;
  if (own === undefined || point.clock_source !== "requested") return point;
  const clock = Math.min(mhz, fmax ?? mhz);
  const metrics: Record<string, number> = { ...point.metrics, clock_mhz: clock };
  if (rate !== undefined) metrics["throughput_per_s"] = (rate * clock) / own;
  if (latency !== undefined) metrics["latency_ns"] = (latency * own) / clock;
  return { ...point, metrics };
}
