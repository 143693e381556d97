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

/** The drawing, and which trial each mark of each series is. */
export interface Drawing {
  option: EChartsCoreOption;
  trials: readonly (readonly Point[])[];
  /** Limits too far away to be drawn. */
  beyond: readonly Limit[];
}

export interface Plot {
  x: Field;
  y: Field;
  logX: boolean;
  logY: boolean;
  canLogX: boolean;
  canLogY: boolean;
  colour: ColourScale | null;
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
  const marks: Placed[] = [];
  for (const point of view.points.value) {
    const [px, py] = [visible(coordinate(x, point), logX), visible(coordinate(y, point), logY)];
    if (px !== null && py !== null) marks.push({ point, x: px, y: py });
  }
  return marks;
}

/** Trials whose y was not reached stand on the x axis: they were given up before, or still run. */
function onTheAxis(view: JobView, { x, y, logX, logY }: Plot, range: Extent, bottom: number): Placed[] {
  const marks: Placed[] = [];
  for (const point of view.points.value) {
    const px = visible(coordinate(x, point), logX);
    if (px !== null && px >= range.low && px <= range.high && visible(coordinate(y, point), logY) === null) marks.push({ point, x: px, y: bottom });
  }
  return marks;
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
function stairs(view: JobView, { x, y }: Plot, marks: readonly Placed[], end: Extent): [number, number][] {
  const direction = (field: Field) => view.spec.objectives.find(({ metric }) => metric === field.key)?.direction;
  const [dx, dy] = [direction(x), direction(y)];
  if (dx === undefined || dy === undefined || x === y) return [];
  const [sx, sy] = [dx === "minimize" ? 1 : -1, dy === "minimize" ? 1 : -1];
  // A corner over two objectives is on the front over all of them, so no other trial is looked at.
  const good = marks.filter(({ point }) => view.front.value.has(point.number)).sort((a, b) => sx * (a.x - b.x) || sy * (a.y - b.y));
  const line: [number, number][] = [];
  let best = Infinity;
  for (const mark of good) {
    if (sy * mark.y >= best) continue;
    best = sy * mark.y;
    line.push([mark.x, mark.y]);
  }
  const last = line.at(-1);
  // On to the end of the plot: what lies behind the last corner is dominated by it.
  if (last !== undefined) line.push([dx === "minimize" ? end.high : end.low, last[1]]);
  return line;
}

/** Marks that look alike: one shape, one colour. They are drawn as one path, ten thousand as quickly as ten. */
interface Group {
  fate: Fate;
  colour: string;
  marks: readonly Placed[];
}

function grouped(view: JobView, plot: Plot, marks: readonly Placed[], look: Colours): Group[] {
  const groups = new Map<Fate, Map<string, Placed[]>>();
  for (const mark of marks) {
    const of = fate(view, mark.point);
    const shade = of === "infeasible" ? null : (plot.colour?.of(mark.point) ?? null);
    const colour = shade ?? fateColour(look, of);
    const alike = groups.get(of) ?? new Map<string, Placed[]>();
    groups.set(of, alike);
    const group = alike.get(colour);
    if (group === undefined) alike.set(colour, [mark]);
    else group.push(mark);
  }
  return [...groups].flatMap(([of, alike]) => [...alike].map(([colour, all]) => ({ fate: of, colour, marks: all })));
}

/** The same, those of trials that are filtered away apart from the others. */
function filtered(groups: readonly Group[], shown: ReadonlySet<number> | null): { bright: Group[]; quiet: Group[] } {
  if (shown === null) return { bright: [...groups], quiet: [] };
  const part = (kept: boolean): Group[] =>
    groups.map((group) => ({ ...group, marks: group.marks.filter(({ point }) => shown.has(point.number) === kept) })).filter(({ marks }) => marks.length > 0);
  return { bright: part(true), quiet: part(false) };
}

function series({ fate: of, colour, marks }: Group, quiet: boolean, look: Colours): Record<string, unknown> {
  const { symbol, size, z } = SHAPES[of];
  const data = new Float64Array(marks.length * 2);
  marks.forEach(({ x, y }, i) => {
    data[2 * i] = x;
    data[2 * i + 1] = y;
  });
  const border = of === "front" && !quiet ? { borderColor: look.card, borderWidth: 1.5 } : {};
  return {
    type: "scatter",
    dimensions: ["x", "y"],
    data,
    large: true,
    largeThreshold: 0,
    symbol,
    symbolSize: size,
    z: quiet ? 1 : z,
    animation: false,
    itemStyle: { color: quiet ? look.quiet : colour, opacity: quiet ? 0.12 : of === "front" ? 1 : 0.75, ...border },
  };
}

function halo(at: Point | null, plot: Plot, look: Colours): Record<string, unknown> {
  const [x, y] = at === null ? [null, null] : [coordinate(plot.x, at), coordinate(plot.y, at)];
  const data = x === null || y === null ? [] : [[x, y]];
  return { id: "halo", type: "scatter", silent: true, data, symbol: "circle", symbolSize: 22, z: 5, animation: false, itemStyle: { color: "transparent", borderColor: look.ink, borderWidth: 2 } };
}

/** What of the drawing neither a filter nor the keyboard changes. */
export interface Scene {
  plot: Plot;
  look: Colours;
  groups: readonly Group[];
  fixed: Record<string, unknown>;
  series: readonly Record<string, unknown>[];
  beyond: readonly Limit[];
}

/** Where everything stands. */
export function paretoScene(view: JobView, plot: Plot, catalogue: ReadonlyMap<string, Device>): Scene {
  const look = colours();
  const { x, y, logX, logY } = plot;
  const marks = placed(view, plot);
  const devices = devicesOf(view.spec, catalogue);
  const overX = withLimits(extent(marks.map((mark) => mark.x), logX), logX, limits(x.key, view.spec, devices));
  const overY = withLimits(extent(marks.map((mark) => mark.y), logY), logY, limits(y.key, view.spec, devices));
  const lines = { id: "limits", type: "scatter", data: [], markLine: limitLines(overX.drawn, overY.drawn, look) };
  const lineStyle = { color: look.front, width: 1.8, opacity: 0.7 };
  const steps = { id: "stairs", type: "line", step: "end", data: stairs(view, plot, marks, overX.range), symbol: "none", silent: true, z: 1, animation: false, lineStyle };
  const zoom = { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true };
  const fixed = {
    animation: false,
    grid: { left: 68, right: 24, top: 20, bottom: 44, outerBoundsMode: "none" },
    xAxis: axis({ name: x.label, log: logX, extent: overX.range, categories: x.categories, vertical: false }, look),
    yAxis: axis({ name: y.label, log: logY, extent: overY.range, categories: y.categories, vertical: true }, look),
    // The brush only draws its line: what lies inside is decided by numbers, in `enclosed`.
    brush: { toolbox: [], xAxisIndex: 0, yAxisIndex: 0, seriesIndex: [], throttleType: "debounce", throttleDelay: 1000, brushStyle: { color: "transparent", borderColor: look.accent, borderWidth: 1.5 } },
    dataZoom: [
      { ...zoom, xAxisIndex: 0 },
      { ...zoom, yAxisIndex: 0 },
    ],
  };
  const groups = grouped(view, plot, [...marks, ...onTheAxis(view, plot, overX.range, overY.range.low)], look);
  return { plot, look, groups, fixed, series: [lines, steps], beyond: [...overX.beyond, ...overY.beyond] };
}

/** The drawing. `at` is the trial that the keyboard stands on. */
export function paretoDrawing(view: JobView, scene: Scene | null, at: Point | null): Drawing {
  if (scene === null) return { option: {}, trials: [], beyond: [] };
  const { plot, look } = scene;
  const { bright, quiet } = filtered(scene.groups, view.filtered.value ? view.shownNumbers.value : null);
  const trials = [...quiet, ...bright].map((group) => group.marks.map(({ point }) => point));
  const option = {
    ...scene.fixed,
    tooltip: {
      ...PLAIN_TOOLTIP,
      trigger: "item",
      formatter: ({ seriesIndex, dataIndex }: { seriesIndex: number; dataIndex: number }) => hoverCard(view, trials[seriesIndex]?.[dataIndex], plot),
    },
    series: [...quiet.map((group) => series(group, true, look)), ...bright.map((group) => series(group, false, look)), ...scene.series, halo(at, plot, look)],
  };
  return { option, trials, beyond: scene.beyond };
}

const PLAIN_TOOLTIP = { className: "hover-card", backgroundColor: "transparent", borderWidth: 0, padding: 0, transitionDuration: 0 };
