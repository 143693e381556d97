/** Which jobs, or which sweep, to put side by side. */
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
const SWEEPS = 20;

/** A sweep of the list, as far as it is shown here. */
interface Sweep {
  id: string;
  created_at: string;
  items: { job: { model_name: string | null; labels: Record<string, string> } | null }[];
  counts: Record<string, number>;
  progress: { trials_done: number; trials_total: number };
}

interface Found {
  jobs: Job[];
  sweeps: Sweep[];
}

async function read(signal: AbortSignal): Promise<Found> {
  const [jobs, sweeps] = await Promise.all([call<Page<Job>>("/v1/jobs?limit=100", { signal }), call<Page<Sweep>>(`/v1/sweeps?limit=${SWEEPS}`, { signal })]);
  return { jobs: jobs.items, sweeps: sweeps.items };
}

function SweepRow({ sweep: { id, created_at: created, items, counts, progress } }: { sweep: Sweep }) {
  const models = [...new Set(items.flatMap(({ job }) => job?.model_name ?? []))];
  const states = Object.entries(counts).map(([state, number]) => `${number} ${state}`);
  return (
    <li>
      <a class="pick" href={`/compare?sweep=${id}`}>
        <b>{models.length === 0 ? "no model" : models.join(", ")}</b>
        <code>{tail(id)}</code>
        <span class="quiet">{states.join(" · ")}</span>
        <span class="quiet pick-end">
          {progress.trials_done} of {progress.trials_total} trials, <time title={moment(created)}>{ago(created, Date.now())}</time>
        </span>
      </a>
    </li>
  );
}

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
  const { value, error, again } = usePolled(read, EVERY_MS, "");
  if (value.value === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  const { jobs, sweeps } = value.value ?? { jobs: [], sweeps: [] };
  const toggle = (id: string): void => void (chosen.value = chosen.value.includes(id) ? chosen.value.filter((one) => one !== id) : [...chosen.value, id]);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Compare</h1>
          <p class="quiet">Choose a sweep, or jobs, to see their fronts in one plot. Trials are compared from the table of a job, or from their own pages.</p>
        </div>
        <Button kind="main" disabled={chosen.value.length < 2} onClick={() => go(`/compare?jobs=${chosen.value.join(",")}`)}>
          Compare {chosen.value.length < 2 ? "jobs" : `${chosen.value.length} jobs`}
        </Button>
      </div>
      {value.value === null && <Skeleton lines={5} />}
      {value.value !== null && jobs.length === 0 && <Empty title="No job to compare yet" />}
      {sweeps.length > 0 && (
        <section aria-label="Sweeps">
          <h2>Sweeps</h2>
          <ul class="picks card">
            {sweeps.map((sweep) => (
              <SweepRow key={sweep.id} sweep={sweep} />
            ))}
          </ul>
          <h2>Jobs</h2>
        </section>
      )}
      <ul class="picks card">
        {jobs.map((job) => (
          <Row key={job.id} job={job} chosen={chosen.value.includes(job.id)} onToggle={() => toggle(job.id)} />
        ))}
      </ul>
    </div>
  );
}
