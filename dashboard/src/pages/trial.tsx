/** One trial: the design, what it needs, and why to believe it. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Badge, Card, Empty, Skeleton } from "../parts/basics";
import { Command } from "../parts/copy";
import { Failure } from "../parts/failure";
import { TRIAL_TONES } from "../parts/words";
import { call } from "../service/client";
import { offers } from "../service/contract";
import { usePolled } from "../service/poll";
import { type Attempt, readAttempts, readTrial, type Trial } from "../service/trial";
import type { Job } from "../service/types";
import { TrialActions } from "../trial/actions";
import { Bounds, Exactness, Routing, timeWords, TrialFacts } from "../trial/facts";
import { Formats } from "../trial/formats";
import { Attempts, Provenance, Stages } from "../trial/history";
import { Operators } from "../trial/operators";
import { Panel } from "../trial/panel";
import { Picture } from "../trial/picture";
import { PipelineView } from "../trial/view";
import { modelName } from "../service/models";

const EVERY_MS = 2_000;
const DONE_MS = 3_600_000;

interface Read {
  trial: Trial;
  job: Job | null;
  attempts: Attempt[];
  traced: boolean;
}

async function read(id: string, signal: AbortSignal): Promise<Read> {
  const trial = await readTrial(id, signal);
  const [job, attempts, traced] = await Promise.all([
    call<Job>(`/v1/jobs/${trial.job_id}`, { signal }).catch(() => null), // a deleted job's trial is shown for itself
    readAttempts(id, signal),
    offers("/v1/trials/{trial_id}/activity").catch(() => false), // a page without a button beats no page
  ]);
  return { trial, job, attempts: attempts.items, traced };
}

/** Whether nothing of a trial changes any more. */
function isSettled({ state, sign_off: signed, routing }: Trial): boolean {
  return [state, signed, routing].every((one) => one !== "queued" && one !== "running");
}

/** What does not depend on the time of reading: a new document of an unchanged trial draws nothing again. */
function Design({ trial }: { trial: Trial }) {
  const view = useMemo(() => new PipelineView(trial), [trial.id, trial.state]);
  if (view.operators.length === 0) return <Empty title="No design to show"><p>{trial.state === "complete" ? "Its detail was not kept." : "Only what was simulated has figures of its operators."}</p></Empty>;
  return (
    <>
      <div class="pipeline-and-panel">
        <Picture view={view} />
        <Panel view={view} />
      </div>
      <Operators view={view} />
    </>
  );
}

/** Commands that give the same again. */
function Reproduce({ trial }: { trial: Trial }) {
  const name = `trial-${trial.number}`;
  const command = `headrace export ${trial.id} ${name}.zip\nunzip ${name}.zip -d ${name} && make -C ${name} sim`;
  return (
    <Card title="Reproduce" note="simulates the RTL and compares every word, with Verilator alone">
      <Command text={command} label="Commands that reproduce this trial" />
    </Card>
  );
}

/** The job's best trial by its first objective, when that is another one. */
function bestOther(job: Job | null, trial: Trial): string | null {
  const metric = job?.spec.objectives[0]?.metric;
  const best = metric === undefined ? undefined : job?.best[metric]?.trial_id;
  return best === undefined || best === trial.id ? null : best;
}

export default function TrialPage({ name }: { name: string }) {
  const settled = useSignal(false);
  const follow = async (signal: AbortSignal): Promise<Read> => {
    const found = await read(name, signal);
    settled.value = isSettled(found.trial);
    return found;
  };
  const { value, error, again } = usePolled(follow, settled.value ? DONE_MS : EVERY_MS, `${name} ${settled.value}`);
  const found = value.value;
  if (found === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  if (found === null) return <Skeleton lines={4} />;
  const { trial, job, attempts, traced } = found;
  document.title = `Trial ${trial.number} · Headrace`;
  return (
    <div class="page trial-page">
      <div class="page-head">
        <div class="job-title">
          <p class="crumbs">
            <a href="/">Jobs</a> / <a href={`/jobs/${trial.job_id}`}>{job === null ? trial.job_id : modelName(job)}</a> / <code>{trial.id}</code>
          </p>
          <h1 tabIndex={-1}>Trial {trial.number}</h1>
          <Badge tone={TRIAL_TONES[trial.state]}>{trial.state}</Badge>
          <span class="quiet">{timeWords(trial)}</span>
        </div>
        <TrialActions trial={trial} traced={traced} best={bestOther(job, trial)} />
      </div>
      {trial.reason !== null && <p class="ending">{trial.reason}</p>}
      <TrialFacts trial={trial} />
      <Exactness trial={trial} />
      <Bounds trial={trial} job={job} />
      <Design trial={trial} />
      {trial.routing !== null && <Routing trial={trial} />}
      <div class="two">
        <Formats trial={trial} />
        <div class="stack">
          {trial.state === "complete" && <Reproduce trial={trial} />}
          {trial.stages.length > 0 && <Stages trial={trial} />}
          <Attempts attempts={attempts} />
          <Provenance trial={trial} />
        </div>
      </div>
    </div>
  );
}
