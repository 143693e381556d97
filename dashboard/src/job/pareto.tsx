/** Trials as marks over two fields: the live Pareto plot. */
import { computed, type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { go, keep, place } from "../app/router";
import { Chart } from "../charts/chart";
import { scale } from "../charts/colours";
import type { ECharts } from "../charts/echarts";
import { Button, Card, Choice } from "../parts/basics";
import { figure } from "../parts/format";
import { catalogue } from "../service/devices";
import type { Point } from "../service/types";
import { type Field, rangeOf, textOf } from "./fields";
import { fate, FATES, ColourScale } from "./marks";
import { enclosed, paretoDrawing, paretoScene, type Plot } from "./pareto_option";
import { ClockSlider } from "./clock";
import type { JobView } from "./view";

/** The field that a setting names, or the one that the objectives suggest. */
function pick(view: JobView, given: string, objective: number): Field | undefined {
  const { byKey, fields } = view;
  const suggested = view.spec.objectives.at(objective)?.metric ?? "number";
  return byKey.value.get(given) ?? byKey.value.get(suggested) ?? fields.value[0];
}

const ASKED = ["x", "y", "xs", "ys", "colour"] as const;

/** Whether a field can have a logarithmic axis, and whether it is better shown by one: over more than a decade and a half. */
function logarithmic(field: Field, points: readonly Point[]): { can: boolean; better: boolean } {
  const { low, high } = rangeOf(field, points);
  const can = field.categories === null && low > 0;
  return { can, better: can && high / low > 30 };
}

/** What is plotted, as the address says. */
function usePlot(view: JobView): Signal<Plot | null> {
  return useMemo(
    () => {
      // Of an address that filters change, too, only what is read here.
      const asked = computed(() => ASKED.map((name) => `${name}=${encodeURIComponent(place.value.query.get(name) ?? "")}`).join("&"));
      return computed(() => {
        const query = new URLSearchParams(asked.value);
        const [x, y] = [pick(view, query.get("x") ?? "", -1), pick(view, query.get("y") ?? "", 0)];
        if (x === undefined || y === undefined) return null;
        const colour = query.get("colour") ?? "";
        const third = view.spec.objectives.length > 2 ? view.spec.objectives[1]?.metric : undefined;
        const key = colour === "" ? (third ?? "") : colour;
        const field = view.byKey.value.get(key);
        const points = view.points.value;
        const [overX, overY] = [logarithmic(x, points), logarithmic(y, points)];
        const wish = (name: string, { can, better }: typeof overX): boolean => can && (query.get(name) || (better ? "log" : "linear")) === "log";
        return { x, y, logX: wish("xs", overX), logY: wish("ys", overY), canLogX: overX.can, canLogY: overY.can, colour: field === undefined ? null : new ColourScale(field, points) };
      }) as Signal<Plot | null>;
    },
    [view],
  );
}

function Legend({ view, plot }: { view: JobView; plot: Plot }) {
  const counts = useComputed(() => {
    const found = new Map<string, number>();
    for (const point of view.points.value) {
      const of = fate(view, point);
      found.set(of, (found.get(of) ?? 0) + 1);
    }
    return found;
  });
  const { colour } = plot;
  return (
    <div class="legend">
      {FATES.filter((name) => name === "front" || (counts.value.get(name) ?? 0) > 0).map((name) => (
        <span key={name} class={`mark mark-${name}`}>
          {name === "front" ? "on the front" : name} <b>{figure(counts.value.get(name) ?? 0)}</b>
        </span>
      ))}
      {colour !== null && (
        <span class="ramp">
          <span>{colour.field.label}</span>
          <span>{colour.field.categories?.[0] ?? figure(colour.low)}</span>
          <span class="ramp-steps" aria-hidden="true">
            {scale().map((step) => (
              <i key={step} style={{ background: step }} />
            ))}
          </span>
          <span>{colour.field.categories?.at(-1) ?? figure(colour.high)}</span>
        </span>
      )}
    </div>
  );
}

function FieldChoice({ label, view, value, extra, onChange }: { label: string; view: JobView; value: string; extra?: string; onChange: (key: string) => void }) {
  const options = view.fields.value
    .filter(({ categories }) => categories?.length !== 0)
    .map(({ key, label, group }) => ({ value: key, label, group }));
  const first = extra === undefined ? [] : [{ value: "state", label: extra }];
  return <Choice label={label} value={value} options={[...first, ...options]} onChange={onChange} />;
}

/** Arrow keys go along the front, Enter opens the trial. */
function useWalk(view: JobView, plot: Signal<Plot | null>): { at: Signal<Point | null>; onKeyDown: (event: KeyboardEvent) => void } {
  const at = useSignal<Point | null>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const axis = plot.value?.x;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[event.key];
    if (event.key === "Enter" && at.value !== null) go(`/trials/${at.value.id}`);
    if (step === undefined || axis === undefined) return;
    event.preventDefault();
    const walk = view.points.value.filter(({ number }) => view.front.value.has(number)).sort((a, b) => Number(axis.of(a)) - Number(axis.of(b)));
    const now = walk.findIndex(({ number }) => number === at.value?.number);
    at.value = walk[Math.min(walk.length - 1, Math.max(0, now + step))] ?? null;
  };
  return { at, onKeyDown };
}

