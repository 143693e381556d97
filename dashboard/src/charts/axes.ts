/** Axes: ranges that fit the marks, and ticks that people read. */
import { figure, short } from "../parts/format";
import type { Colours } from "./colours";

export interface Extent {
  low: number;
  high: number;
}

/** The range of values with a margin; on a logarithmic axis the margin is a factor. */
export function extent(values: readonly number[], log: boolean): Extent {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (log && value <= 0) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return log ? { low: 0.1, high: 10 } : { low: 0, high: 1 };
  if (log) {
    const margin = Math.max((high / low) ** 0.06, 1.06);
    return { low: low / margin, high: high * margin };
  }
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  return { low: low - margin, high: high + margin };
}

/** 1, 2, 5 times powers of ten within a range; only the powers when that would be many. */
export function logTicks({ low, high }: Extent): number[] {
  const decades = Math.log10(high / low);
  const digits = decades > 3 ? [1] : decades > 0.75 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of digits) ticks.push(digit * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

export interface AxisWish {
  name: string;
  log: boolean;
  extent: Extent;
  categories: readonly string[] | null;
  vertical: boolean;
}

/** An axis in the style of the page. */
export function axis({ name, log, extent: { low, high }, categories, vertical }: AxisWish, colours: Colours): Record<string, unknown> {
  const ticks = log ? logTicks({ low, high }) : categories?.map((_, i) => i);
  const label = (value: number): string => (categories === null ? (Math.abs(value) < 1e4 ? figure(Number(value.toPrecision(6))) : short(value)) : (categories[Math.round(value)] ?? ""));
  return {
    type: log ? "log" : "value",
    min: low,
    max: high,
    name,
    nameLocation: "middle",
    nameGap: vertical ? 52 : 28,
    nameMoveOverlap: false,
    nameTextStyle: { color: colours.quiet, fontFamily: colours.font, fontSize: 12, fontWeight: 500 },
    axisLine: { show: true, lineStyle: { color: colours.line } },
    axisTick: { show: false, ...(ticks === undefined ? {} : { customValues: ticks }) },
    axisLabel: { color: colours.quiet, fontFamily: colours.font, fontSize: 11.5, formatter: label, hideOverlap: true, showMinLabel: log || categories !== null, showMaxLabel: log || categories !== null, ...(ticks === undefined ? {} : { customValues: ticks }) },
    splitLine: { show: !log, lineStyle: { color: colours.line, opacity: 0.6 } },
    splitNumber: 6,
  };
}
