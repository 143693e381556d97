/** How the share of objective space that a job dominates grew, from its trials. The service's definition, for up to three objectives. */
import type { Device, Objective, Point, Spec } from "../service/types";
import { feasible } from "./front";
import { capacity } from "./limits";

export interface VolumeStep {
  /** Trials that had ended. */
  trials: number;
  /** Since the start of the job. */
  seconds: number;
  hypervolume: number;
}

const SHARES: ReadonlySet<string> = new Set(["top1", "top5", "agreement", "cosine"]);
const DECADES = 12;
const STEPS = 240;

type Loss = readonly number[];

const clamp = (share: number): number => Math.min(Math.max(share, 0), 1);

/** An objective's value in [0, 1], 0 is best: shares linear, resources logarithmic up to the platform's, the rest over twelve decades. */
export function scaledLoss(spec: Spec, { metric, direction }: Objective, value: number, devices: readonly Device[]): number {
  const quality = metric === "accuracy" || metric === "float_accuracy";
  const bounded = spec.metric === null ? direction === "maximize" : SHARES.has(spec.metric);
  const all = capacity(metric, devices) ?? 0;
  let share: number;
  if (quality && bounded) share = spec.metric === "cosine" ? (value + 1) / 2 : value;
  else if (all > 0) share = Math.log1p(Math.max(value, 0)) / Math.log1p(all);
  else share = Math.log10(1 + Math.max(value, 0)) / DECADES;
  return direction === "minimize" ? clamp(share) : 1 - clamp(share);
}

/** Area that points dominate in the unit square, 0 is best. */
function area(points: readonly Loss[]): number {
  const sorted = [...points].sort(([a = 0], [b = 0]) => a - b);
  let [sum, edge] = [0, 1];
  for (const [x = 1, y = 1] of sorted) {
    if (y >= edge) continue;
    sum += (1 - x) * (edge - y);
    edge = y;
  }
  return sum;
}

/** The part of the unit cube of one to three dimensions that points dominate. */
export function volume(points: readonly Loss[]): number {
  const dimensions = points[0]?.length ?? 0;
  if (dimensions === 0) return 0;
  if (dimensions === 1) return 1 - Math.min(...points.map(([x = 1]) => x));
  if (dimensions === 2) return area(points);
  // Slices between neighbouring third values; what was met before a slice reaches through it.
  const sorted = [...points].sort((a, b) => (a[2] ?? 1) - (b[2] ?? 1));
  return sorted.reduce((sum, point, i) => {
    const thickness = (sorted[i + 1]?.[2] ?? 1) - (point[2] ?? 1);
    return thickness > 0 ? sum + thickness * area(sorted.slice(0, i + 1)) : sum;
  }, 0);
}

function addTo(archive: Loss[], point: Loss): Loss[] {
  const covers = (a: Loss, b: Loss): boolean => a.every((value, i) => value <= (b[i] ?? 0));
  if (archive.some((other) => covers(other, point))) return archive;
  return [...archive.filter((other) => !covers(point, other)), point];
}

/** The history of the hypervolume; null for more objectives than can be computed here. `started` in seconds since 1970. */
export function history(spec: Spec, points: readonly Point[], devices: readonly Device[], started: number): VolumeStep[] | null {
  if (spec.objectives.length > 3) return null;
  const ended = points.filter(({ finished_at: at }) => at !== null).sort((a, b) => (a.finished_at ?? 0) - (b.finished_at ?? 0));
  const every = Math.max(1, Math.ceil(ended.length / STEPS));
  const steps: VolumeStep[] = [{ trials: 0, seconds: 0, hypervolume: 0 }];
  let archive: Loss[] = [];
  let known: Loss[] = archive;
  ended.forEach((point, i) => {
    if (feasible(spec, point)) {
      archive = addTo(archive, spec.objectives.map((objective) => scaledLoss(spec, objective, point.metrics[objective.metric] ?? NaN, devices)));
    }
    const last = i === ended.length - 1;
    if ((i + 1) % every !== 0 && !last) return;
    const before = steps.at(-1)?.hypervolume ?? 0;
    steps.push({ trials: i + 1, seconds: (point.finished_at ?? started) - started, hypervolume: archive === known ? before : volume(archive) });
    known = archive;
  });
  return steps;
}

/** The step after which nothing grew by more than a thousandth; null where there is none. */
export function stall(steps: readonly VolumeStep[]): VolumeStep | null {
  const end = steps.at(-1)?.hypervolume ?? 0;
  return end === 0 ? null : (steps.find(({ hypervolume }) => hypervolume >= end * 0.999) ?? null);
}
