/** The Pareto plot as ECharts wants it. */
import { axis, type Extent, extent } from "../charts/axes";
import { type Colours, colours } from "../charts/colours";
import type { EChartsCoreOption } from "../charts/echarts";
import { inside } from "../charts/inside";
import { hoverCard } from "./hover";
import { devicesOf, type Limit, limits } from "./limits";
import type { Device, Point } from "../service/types";
import { coordinate, type Field } from "./fields";
import { type ColourScale, type Fate, fate, fateColour } from "./marks";
import type { JobView } from "./view";

export interface Plot {
  x: Field;
  y: Field;
  logX: boolean;
  logY: boolean;
  colour: ColourScale | null;
}

interface Mark {
  id: string;
  value: [number, number];
  itemStyle: { color: string; opacity: number };
}

const SHAPES: Record<Fate, { symbol: string; size: number; z: number }> = {
  infeasible: { symbol: "triangle", size: 8, z: 2 },
  failed: { symbol: "triangle", size: 8, z: 2 },
  pending: { symbol: "emptyCircle", size: 7, z: 2 },
  feasible: { symbol: "circle", size: 7, z: 3 },
  front: { symbol: "circle", size: 11, z: 4 },
};

interface Placed {
  point: Point;
  x: number;
  y: number;
}

function visible(value: number | null, log: boolean): number | null {
  return value === null || (log && value <= 0) ? null : value;
}

/** Trials that have both values. */
function placed(view: JobView, { x, y, logX, logY }: Plot): Placed[] {
  return view.points.value.flatMap((point) => {
    const [px, py] = [visible(coordinate(x, point), logX), visible(coordinate(y, point), logY)];
    return px === null || py === null ? [] : [{ point, x: px, y: py }];
  });
}

/** Numbers of the trials inside a closed line that was drawn over the plot. */
export function enclosed(view: JobView, plot: Plot, line: readonly (readonly [number, number])[]): Set<number> {
  const bend = ([x, y]: readonly [number, number]): [number, number] => [plot.logX ? Math.log(x) : x, plot.logY ? Math.log(y) : y];
  const bent = line.map(bend);
  return new Set(placed(view, plot).filter(({ x, y }) => inside(bend([x, y]), bent)).map(({ point }) => point.number));
}

/** Limits near the marks stretch the axis so that they are seen; those far away are said in words. */
function withLimits(range: Extent, log: boolean, lines: readonly Limit[]): { range: Extent; drawn: Limit[]; beyond: Limit[] } {
  const [low, high] = log ? [Math.log(range.low), Math.log(range.high)] : [range.low, range.high];
  const reach = (high - low) * 0.35;
  const at = (value: number): number => (log ? Math.log(Math.max(value, 1e-300)) : value);
  const drawn = lines.filter(({ value }) => at(value) >= low - reach && at(value) <= high + reach);
  const values = drawn.map(({ value }) => value);
  const wide = values.length === 0 ? range : extent([range.low, range.high, ...values], log);
  return { range: values.every((value) => value >= range.low && value <= range.high) ? range : wide, drawn, beyond: lines.filter((line) => !drawn.includes(line)) };
}

function limitLines(x: readonly Limit[], y: readonly Limit[], look: Colours): Record<string, unknown> {
  const label = (words: string, vertical: boolean): Record<string, unknown> => ({
    formatter: words,
    color: look.limit,
    fontFamily: look.font,
    fontSize: 11,
    position: vertical ? "insideEndTop" : "insideStartTop",
  });
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: look.limit, type: [6, 4], width: 1.4 },
    data: [...x.map(({ value, words }) => ({ xAxis: value, label: label(words, true) })), ...y.map(({ value, words }) => ({ yAxis: value, label: label(words, false) }))],
  };
}

/** The corner points of the front over two objectives, as steps. */
function stairs(view: JobView, { x, y }: Plot, marks: readonly Placed[]): [number, number][] {
  const direction = (field: Field) => view.spec.objectives.find(({ metric }) => metric === field.key)?.direction;
  const [dx, dy] = [direction(x), direction(y)];
  if (dx === undefined || dy === undefined || x === y) return [];
  const [sx, sy] = [dx === "minimize" ? 1 : -1, dy === "minimize" ? 1 : -1];
  const good = marks.filter(({ point }) => view.feasible.value.has(point.number)).sort((a, b) => sx * (a.x - b.x) || sy * (a.y - b.y));
  const line: [number, number][] = [];
  let best = Infinity;
  for (const mark of good) {
    if (sy * mark.y >= best) continue;
    best = sy * mark.y;
    line.push([mark.x, mark.y]);
  }
  return line;
}

