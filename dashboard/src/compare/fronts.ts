/** Fronts of several jobs in one plot. */
import { shownTheme } from "../app/theme";
import { axis, extent } from "../charts/axes";
import { colours } from "../charts/colours";
import type { EChartsCoreOption } from "../charts/echarts";
import { figure } from "../parts/format";
import { metricLabel } from "../parts/words";
import { figures, type Trial } from "../service/trial";
import type { Job } from "../service/types";

export interface Front {
  job: Job;
  name: string;
  trials: Trial[];
}

// Colours that every kind of colour vision tells apart (after Okabe and Ito), for a light and for a dark ground.
const HUES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b8508a", "#8a6d00", "#3a8fc9", "#6b5bd2", "#6f7b83"],
  dark: ["#56b4e9", "#ff9440", "#2fd19e", "#ef9dcb", "#e6c84b", "#8fd0f5", "#b3a6ff", "#a9b6bf"],
};

/** The colour of a job by its place. */
export function hue(place: number): string {
  const hues = HUES[shownTheme.value];
  return hues[place % hues.length] ?? "";
}

/** Metrics that trials of every front have. */
export function common(fronts: readonly Front[]): string[] {
  const sets = fronts.flatMap(({ trials }) => trials.map((trial) => new Set(Object.keys(figures(trial)))));
  return [...(sets[0] ?? [])].filter((name) => sets.every((set) => set.has(name)));
}

/** The corner points of a front over two of its objectives, as steps; none for other axes. */
function stairs(front: Front, marks: readonly [number, number][], x: string, y: string): [number, number][] {
  const [dx, dy] = [x, y].map((metric) => front.job.spec.objectives.find((one) => one.metric === metric)?.direction);
  if (dx === undefined || dy === undefined || x === y) return [];
  const [sx, sy] = [dx === "minimize" ? 1 : -1, dy === "minimize" ? 1 : -1];
  const line: [number, number][] = [];
  let best = Infinity;
  for (const mark of [...marks].sort((a, b) => sx * (a[0] - b[0]) || sy * (a[1] - b[1]))) {
    if (sy * mark[1] >= best) continue;
    best = sy * mark[1];
    line.push(mark);
  }
  return line;
}

/** The drawing. */
export function frontsOption(fronts: readonly Front[], x: string, y: string): EChartsCoreOption {
  const look = colours();
  const marks = fronts.map(({ trials }) => trials.map((trial): [number, number] => [figures(trial)[x] ?? NaN, figures(trial)[y] ?? NaN]));
  const all = marks.flat();
  const log = (values: readonly number[]): boolean => values.length > 1 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 8;
  const [xs, ys] = [all.map(([value]) => value), all.map(([, value]) => value)];
  const made = (values: readonly number[], metric: string, vertical: boolean) =>
    axis({ name: metricLabel(metric), log: log(values), extent: extent(values, log(values)), categories: null, vertical }, look);
  return {
    animation: false,
    grid: { left: 72, right: 24, top: 20, bottom: 44 },
    xAxis: made(xs, x, false),
    yAxis: made(ys, y, true),
    tooltip: {
      trigger: "item",
      backgroundColor: look.card,
      borderColor: look.line,
      textStyle: { color: look.ink, fontFamily: look.font, fontSize: 12.5 },
      formatter: ({ data }: { data: { says?: string } }) => data.says ?? "",
    },
    series: fronts.flatMap((front, place) => [
      { id: `stairs ${place}`, type: "line", step: "end", data: stairs(front, marks[place] ?? [], x, y), symbol: "none", silent: true, z: 1, lineStyle: { color: hue(place), width: 1.8, opacity: 0.6 } },
      {
        id: `front ${place}`,
        type: "scatter",
        symbolSize: 10,
        z: 2,
        itemStyle: { color: hue(place), borderColor: look.card, borderWidth: 1.2 },
        data: front.trials.map((trial, i) => ({ id: trial.id, value: marks[place]?.[i], says: `${escaped(front.name)}, trial ${trial.number}<br>${metricLabel(x)} ${figure(marks[place]?.[i]?.[0])}<br>${metricLabel(y)} ${figure(marks[place]?.[i]?.[1])}` })),
      },
    ]),
  };
}

/** Names come from users, and the card that hovers is markup. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
