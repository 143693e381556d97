/** Answers of the HTTP API, as far as pages read them. */

export const JOB_STATES = ["queued", "running", "paused", "stopping", "cancelling", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

export const TRIAL_STATES = ["queued", "running", "complete", "infeasible", "failed", "cancelled"] as const;
export type TrialState = (typeof TRIAL_STATES)[number];

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Objective {
  metric: string;
  direction: "maximize" | "minimize";
}

export interface Constraint {
  metric: string;
  min: number | null;
  max: number | null;
}

export interface Device {
  name: string;
  family: string;
  lut: number;
  ff: number;
  dsp: number;
  bram_kb: number;
  uram_kb: number;
  off_chip_gb_per_s: number;
  static_w: number;
  default_clock_mhz: number;
}

export interface Platform {
  devices: { device: string | Device; count: number }[];
  link: { topology: string; bandwidth_gbps: number; latency_ns: number };
  clock_mhz: number | null;
}

export interface Spec {
  metric: string | null;
  platform: Platform;
  objectives: Objective[];
  constraints: Constraint[];
  search: { sampler: string; trials: number; wall_seconds: number; parallel_trials: number; seed: number };
  [field: string]: unknown;
}

export interface MissedConstraint {
  constraint: string;
  best: number;
  number: number;
}

export interface Job {
  id: string;
  state: JobState;
  model: string;
  model_name?: string | null;
  dataset: string | null;
  sweep: string | null;
  labels: Record<string, string>;
  seq: number;
  progress: { trials_done: number; trials_total: number };
  counts: Record<TrialState, number>;
  hypervolume: number | null;
  hypervolume_history?: { trials: number; seconds: number; hypervolume: number }[];
  best: Record<string, { value: number; trial_id: string; number: number }>;
  pareto_size: number;
  end_reason: string | null;
  failure: { code: string; message: string; constraints?: MissedConstraint[] | null } | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  spec: Spec;
}

export interface Model {
  id: string;
  name: string;
}

export interface Candidate {
  quantization: Record<string, { weight: string | null; activation: string }>;
  parallelism: Record<string, { in_lanes: number; out_lanes: number }>;
  partition: Record<string, number | number[]>;
}

/** A trial as `/v1/jobs/{id}/points` tells it: times are seconds since 1970. */
export interface Point {
  id: string;
  number: number;
  seq: number;
  state: TrialState;
  reason: string | null;
  stage: string | null;
  attempts: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  cached_from: string | null;
  sign_off: string | null;
  clock_source: "requested" | "estimated" | "routed" | null;
  metrics: Record<string, number>;
  constraints: Record<string, number>;
  candidate: Candidate;
}

export const TERMINAL: ReadonlySet<JobState> = new Set(["succeeded", "failed", "cancelled"]);
