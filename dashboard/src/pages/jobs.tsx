/** All jobs: search, filter, how far each is and how it ended. */
import { useSignal } from "@preact/signals";
import { keep, place } from "../app/router";
import { Badge, Button, Choice, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { ago, count, figure, moment, span, tail } from "../parts/format";
import { Icon } from "../parts/icons";
import { Progress } from "../parts/progress";
import { Sparkline } from "../parts/sparkline";
import { ended, JOB_TONES, metricWords } from "../parts/words";
import { call } from "../service/client";
import { modelName } from "../service/models";
import { usePolled } from "../service/poll";
import { type Job, JOB_STATES, type Page, TERMINAL } from "../service/types";

const STEP = 100;
const SEARCHED = 2_000;
const EVERY_MS = 3_000;

interface Listed {
  jobs: Job[];
  more: boolean;
}

/** The newest `wanted` jobs with a state and a label. */
async function read(wanted: number, state: string, label: string, signal: AbortSignal): Promise<Listed> {
  const query = new URLSearchParams({ limit: String(Math.min(wanted, 500)) });
  if (state !== "") query.set("state", state);
  if (label !== "") query.set("label", label);
  const jobs: Job[] = [];
  for (;;) {
    const page = await call<Page<Job>>(`/v1/jobs?${query}`, { signal });
    jobs.push(...page.items);
    if (page.next_cursor === null || jobs.length >= wanted) return { jobs, more: page.next_cursor !== null };
    query.set("cursor", page.next_cursor);
  }
}

/** Whether a job's name, id or labels hold every word. */
function matches(job: Job, words: readonly string[]): boolean {
  const labels = Object.entries(job.labels).map(([key, value]) => `${key}=${value}`);
  const text = [modelName(job), job.id, job.end_reason ?? "", ...labels].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

function Labels({ job, onPick }: { job: Job; onPick: (label: string) => void }) {
  return (
    <span class="labels">
      {Object.entries(job.labels).map(([key, value]) => (
        <button key={key} type="button" class="label" title={`Only jobs with ${key}=${value}`} onClick={() => onPick(`${key}=${value}`)}>
          <span>{key}</span>
          {value}
        </button>
      ))}
    </span>
  );
}

function Best({ job }: { job: Job }) {
  const best = job.spec.objectives.filter(({ metric }) => job.best[metric] !== undefined);
  return (
    <dl class="best">
      {best.map(({ metric }) => (
        <div key={metric}>
          <dt>{metricWords(metric).label}</dt>
          <dd>{figure(job.best[metric]?.value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function worked(job: Job, now: number): string {
  if (job.started_at === null) return "";
  const end = job.finished_at === null ? now : Date.parse(job.finished_at);
  return span(Math.max(0, (end - Date.parse(job.started_at)) / 1000));
}

function Row({ job, now, onPick }: { job: Job; now: number; onPick: (label: string) => void }) {
  return (
    <li class="job-row">
      <div class="job-name">
        <a href={`/jobs/${job.id}`}>{modelName(job)}</a>
        <code title={job.id}>{tail(job.id)}</code>
        {job.sweep !== null && <a href={`/compare?sweep=${job.sweep}`}>of a sweep</a>}
        <Labels job={job} onPick={onPick} />
      </div>
      <div class="job-state">
        <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
        {job.end_reason !== null && <span class="quiet">{ended(job.end_reason)}</span>}
      </div>
      <Progress job={job} />
      <Best job={job} />
      <div class="job-volume">
        <Sparkline values={(job.hypervolume_history ?? []).map((step) => step.hypervolume)} label={`Hypervolume, now ${figure(job.hypervolume)}`} />
        <span>
          <b>{figure(job.hypervolume)}</b> <span class="quiet">{count(job.pareto_size, "design")}</span>
        </span>
      </div>
      <div class="job-time">
        <time dateTime={job.created_at} title={moment(job.created_at)}>
          {ago(job.created_at, now)}
        </time>
        <span class="quiet">{worked(job, now)}</span>
      </div>
    </li>
  );
}

export default function Jobs() {
  const query = place.value.query;
  const [state, label, text] = ["state", "label", "q"].map((name) => query.get(name) ?? "") as [string, string, string];
  const wanted = useSignal(STEP);
  const number = text === "" ? wanted.value : SEARCHED;
  const { value, error, again } = usePolled((signal) => read(number, state, label, signal), EVERY_MS, `${number} ${state} ${label}`);
  if (value.value === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const jobs = value.value?.jobs.filter((job) => matches(job, words)) ?? [];
  const active = value.value?.jobs.filter((job) => !TERMINAL.has(job.state)).length ?? 0;
  const now = Date.now();
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Jobs</h1>
          <p class="quiet">{value.value === null ? "…" : `${count(jobs.length, "job")}, ${active} active`}</p>
        </div>
        <div class="filters" role="search">
          <label class="search">
            <Icon name="search" />
            <input type="search" placeholder="Model, label or id" aria-label="Search jobs" value={text} onInput={(event) => keep({ q: event.currentTarget.value })} />
          </label>
          <Choice label="State" value={state} options={[{ value: "", label: "any" }, ...JOB_STATES.map((s) => ({ value: s, label: s }))]} onChange={(s) => keep({ state: s })} />
          {label !== "" && (
            <Button icon="cancel" onClick={() => keep({ label: "" })}>
              {label}
            </Button>
          )}
        </div>
      </div>
      {error.value !== null && <p class="stale-note" role="status">{error.value.message}</p>}
      {value.value === null && <Skeleton lines={5} />}
      {value.value !== null && jobs.length === 0 && (
        <Empty title={value.value.jobs.length === 0 && state === "" && label === "" ? "No job has been submitted yet" : "No job is like that"}>
          <p>
            Submit one with <code>headrace submit model.onnx</code>, or watch the demo: <code>headrace demo</code>.
          </p>
        </Empty>
      )}
      <ul class="jobs">
        {jobs.map((job) => (
          <Row key={job.id} job={job} now={now} onPick={(picked) => keep({ label: picked })} />
        ))}
      </ul>
      {value.value?.more === true && (
        <p class="more">
          <Button onClick={() => (wanted.value += STEP)}>Show older jobs</Button>
        </p>
      )}
    </div>
  );
}
