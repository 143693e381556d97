/** Decisions of every layer as parallel axes; a range drawn on an axis is a filter of the whole page. */
import { computed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Chart } from "../charts/chart";
import { colours } from "../charts/colours";
import type { ECharts, EChartsCoreOption } from "../charts/echarts";
import { Button, Card, Choice } from "../parts/basics";
import { figure, short } from "../parts/format";
import type { Point } from "../service/types";
import { coordinate, type Field } from "./fields";
import { ColourScale } from "./marks";
import type { JobView } from "./view";

const GROUPS = [
  { value: "weights", label: "Bits of weights" },
  { value: "activations", label: "Bits of activations" },
  { value: "in", label: "Lanes in" },
  { value: "out", label: "Lanes out" },
  { value: "device", label: "Devices" },
] as const;
type Group = (typeof GROUPS)[number]["value"];

/** As many axes as can be told apart in the width of the page. */
const MOST = 16;
/** As many lines as can be told apart at all; the front and what is filtered come first. */
const LINES = 600;

/** Values of an axis in order: places of categories, or the few numbers that occur. */
function levels(field: Field, points: readonly Point[]): readonly string[] | null {
  if (field.categories !== null) return field.categories;
  if (field.group !== "Decisions") return null;
  const values = new Set(points.map((point) => field.of(point)));
  values.delete(null);
  return [...values].map(Number).sort((a, b) => a - b).map(String);
}

interface Axis {
  field: Field;
  levels: readonly string[] | null;
}

/** Where a trial crosses an axis. */
function crossing({ field, levels: at }: Axis, point: Point): number | null {
  const value = field.of(point);
  if (at === null || value === null) return coordinate(field, point);
  const place = at.indexOf(String(value));
  return place < 0 ? null : place;
}

function axisOption({ field, levels: at }: Axis, index: number, look: ReturnType<typeof colours>): Record<string, unknown> {
  const places = at === null ? { scale: true } : { min: -0.4, max: at.length - 0.6, interval: 1 };
  const label = (value: number): string => (at === null ? short(value) : (at[value] ?? ""));
  return {
    id: field.key,
    dim: index,
    name: field.label,
    nameLocation: "end",
    nameTextStyle: { color: look.ink, fontFamily: look.font, fontSize: 11.5, fontWeight: 560, width: 92, overflow: "break", lineHeight: 14 },
    type: "value",
    ...places,
    axisLine: { lineStyle: { color: look.quiet, opacity: 0.6 } },
    axisTick: { show: false },
    splitLine: { show: false },
    axisLabel: { color: look.quiet, fontFamily: look.font, fontSize: 11, formatter: label, backgroundColor: look.card, padding: [1, 3], borderRadius: 3, showMinLabel: true, showMaxLabel: true, customValues: at?.map((_, i) => i) },
    realtime: false,
    areaSelectStyle: { width: 18, color: look.accent, borderColor: look.accent, opacity: 0.2, borderWidth: 1 },
  };
}

/** Trials to draw: all, or the front, what is shown and an even choice of the rest. */
function drawn(view: JobView): { bright: Point[]; dim: Point[]; left: number } {
  const chosen = view.filtered.value ? view.shownNumbers.value : view.feasible.value;
  const thin = (points: Point[], room: number): Point[] => {
    const step = Math.ceil(points.length / Math.max(room, 1));
    return step <= 1 ? points : points.filter((point, i) => i % step === 0 || view.front.value.has(point.number));
  };
  const all = view.points.value;
  const bright = thin(all.filter(({ number }) => chosen.has(number)), LINES * 0.7);
  const dim = thin(all.filter(({ number }) => !chosen.has(number)), LINES * 0.3);
  return { bright, dim, left: all.length - bright.length - dim.length };
}

/** Lines of one colour as one series: a style for each line takes longer than the line. */
function lines(points: readonly Point[], axes: readonly Axis[], colour: string, opacity: number): Record<string, unknown> {
  const data = points.map((point) => axes.map((axis) => crossing(axis, point) ?? "-"));
  return { type: "parallel", data, animation: false, silent: true, lineStyle: { color: colour, width: 1.3, opacity }, activeOpacity: opacity, inactiveOpacity: opacity, progressive: 0 };
}

