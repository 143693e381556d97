/** How much of what differs between trials each decision explains. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Card, Choice } from "../parts/basics";
import { metricWords } from "../parts/words";
import { call } from "../service/client";
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

interface Bar {
  label: string;
  share: number;
}

interface Judged {
  importance: Record<string, Record<string, number>>;
}

/** What the service says decides among good designs (PED-ANOVA): objective -> decision -> share. */
function useJudged(view: JobView): Signal<Judged | null | "asked"> {
  const judged = useSignal<Judged | null | "asked">("asked");
  const ended = view.live.job.value?.finished_at ?? null;
  const tenth = Math.floor(Math.log(Math.max(1, view.live.points.value.length)) / Math.log(1.1));
  useEffect(() => {
    // A service that does not know the address, or has too few trials to judge by, leaves our own measure.
    call<Judged>(`/v1/jobs/${view.live.id}/importance`).then(
      (found) => (judged.value = found),
      () => (judged.value = null),
    );
  }, [view, ended, tenth]);
  return judged;
}

const PLANS: Record<string, string> = { weight: "weights", activation: "activations", in_lanes: "lanes in", out_lanes: "lanes out", device: "device" };

/** `weight:conv1` as a person says it. */
function decisionWords(decision: string): string {
  const [plan = "", node] = decision.split(/:(.*)/s);
  return node === undefined ? decision : `${node} ${PLANS[plan] ?? plan}`;
}

export function Importance({ view }: { view: JobView }) {
  const metric = useSignal(view.spec.objectives[0]?.metric ?? "");
  const judged = useJudged(view);
  const bars = useComputed((): Bar[] | null => {
    if (judged.value === "asked") return [];
    const shares = judged.value?.importance[metric.value];
    if (shares !== undefined) {
      return Object.entries(shares)
        .map(([decision, share]) => ({ label: decisionWords(decision), share }))
        .slice(0, SHOWN);
    }
    const target = view.byKey.value.get(metric.value);
    const points = view.live.points.value.filter(({ state }) => state === "complete");
    if (target === undefined || points.length < FEWEST) return null;
    const decisions = view.fields.value.filter(({ group, key }) => group === "Decisions" && key.includes(":"));
    const found = decisions.map((field) => ({ label: field.label, share: explained(points, field, target) }));
    return found.sort((a, b) => b.share - a.share).slice(0, SHOWN);
  });
  return (
    <Card
      title="Importance"
      note={judged.value === "asked" ? "the service works it out" : judged.value?.importance[metric.value] === undefined ? "variation that one decision alone explains" : "what decides among good designs"}
      class="importance"
      actions={<Choice label="of" value={metric.value} options={view.spec.objectives.map(({ metric: name }) => ({ value: name, label: metricWords(name).label }))} onChange={(name) => (metric.value = name)} />}
    >
      {bars.value === null && <p class="quiet">It is shown from {FEWEST} complete trials on.</p>}
      <ol class="bars">
        {bars.value?.map(({ label, share }) => (
          <li key={label}>
            <span title={label}>{label}</span>
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
