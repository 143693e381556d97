/** Which jobs to put side by side. */
import { useSignal } from "@preact/signals";
import { go } from "../app/router";
import { Badge, Button, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { ago, figure, moment, tail } from "../parts/format";
import { JOB_TONES } from "../parts/words";
import { call } from "../service/client";
import { modelName } from "../service/models";
import { usePolled } from "../service/poll";
import type { Job, Page } from "../service/types";

const EVERY_MS = 10_000;

function Row({ job, chosen, onToggle }: { job: Job; chosen: boolean; onToggle: () => void }) {
  const labels = Object.entries(job.labels).map(([key, value]) => `${key} ${value}`);
  return (
    <li>
      <label class="pick">
        <input type="checkbox" checked={chosen} onChange={onToggle} />
        <b>{modelName(job)}</b>
        <code>{tail(job.id)}</code>
        <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
        <span class="quiet">{labels.join(" · ")}</span>
        <span class="quiet pick-end">
          hypervolume {figure(job.hypervolume)}, {job.pareto_size} designs, <time title={moment(job.created_at)}>{ago(job.created_at, Date.now())}</time>
        </span>
      </label>
    </li>
  );
}

export function Picker() {
  const chosen = useSignal<readonly string[]>([]);
  const { value, error, again } = usePolled((signal) => call<Page<Job>>("/v1/jobs?limit=100", { signal }), EVERY_MS, "");
  if (value.value === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  const jobs = value.value?.items ?? [];
  const toggle = (id: string): void => void (chosen.value = chosen.value.includes(id) ? chosen.value.filter((one) => one !== id) : [...chosen.value, id]);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Compare</h1>
          <p class="quiet">Choose jobs to see their fronts in one plot. Trials are compared from their own pages.</p>
        </div>
        <Button kind="main" disabled={chosen.value.length < 2} onClick={() => go(`/compare?jobs=${chosen.value.join(",")}`)}>
          Compare {chosen.value.length < 2 ? "jobs" : `${chosen.value.length} jobs`}
        </Button>
      </div>
      {value.value === null && <Skeleton lines={5} />}
      {value.value !== null && jobs.length === 0 && <Empty title="No job to compare yet" />}
      <ul class="picks card">
        {jobs.map((job) => (
          <Row key={job.id} job={job} chosen={chosen.value.includes(job.id)} onToggle={() => toggle(job.id)} />
        ))}
      </ul>
    </div>
  );
}
