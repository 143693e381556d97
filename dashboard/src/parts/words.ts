/** Words for what the service says in codes. */
import type { JobState, TrialState } from "../service/types";

/** How a state is coloured. */
export type Tone = "quiet" | "busy" | "good" | "warn" | "bad";

export const JOB_TONES: Record<JobState, Tone> = {
  queued: "quiet",
  running: "busy",
  paused: "warn",
  stopping: "warn",
  cancelling: "warn",
  succeeded: "good",
  failed: "bad",
  cancelled: "quiet",
};

export const TRIAL_TONES: Record<TrialState, Tone> = {
  queued: "quiet",
  running: "busy",
  complete: "good",
  infeasible: "warn",
  failed: "bad",
  cancelled: "quiet",
};

const ENDS: Record<string, string> = {
  budget_trials: "all trials done",
  budget_seconds: "time budget used up",
  space_exhausted: "the whole space was tried",
  stopped: "stopped by a user",
  cancelled: "cancelled by a user",
  no_feasible_design: "no feasible design",
  evaluations_failed: "every evaluation failed",
  search_failed: "the search failed",
};

/** Why a job ended; a reason of a later service is shown as it is. */
export function ended(reason: string): string {
  return ENDS[reason] ?? reason.replaceAll("_", " ");
}

interface MetricWords {
  label: string;
  unit: string;
}

const METRICS: Record<string, MetricWords> = {
  accuracy: { label: "Accuracy", unit: "" },
  float_accuracy: { label: "Accuracy of the float model", unit: "" },
  meas_latency_cycles: { label: "Latency", unit: "cycles" },
  meas_interval_cycles: { label: "Interval", unit: "cycles" },
  clock_mhz: { label: "Clock", unit: "MHz" },
  est_fmax_mhz: { label: "Estimated fmax", unit: "MHz" },
  meas_fmax_mhz: { label: "Routed fmax", unit: "MHz" },
  latency_ns: { label: "Latency", unit: "ns" },
  throughput_per_s: { label: "Throughput", unit: "1/s" },
  est_lut: { label: "LUT", unit: "" },
  est_ff: { label: "FF", unit: "" },
  est_dsp: { label: "DSP", unit: "" },
  est_bram_kb: { label: "Block RAM", unit: "Kb" },
  est_uram_kb: { label: "UltraRAM", unit: "Kb" },
  est_power_w: { label: "Power", unit: "W" },
  est_static_w: { label: "Static power", unit: "W" },
  est_dynamic_w: { label: "Dynamic power", unit: "W" },
  est_energy_uj_per_inference: { label: "Energy", unit: "µJ/inference" },
  devices_used: { label: "Devices used", unit: "" },
  link_bytes_per_inference: { label: "Link traffic", unit: "B/inference" },
};

/** Label and unit of a metric; one of a later service goes by its own name. */
export function metricWords(name: string): MetricWords {
  return METRICS[name] ?? { label: name.replace(/^(est|meas)_/, "").replaceAll("_", " "), unit: "" };
}

/** Where a figure comes from, by its prefix. */
export function provenance(name: string): "estimated" | "simulated" | "" {
  if (name.startsWith("est_")) return "estimated";
  return name.startsWith("meas_") ? "simulated" : "";
}

/** `Latency (cycles)`. */
export function metricLabel(name: string): string {
  const { label, unit } = metricWords(name);
  return unit === "" ? label : `${label} (${unit})`;
}
