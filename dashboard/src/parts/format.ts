/** Numbers, times and names as people read them. */

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** About four significant digits, thousands grouped, a dash where there is nothing. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return GROUPED.format(value);
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A figure for an axis or a small space: 1.2k, 3.4M. */
export function short(value: number): string {
  const size = Math.abs(value);
  for (const [letter, scale] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (size >= scale) return `${Number((value / scale).toPrecision(3))}${letter}`;
  }
  if (size !== 0 && size < 1e-3) return value.toExponential(0);
  return String(Number(value.toPrecision(3)));
}

/** A length of time in its two largest units. */
export function span(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes} min ${whole % 60} s`;
}

/** How long ago, in the largest fitting unit. */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  for (const [unit, length] of [["d", 86_400], ["h", 3600], ["min", 60]] as const) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return seconds < 5 ? "just now" : `${Math.floor(seconds)} s ago`;
}

/** Local date and time, and UTC: for tooltips. */
export function moment(time: string): string {
  const date = new Date(time);
  return `${date.toLocaleString()} (${date.toISOString().slice(0, 19).replace("T", " ")} UTC)`;
}

/** The end of an id, enough to tell jobs apart. */
export function tail(id: string): string {
  return id.slice(-8);
}

/** `1 trial`, `2 trials`. */
export function count(n: number, noun: string): string {
  return `${GROUPED.format(n)} ${noun}${n === 1 ? "" : "s"}`;
}
