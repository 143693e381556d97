/** Several jobs, or the jobs of a sweep: their fronts in one plot, their results in one table. */
import { useComputed, useSignal } from "@preact/signals";
import { go, keep, place } from "../app/router";
import { Chart } from "../charts/chart";
import { Badge, Card, Choice, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { count, figure, tail } from "../parts/format";
import { Progress } from "../parts/progress";
import { JOB_TONES, metricLabel } from "../parts/words";
import { call } from "../service/client";
import { modelName } from "../service/models";
import { usePolled } from "../service/poll";
import type { Trial } from "../service/trial";
import type { Job, Page } from "../service/types";
import { common, type Front, frontsOption, hue } from "./fronts";

const EVERY_MS = 5_000;
const DRAWN = 8;

interface Sweep {
  items: { job_id: string | null }[];
}

/** Ids of the jobs of a sweep that were accepted. */
async function ofSweep(id: string, signal: AbortSignal): Promise<string[]> {
  const { items } = await call<Sweep>(`/v1/sweeps/${id}`, { signal });
  return items.flatMap(({ job_id }) => (job_id === null ? [] : [job_id]));
}

/** What tells jobs apart: the labels that not all have alike. */
function names(jobs: readonly Job[]): string[] {
  const differs = (key: string): boolean => new Set(jobs.map(({ labels }) => labels[key])).size > 1;
  return jobs.map((job) => {
    const own = Object.entries(job.labels).filter(([key]) => differs(key)).map(([key, value]) => `${key} ${value}`);
    return [modelName(job), ...own, ...(own.length === 0 ? [tail(job.id)] : [])].join(" · ");
  });
}

async function read(ids: readonly string[], sweep: string, signal: AbortSignal): Promise<Omit<Front, "name">[]> {
  const wanted = sweep === "" ? ids : await ofSweep(sweep, signal);
  const jobs = await Promise.all(wanted.map((id) => call<Job>(`/v1/jobs/${id}`, { signal })));
  const fronts = await Promise.all(jobs.map((job) => call<Page<Trial>>(`/v1/jobs/${job.id}/pareto`, { signal })));
  return jobs.map((job, i) => ({ job, trials: fronts[i]?.items ?? [] }));
}

function Plot({ fronts }: { fronts: readonly Front[] }) {
  const shown = useSignal(fronts);
  shown.value = fronts;
  const metrics = common(fronts.filter(({ trials }) => trials.length > 0));
  const objectives = fronts[0]?.job.spec.objectives.map(({ metric }) => metric) ?? [];
  const pick = (name: string, fallback: string | undefined): string => {
    const asked = place.value.query.get(name);
    return asked !== null && metrics.includes(asked) ? asked : (fallback ?? metrics[0] ?? "");
  };
  const axes = useComputed(() => ({ x: pick("x", objectives[objectives.length - 1]), y: pick("y", objectives[0]) }));
  const option = useComputed(() => frontsOption(shown.value, axes.value.x, axes.value.y));
  if (metrics.length === 0) return <Empty title="No design yet"><p>Fronts appear with the first feasible designs.</p></Empty>;
  const options = metrics.map((metric) => ({ value: metric, label: metricLabel(metric) }));
  const { x, y } = axes.value;
  return (
    <Card
      title="Fronts"
      note="every mark is a feasible design that no other of its job beats"
      actions={
        <>
          <Choice label="X" value={x} options={options} onChange={(metric) => keep({ x: metric })} />
          <Choice label="Y" value={y} options={options} onChange={(metric) => keep({ y: metric })} />
        </>
      }
    >
      <Chart
        label={`Fronts of ${count(fronts.length, "job")} over ${metricLabel(x)} and ${metricLabel(y)}; the table below has their best values`}
        option={option}
        height={440}
        onReady={(chart) => chart.on("click", ({ data }) => typeof data === "object" && data !== null && "id" in data && go(`/trials/${String(data.id)}`))}
      />
      <ul class="fronts-key">
        {fronts.map((front, i) => (
          <li key={front.job.id}>
            <span style={{ background: hue(i) }} /> {front.name}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Table({ fronts }: { fronts: readonly Front[] }) {
  const objectives = [...new Set(fronts.flatMap(({ job }) => job.spec.objectives.map(({ metric }) => metric)))];
  return (
    <Card title="Results" note="the best value that each job has found of each objective">
      <div class="scrolled" tabIndex={0} role="region" aria-label="Results as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col">Trials</th>
              <th scope="col" class="number">
                Hypervolume
              </th>
              <th scope="col" class="number">
                Designs
              </th>
              {objectives.map((metric) => (
                <th key={metric} scope="col" class="number">
                  {metricLabel(metric)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {fronts.map(({ job, name }, i) => (
              <tr key={job.id}>
                <th scope="row">
                  <span class="dot" style={{ background: hue(i) }} /> <a href={`/jobs/${job.id}`}>{name}</a>
                </th>
                <td>
                  <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
                </td>
                <td class="wide">
                  <Progress job={job} />
                </td>
                <td class="number">{figure(job.hypervolume)}</td>
                <td class="number">{job.pareto_size}</td>
                {objectives.map((metric) => {
                  const best = job.best[metric];
                  return (
                    <td key={metric} class="number">
                      {best === undefined ? "–" : <a href={`/trials/${best.trial_id}`}>{figure(best.value)}</a>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

export function CompareJobs({ ids, sweep }: { ids: readonly string[]; sweep: string }) {
  const { value, error, again } = usePolled((signal) => read(ids, sweep, signal), EVERY_MS, `${sweep} ${ids.join(",")}`);
  const found = value.value;
  const called = names(found?.map(({ job }) => job) ?? []);
  const fronts = found?.map((one, i): Front => ({ ...one, name: called[i] ?? one.job.id })) ?? null;
  if (fronts === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  if (fronts === null) return <Skeleton lines={4} />;
  return (
    <div class="page compare-page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{sweep === "" ? "Jobs side by side" : "A sweep"}</h1>
          <p class="quiet">
            {sweep === "" ? count(fronts.length, "job") : `${count(fronts.length, "job")} of ${sweep}`}
            {fronts.length > DRAWN && `; colours repeat after ${DRAWN}`}
          </p>
        </div>
      </div>
      {error.value !== null && <p class="stale-note" role="status">{error.value.message}</p>}
      <div class="stack">
        <Plot fronts={fronts} />
        <Table fronts={fronts} />
      </div>
    </div>
  );
}
