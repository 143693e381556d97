/** The body of a job while it is written, and what the service said of it. Places in it are JSON pointers. */
import { signal } from "@preact/signals";
import type { Offence } from "../service/client";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Body = { [key: string]: Json };

const steps = (pointer: string): string[] => pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function within(value: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(step)];
  return typeof value === "object" && value !== null ? value[step] : undefined;
}

/** A copy of a value with another one at a place. */
function placed(value: Json | undefined, [step, ...rest]: readonly string[], made: Json): Json {
  if (step === undefined) return made;
  if (Array.isArray(value)) return value.map((one, i) => (i === Number(step) ? placed(one, rest, made) : one));
  const object = typeof value === "object" && value !== null ? value : {};
  return { ...(object as Body), [step]: placed((object as Body)[step], rest, made) };
}

/** What a service that has said nothing yet would fill in, written out so that it can be seen and changed. */
export const EMPTY: Body = {
  model: "",
  dataset: null,
  metric: null,
  platform: { devices: [{ device: "u250", count: 1 }], link: { topology: "chain", bandwidth_gbps: 100, latency_ns: 500 }, clock_mhz: null },
  space: { formats: ["int"], weight_bits: [2, 3, 4, 6, 8], activation_bits: [4, 6, 8], max_lanes: 64, partition: ["pipeline"] },
  objectives: [
    { metric: "accuracy", direction: "maximize" },
    { metric: "throughput_per_s", direction: "maximize" },
    { metric: "est_lut", direction: "minimize" },
  ],
  constraints: [],
  search: { sampler: "auto", trials: 100, wall_seconds: 900, parallel_trials: 2, seed: 0 },
  simulation: { samples: 4, backpressure: "none" },
  routing: { designs: 1 },
  labels: {},
};

export class Draft {
  readonly body = signal<Body>(EMPTY);
  readonly offences = signal<readonly Offence[]>([]);
  /** What the service said of the whole, when that is not about a place. */
  readonly refused = signal<Error | null>(null);

  /** The value at a place; undefined where there is none. */
  at(pointer: string): Json | undefined {
    return steps(pointer).reduce<Json | undefined>(within, this.body.value);
  }

  /** Write a value, and forget what was said of this place. */
  set(pointer: string, value: Json): void {
    this.body.value = placed(this.body.value, steps(pointer), value) as Body;
    this.offences.value = this.offences.value.filter((one) => !covers(pointer, one.pointer));
  }

  /** The list at a place. */
  list(pointer: string): Json[] {
    const found = this.at(pointer);
    return Array.isArray(found) ? found : [];
  }

  /** Put something behind a list. */
  add(pointer: string, item: Json): void {
    this.set(pointer, [...this.list(pointer), item]);
  }

  /** Take something out of a list. */
  remove(pointer: string, index: number): void {
    this.set(pointer, this.list(pointer).filter((_, i) => i !== index));
  }

  /** What was said of exactly this place. */
  said(pointer: string): string | null {
    const found = this.offences.value.filter((one) => one.pointer === pointer);
    return found.length === 0 ? null : found.map(({ detail }) => detail).join("; ");
  }
}

/** Whether a place is another one, or lies in it. */
export function covers(outer: string, inner: string | null | undefined): boolean {
  return inner != null && (inner === outer || inner.startsWith(`${outer}/`));
}

/** The id of the field that writes a place. */
export function fieldId(pointer: string): string {
  return `field${pointer.replaceAll("/", "-")}`;
}
