/** How good the job became, over trials and over time, and since when it gains nothing. */
import { computed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { axis } from "../charts/axes";
import { Chart } from "../charts/chart";
import { colours } from "../charts/colours";
import type { EChartsCoreOption } from "../charts/echarts";
import { Button, Card } from "../parts/basics";
import { count, figure, span } from "../parts/format";
import { catalogue } from "../service/devices";
import { history, stall, type VolumeStep } from "./hypervolume";
import { devicesOf } from "./limits";
import type { JobView } from "./view";

type Over = "trials" | "seconds";

/** A stall is marked when it takes up this share of the job. */
const LONG = 0.1;

/** Since when nothing was gained, when that is long. */
function stalled(steps: readonly VolumeStep[], over: Over): { from: number; end: number } | null {
  const [from, end] = [stall(steps), steps.at(-1)];
  if (from === null || end === undefined || end[over] - from[over] < LONG * end[over]) return null;
  return { from: from[over], end: end[over] };
}

function stallArea(steps: readonly VolumeStep[], over: Over, colour: string): Record<string, unknown> {
  const found = stalled(steps, over);
  if (found === null) return {};
  return {
    markArea: { silent: true, itemStyle: { color: colour, opacity: 0.14 }, data: [[{ xAxis: found.from }, { xAxis: found.end }]] },
    markLine: { silent: true, symbol: "none", label: { show: false }, animation: false, lineStyle: { color: colour, type: "dashed", width: 1.4 }, data: [{ xAxis: found.from }] },
  };
}

function option(steps: readonly VolumeStep[], over: Over): EChartsCoreOption {
  const look = colours();
  const [end, top] = [steps.at(-1)?.[over] ?? 1, steps.at(-1)?.hypervolume ?? 0];
  const plain = { log: false, categories: null };
  const style = { color: look.accent, width: 2 };
  const name = over === "trials" ? "trials that ended" : "seconds";
  return {
    animation: false,
    grid: { left: 56, right: 16, top: 14, bottom: 40 },
    xAxis: axis({ ...plain, name, extent: { low: 0, high: Math.max(end, 1) }, vertical: false }, look),
    yAxis: { ...axis({ ...plain, name: "", extent: { low: 0, high: top * 1.1 || 1 }, vertical: true }, look), splitNumber: 4 },
    tooltip: { trigger: "axis", className: "hover-card", backgroundColor: "transparent", borderWidth: 0, padding: 0, formatter: (found: { dataIndex: number }[]) => hover(steps[found[0]?.dataIndex ?? 0]) },
    series: [
      {
        id: "volume",
        type: "line",
        step: "end",
        symbol: "none",
        lineStyle: style,
        itemStyle: { color: look.accent },
        areaStyle: { color: look.accent, opacity: 0.12 },
        data: steps.map((step) => [step[over], step.hypervolume]),
        ...stallArea(steps, over, look.infeasible),
      },
    ],
  };
}

function hover(step: VolumeStep | undefined): HTMLElement | string {
  if (step === undefined) return "";
  const card = document.createElement("div");
  card.className = "hover";
  card.textContent = `${figure(step.hypervolume)} after ${count(step.trials, "trial")}, ${span(step.seconds)}`;
  return card;
}

export function Volume({ view }: { view: JobView }) {
  const over = useSignal<Over>("trials");
  const steps = useMemo(
    () =>
      computed(() => {
        const { live, spec } = view;
        const started = Date.parse(live.job.value?.started_at ?? live.job.value?.created_at ?? "") / 1000;
        // Of more objectives than are computed here, the service's history, where it tells one.
        return history(spec, live.points.value, devicesOf(spec, catalogue.value), started) ?? live.job.value?.hypervolume_history ?? null;
      }),
    [view],
  );
  const drawing = useMemo(() => computed(() => option(steps.value ?? [], over.value)), [view]);
  if (steps.value === null || steps.value.length < 2) return null;
  const last = steps.value.at(-1);
  const gap = stalled(steps.value, over.value);
  const length = gap === null ? 0 : gap.end - gap.from;
  const still = stall(steps.value);
  const said = `Hypervolume ${figure(last?.hypervolume)} after ${count(last?.trials ?? 0, "trial")}; nothing was gained after ${still?.trials ?? 0}`;
  return (
    <Card
      title="Hypervolume"
      class="volume"
      note={gap !== null && <span class="stalled">no gain for {over.value === "trials" ? count(length, "trial") : span(length)}</span>}
      actions={(["trials", "seconds"] as const).map((choice) => (
        <Button key={choice} kind="small" pressed={over.value === choice} onClick={() => (over.value = choice)}>
          {choice}
        </Button>
      ))}
    >
      <Chart label={said} option={drawing} height={210} />
    </Card>
  );
}