export function Pareto({ view }: { view: JobView }) {
  const plot = usePlot(view);
  const chart = useRef<ECharts | null>(null);
  const lasso = useSignal(false);
  const { at, onKeyDown } = useWalk(view, plot);
  const stamp = useComputed(() => `${view.points.value.length} trials, ${view.shown.value.length} shown`);
  const scene = useMemo(() => computed(() => (plot.value === null ? null : paretoScene(view, plot.value, catalogue.value))), [view]);
  const drawing = useMemo(() => computed(() => paretoDrawing(view, scene.value, at.value)), [view]);
  const option = useMemo(() => computed(() => drawing.value.option), [view]);
  const beyond = useComputed(() => drawing.value.beyond);
  useEffect(() => {
    chart.current?.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: lasso.value ? "polygon" : false, brushMode: "single" } });
  }, [lasso.value]);
  useEffect(() => {
    if (view.lasso.value === null) chart.current?.dispatchAction({ type: "brush", areas: [] });
  }, [view.lasso.value]);
  const ready = (made: ECharts): void => {
    chart.current = made;
    made.on("click", (event) => {
      const trial = drawing.peek().trials[event.seriesIndex ?? -1]?.[event.dataIndex];
      if (trial !== undefined && !lasso.peek()) go(`/trials/${trial.id}`);
    });
    made.on("brushEnd", (event) => {
      const [area] = (event as unknown as { areas: { coordRange: [number, number][] }[] }).areas;
      const drawn = plot.peek();
      if (area === undefined || drawn === null) return;
      const numbers = enclosed(view, drawn, area.coordRange);
      view.lasso.value = numbers.size === 0 ? null : numbers;
      lasso.value = false;
    });
  };
  const shown = plot.value;
  if (shown === null) return null;
  const { x, y } = shown;
  const label = `Scatter of ${y.label} over ${x.label}: ${view.points.value.length} trials, ${view.front.value.size} on the front. Arrow keys go along the front, Enter opens a trial.`;
  const toggle = (name: string, on: boolean): void => keep({ [name]: on ? "linear" : "log" });
  return (
    <Card
      title="Pareto plot"
      class="pareto"
      note={beyond.value.length > 0 && `Beyond the plot: ${beyond.value.map(({ words }) => words).join(", ")}`}
      actions={
        <Button icon="lasso" pressed={lasso.value} onClick={() => (lasso.value = !lasso.value)}>
          Lasso
        </Button>
      }
    >
      <div class="axes">
          <FieldChoice label="X" view={view} value={x.key} onChange={(key) => keep({ x: key, xs: "" })} />
          <Button kind="small" pressed={shown.logX} disabled={!shown.canLogX} name="Logarithmic x axis" onClick={() => toggle("xs", shown.logX)}>
            log
          </Button>
          <FieldChoice label="Y" view={view} value={y.key} onChange={(key) => keep({ y: key, ys: "" })} />
          <Button kind="small" pressed={shown.logY} disabled={!shown.canLogY} name="Logarithmic y axis" onClick={() => toggle("ys", shown.logY)}>
            log
          </Button>
          <FieldChoice label="Colour" view={view} value={shown.colour?.field.key ?? "state"} extra="what became of it" onChange={(key) => keep({ colour: key })} />
      </div>
      <Chart label={label} option={option} height={462} stamp={stamp} onReady={ready} onKeyDown={onKeyDown} />
      <Legend view={view} plot={shown} />
      <ClockSlider view={view} />
      <p class="hidden-text" aria-live="polite">
        {at.value !== null && `Trial ${at.value.number}: ${x.label} ${textOf(x, at.value)}, ${y.label} ${textOf(y, at.value)}`}
      </p>
    </Card>
  );
}
