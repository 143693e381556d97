/** A figure beside the one it is compared with. */
import { figure } from "../parts/format";

/** Whether more of a metric is better; null where it depends. */
export function wanted(metric: string): "more" | "less" | null {
  if (["accuracy", "throughput_per_s", "est_fmax_mhz", "meas_fmax_mhz", "float_accuracy"].includes(metric)) return "more";
  return metric === "clock_mhz" ? null : "less";
}

/** `+12.4 %`; in units where the first is 0. */
export function changeWords(from: number, to: number): string {
  if (from === to) return "=";
  if (from === 0) return `+${figure(to)}`;
  const share = (100 * (to - from)) / Math.abs(from);
  const digits = Math.abs(share) < 10 ? 1 : 0;
  return `${share > 0 ? "+" : "−"}${Math.abs(share).toFixed(digits)} %`;
}

/** The change from the first to another, coloured by whether it is wanted. */
export function Change({ from, to, want }: { from: number | undefined; to: number | undefined; want: "more" | "less" | null }) {
  if (from === undefined || to === undefined) return <span class="change">{from === to ? "" : to === undefined ? "gone" : "new"}</span>;
  const better = want === null || from === to ? "" : (to > from) === (want === "more") ? "better" : "worse";
  return <span class={`change ${better}`}>{changeWords(from, to)}</span>;
}