function series(view: JobView, plot: Plot, marks: readonly Placed[], look: Colours): Record<string, unknown>[] {
  const dim = view.filtered.value ? view.shownNumbers.value : null;
  const groups: Record<Fate, Mark[]> = { infeasible: [], failed: [], pending: [], feasible: [], front: [] };
  for (const { point, x, y } of marks) {
    const of = fate(view, point);
    const quiet = dim !== null && !dim.has(point.number);
    const colour = of === "infeasible" ? null : (plot.colour?.of(point) ?? null);
    const opacity = quiet ? 0.1 : of === "front" ? 1 : 0.72;
    groups[of].push({ id: point.id, value: [x, y], itemStyle: { color: quiet ? look.quiet : (colour ?? fateColour(look, of)), opacity } });
  }
  return (Object.keys(groups) as Fate[]).map((of) => ({
    id: of,
    type: "scatter",
    symbol: SHAPES[of].symbol,
    symbolSize: SHAPES[of].size,
    z: SHAPES[of].z,
    data: groups[of],
    animation: false,
    itemStyle: of === "front" ? { borderColor: look.card, borderWidth: 1.5 } : {},
    emphasis: { scale: 1.5, itemStyle: { borderColor: look.ink, borderWidth: 1.5 } },
    // The brush only draws its area: what lies inside is decided by numbers, in `enclosed`.
    progressive: 0,
  }));
}

function halo(at: Point | null, plot: Plot, look: Colours): Record<string, unknown> {
  const [x, y] = at === null ? [null, null] : [coordinate(plot.x, at), coordinate(plot.y, at)];
  const data = x === null || y === null ? [] : [[x, y]];
  return { id: "halo", type: "scatter", silent: true, data, symbol: "circle", symbolSize: 22, z: 5, animation: false, itemStyle: { color: "transparent", borderColor: look.ink, borderWidth: 2 } };
}

/** The drawing. `at` is the trial that the keyboard stands on. */
export function paretoOption(view: JobView, plot: Plot | null, catalogue: ReadonlyMap<string, Device>, at: Point | null): EChartsCoreOption {
  if (plot === null) return {};
  const look = colours();
  const { x, y, logX, logY } = plot;
  const marks = placed(view, plot);
  const devices = devicesOf(view.spec, catalogue);
  const [overX, overY] = [x, y].map((field, i) => {
    const values = marks.map((mark) => (i === 0 ? mark.x : mark.y));
    const log = i === 0 ? logX : logY;
    return withLimits(extent(values, log), log, limits(field.key, view.spec, devices));
  }) as [ReturnType<typeof withLimits>, ReturnType<typeof withLimits>];
  const byId = new Map(view.points.value.map((point) => [point.id, point]));
  const lines = { id: "limits", type: "scatter", data: [], markLine: limitLines(overX.drawn, overY.drawn, look) };
  const steps = { id: "stairs", type: "line", step: "end", data: stairs(view, plot, marks), symbol: "none", silent: true, z: 1, animation: false, lineStyle: { color: look.front, width: 1.6, opacity: 0.55 } };
  return {
    animation: false,
    grid: { left: 68, right: 24, top: 20, bottom: 44 },
    xAxis: axis({ name: x.label, log: logX, extent: overX.range, categories: x.categories, vertical: false }, look),
    yAxis: axis({ name: y.label, log: logY, extent: overY.range, categories: y.categories, vertical: true }, look),
    tooltip: { trigger: "item", className: "hover-card", backgroundColor: "transparent", borderWidth: 0, padding: 0, transitionDuration: 0, formatter: ({ data }: { data: { id?: string } }) => hoverCard(view, byId.get(data.id ?? ""), plot) },
    brush: { toolbox: [], xAxisIndex: 0, yAxisIndex: 0, throttleType: "debounce", throttleDelay: 1000, brushStyle: { color: "transparent", borderColor: look.accent, borderWidth: 1.5 }, outOfBrush: {}, inBrush: {} },
    dataZoom: [
      { type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true },
      { type: "inside", yAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true },
    ],
    series: [lines, steps, ...series(view, plot, marks, look), halo(at, plot, look)],
  };
}