function byColour(points: readonly Point[], colour: (point: Point) => string): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = colour(point);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  return groups;
}

export function Parallel({ view, colour }: { view: JobView; colour: string }) {
  const group = useSignal<Group>("weights");
  const chart = useRef<ECharts | null>(null);
  const axes = useMemo(
    () =>
      computed(() => {
        const decisions = view.fields.value.filter(({ key }) => key.startsWith(`${group.value}:`)).slice(0, MOST - view.spec.objectives.length);
        const goals = view.spec.objectives.flatMap(({ metric }) => view.byKey.value.get(metric) ?? []);
        return [...decisions, ...goals].map((field) => ({ field, levels: levels(field, view.points.value) }));
      }),
    [view],
  );
  const chosen = useMemo(() => computed(() => drawn(view)), [view]);
  const option = useMemo(
    () =>
      computed((): EChartsCoreOption => {
        const look = colours();
        const { bright, dim } = chosen.value;
        const field = view.byKey.value.get(colour);
        const scale = field === undefined ? null : new ColourScale(field, bright);
        const opacity = Math.max(0.25, Math.min(0.8, 60 / Math.sqrt(bright.length * 40)));
        return {
          animation: false,
          parallel: { left: 46, right: 60, top: 52, bottom: 22, axisExpandable: false },
          parallelAxis: axes.value.map((axis, i) => axisOption(axis, i, look)),
          series: [
            lines(dim, axes.value, look.quiet, 0.1),
            ...[...byColour(bright, (point) => scale?.of(point) ?? look.front)].map(([shade, group]) => lines(group, axes.value, shade, opacity)),
          ],
        };
      }),
    [view, colour],
  );
  const ready = (made: ECharts): void => {
    chart.current = made;
    made.on("axisareaselected", (event) => {
      const { parallelAxisId: key, intervals } = event as unknown as { parallelAxisId: string; intervals: [number, number][] };
      const axis = axes.peek().find(({ field }) => field.key === key);
      const [interval] = intervals;
      if (axis !== undefined) view.range(key, interval === undefined ? null : asRange(axis, interval));
    });
  };
  const ranges = view.ranges.value;
  const before = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const removed = [...before.current].filter((key) => !ranges.has(key));
    before.current = new Set(ranges.keys());
    for (const key of removed) chart.current?.dispatchAction({ type: "axisAreaSelect", parallelAxisId: key, intervals: [] });
  }, [ranges]);
  const choices = GROUPS.filter(({ value }) => view.fields.value.some(({ key }) => key.startsWith(`${value}:`)));
  if (choices.length === 0) return null;
  if (!choices.some(({ value }) => value === group.value)) group.value = choices[0]?.value ?? "weights";
  const { left } = chosen.value;
  const note = left > 0 ? `${figure(view.points.value.length - left)} of ${figure(view.points.value.length)} lines, the front among them` : "draw along an axis to filter";
  return (
    <Card title="Decisions by layer" note={note} class="parallel" actions={<Choice label="Axes" value={group.value} options={choices} onChange={(value) => (group.value = value)} />}>
      <div class="wide-plot">
        <Chart label={`Parallel coordinates of ${axes.value.length} axes: ${axes.value.map(({ field }) => field.label).join(", ")}. The filters above do the same with a keyboard.`} option={option} height={300} onReady={ready} />
      </div>
      {[...ranges.keys()].some((key) => axes.value.some(({ field }) => field.key === key)) && (
        <Button onClick={() => axes.value.forEach(({ field }) => view.range(field.key, null))}>Clear the axes</Button>
      )}
    </Card>
  );
}

/** An interval on the screen as a range of the field: places of the few numbers that occur are those numbers. */
function asRange({ field, levels: at }: Axis, [a, b]: readonly [number, number]): readonly [number, number] | null {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (at === null) return [low, high];
  const places = at.map((_, i) => i).filter((i) => i >= low && i <= high);
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return null;
  return field.categories === null ? [Number(at[first]), Number(at[last])] : [first, last];
}
