/** A trial in full: what was built, what it needs, what was measured in it. */
import { call } from "./client";
import type { Candidate, Page, TrialState } from "./types";

/** Of a device, or of an operator. */
export interface Resources {
  lut: number;
  ff: number;
  dsp: number;
  bram_kb: number;
}

export const RESOURCES = ["lut", "ff", "dsp", "bram_kb"] as const;
export const RESOURCE_WORDS: Record<keyof Resources, string> = { lut: "LUT", ff: "FF", dsp: "DSP", bram_kb: "Block RAM" };

/** One operator of the design; what the service does not tell is absent. */
export interface Operator {
  name: string;
  /** Node of the model that it implements; empty for what only moves words. */
  source: string;
  device: number;
  role?: string;
  module: string;
  parameters: Record<string, number>;
  in_lanes?: number;
  out_lanes?: number;
  est_lut?: number;
  est_ff?: number;
  est_dsp?: number;
  est_bram_kb?: number;
  model_interval_cycles: number;
  model_latency_cycles: number;
  busy_cycles: number;
  blocked_cycles: number;
  starved_cycles: number;
  high_water_beats: number;
}

/** A stream from one operator to another; null: the outside. */
export interface Stream {
  name: string;
  producer: string | null;
  consumer: string | null;
  format: string;
  lanes: number;
  /** Bits of a beat. */
  bits: number;
  /** Beats of one sample. */
  beats: number;
}

export interface DeviceUse {
  index: number;
  device: string;
  used: Partial<Resources>;
  share: Partial<Resources>;
}

export interface Hop {
  from: number;
  to: number;
  streams: number;
  bytes_per_inference: number;
  bits_per_cycle: number;
  least_interval_cycles: number;
}

/** One device, placed and routed. */
export interface Routed {
  index: number;
  part: string;
  fmax_mhz: number;
  critical_path: { operator: string; stage: string; ns: number };
  lut: number;
  ff: number;
  dsp: number;
  bram: number;
  bitstream_bytes: number;
}

export interface Detail {
  operators?: Operator[];
  streams?: Stream[];
  devices?: DeviceUse[];
  hops?: Hop[];
  outputs?: { name: string; accuracy?: number; float_accuracy?: number }[];
  tensors?: { node: string; format: string; error: number }[];
}

export interface Stage {
  name: string;
  seconds: number;
  cache_hit: boolean;
}

export interface Trial {
  id: string;
  job_id: string;
  number: number;
  state: TrialState;
  reason: string | null;
  stage: string | null;
  attempts: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  candidate: Candidate & { structure?: Record<string, number> };
  candidate_hash: string;
  metrics: Detail & Record<string, unknown>;
  exact: { compared_words: number; mismatched_words: number; samples: number } | null;
  constraints: Record<string, number>;
  stages: Stage[];
  clock_source: "requested" | "estimated" | "routed" | null;
  provenance: Record<string, unknown>;
  cached_from: string | null;
  sign_off: string | null;
  sign_off_result: Record<string, unknown> | null;
  routing: string | null;
  routing_reason: string | null;
  routed: { devices: Routed[] } | null;
}

export interface Attempt {
  purpose: string;
  worker: string;
  started_at: string;
  ended_at: string | null;
  outcome: string | null;
  reason: string | null;
}

/** A trial with its operators. */
export const readTrial = (id: string, signal?: AbortSignal): Promise<Trial> => call(`/v1/trials/${id}?detail=operators`, signal === undefined ? {} : { signal });

/** Every start of a trial on a worker, oldest first. */
export const readAttempts = (id: string, signal?: AbortSignal): Promise<Page<Attempt>> => call(`/v1/trials/${id}/attempts`, signal === undefined ? {} : { signal });

/** The figures of a trial that are plain numbers. */
export function figures(trial: Trial): Record<string, number> {
  return Object.fromEntries(Object.entries(trial.metrics).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

/** The operators; none for a trial that was not simulated, or of a service of another shape. */
export function operatorsOf(trial: Trial): Operator[] {
  const { operators } = trial.metrics;
  return Array.isArray(operators) ? operators : [];
}

/** The operator that no other is slower than: it bounds the interval of the design. */
export function slowest(operators: readonly Operator[]): Operator | null {
  return operators.reduce<Operator | null>((worst, one) => (worst === null || one.model_interval_cycles > worst.model_interval_cycles ? one : worst), null);
}
