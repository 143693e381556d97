/** What a mark of a trial looks like: what became of it, or the value of a field. */
import type { Colours } from "../charts/colours";
import { shade } from "../charts/colours";
import type { Point } from "../service/types";
import { coordinate, type Field, rangeOf } from "./fields";
import type { JobView } from "./view";

export type Fate = "front" | "feasible" | "infeasible" | "failed" | "pending";

export const FATES: readonly Fate[] = ["front", "feasible", "infeasible", "pending"];

/** What became of a trial. A complete one that misses a constraint is infeasible too. */
export function fate(view: JobView, point: Point): Fate {
  if (view.front.value.has(point.number)) return "front";
  if (view.feasible.value.has(point.number)) return "feasible";
  if (point.state === "complete" || point.state === "infeasible") return "infeasible";
  return point.state === "queued" || point.state === "running" ? "pending" : "failed";
}

/** The range of a field's values over trials, for a scale of colours: logarithmic where it spans more than a decade and a half. */
export class ColourScale {
  readonly low: number;
  readonly high: number;
  private readonly log: boolean;

  constructor(
    readonly field: Field,
    points: readonly Point[],
  ) {
    ({ low: this.low, high: this.high } = rangeOf(field, points));
    this.log = field.categories === null && this.low > 0 && this.high / this.low > 30;
  }

  /** The colour of a trial; null where it has no value. */
  of(point: Point): string | null {
    const value = coordinate(this.field, point);
    if (value === null) return null;
    const [at, low, high] = this.log ? [Math.log(value), Math.log(this.low), Math.log(this.high)] : [value, this.low, this.high];
    return shade(high > low ? (at - low) / (high - low) : 0.5);
  }
}

/** The colour of a mark where no field colours it. */
export function fateColour(colours: Colours, of: Fate): string {
  const table: Record<Fate, string> = { front: colours.front, feasible: colours.feasible, infeasible: colours.infeasible, failed: colours.failed, pending: colours.quiet };
  return table[of];
}
