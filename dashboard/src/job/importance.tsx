/** How much of what differs between trials each decision explains. */
import { useComputed, useSignal } from "@preact/signals";
import { Card, Choice } from "../parts/basics";
import { metricWords } from "../parts/words";
import type { Point } from "../service/types";
import type { Field } from "./fields";
import type { JobView } from "./view";

const SHOWN = 10;
const FEWEST = 20;

/** The share of the variance of `target` between the groups of a decision, less what chance gives them: epsilon squared. */
export function explained(points: readonly Point[], decision: Field, target: Field): number {
  const groups = new Map<unknown, number[]>();
  for (const point of points) {
    const [value, key] = [target.of(point), decision.of(point)];
    if (typeof value !== "number" || key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  const all = [...groups.values()].flat();
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const squares = (values: readonly number[], around: number): number => values.reduce((sum, value) => sum + (value - around) ** 2, 0);
  const total = squares(all, mean(all));
  const within = [...groups.values()].reduce((sum, group) => sum + squares(group, mean(group)), 0);
  const free = all.length - groups.size;
  if (free <= 0 || total === 0) return 0;
  return Math.max(0, (total - within - ((groups.size - 1) * within) / free) / total);
}

export function Importance({ view }: { view: JobView }) {
  const metric = useSignal(view.spec.objectives[0]?.metric ?? "");
  const bars = useComputed(() => {
    const target = view.byKey.value.get(metric.value);
    const points = view.live.points.value.filter(({ state }) => state === "complete");
    if (target === undefined || points.length < FEWEST) return null;
    const decisions = view.fields.value.filter(({ group, key }) => group === "Decisions" && key.includes(":"));
    const found = decisions.map((field) => ({ field, share: explained(points, field, target) }));
    return found.sort((a, b) => b.share - a.share).slice(0, SHOWN);
  });
  return (
    <Card
      title="Importance"
      note="variation that one decision alone explains"
      class="importance"
      actions={<Choice label="of" value={metric.value} options={view.spec.objectives.map(({ metric: name }) => ({ value: name, label: metricWords(name).label }))} onChange={(name) => (metric.value = name)} />}
    >
      {bars.value === null && <p class="quiet">It is shown from {FEWEST} complete trials on.</p>}
      <ol class="bars">
        {bars.value?.map(({ field, share }) => (
          <li key={field.key}>
            <span>{field.label}</span>
            <span class="bar" aria-hidden="true">
              <i style={{ width: `${100 * share}%` }} />
            </span>
            <b>{Math.round(100 * share)} %</b>
          </li>
        ))}
      </ol>
    </Card>
  );
}
