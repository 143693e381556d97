/** Trials side by side. */
import { keep } from "../app/router";
import { Badge, Button, Choice, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { figure } from "../parts/format";
import { TRIAL_TONES } from "../parts/words";
import { call } from "../service/client";
import { usePolled } from "../service/poll";
import { readTrial, type Trial } from "../service/trial";
import type { Page } from "../service/types";
import { Decisions } from "./decisions";
import { Figures } from "./figures";
import { CompareOperators } from "./operators";

const ONCE_MS = 3_600_000;
const MOST = 4;

interface Read {
  trials: Trial[];
  /** Designs of the first one's front, to be added. */
  front: Trial[];
}

async function read(ids: readonly string[], signal: AbortSignal): Promise<Read> {
  const trials = await Promise.all(ids.map((id) => readTrial(id, signal)));
  const job = trials[0]?.job_id;
  const front = job === undefined ? [] : (await call<Page<Trial>>(`/v1/jobs/${job}/pareto`, { signal }).catch(() => ({ items: [] }))).items;
  return { trials, front };
}

function Add({ read: { trials, front }, ids }: { read: Read; ids: readonly string[] }) {
  const others = front.filter(({ id }) => !ids.includes(id));
  if (others.length === 0 || trials.length >= MOST) return null;
  const words = (trial: Trial): string => `Trial ${trial.number}: ${figure(Number(trial.metrics["accuracy"]))}, ${figure(Number(trial.metrics["est_lut"]))} LUT`;
  const options = [{ value: "", label: "a design of the front …" }, ...others.map((trial) => ({ value: trial.id, label: words(trial) }))];
  return <Choice label="Add" value="" options={options} onChange={(id) => id !== "" && keep({ trials: [...ids, id].join(",") })} />;
}

export function CompareTrials({ ids }: { ids: readonly string[] }) {
  const { value, error, again } = usePolled((signal) => read(ids, signal), ONCE_MS, ids.join(","));
  const found = value.value;
  if (error.value !== null) return <Failure error={error.value} retry={again} />;
  if (found === null) return <Skeleton lines={4} />;
  const { trials } = found;
  document.title = `Trials ${trials.map(({ number }) => number).join(", ")} · Headrace`;
  return (
    <div class="page compare-page">
      <div class="page-head">
        <h1 tabIndex={-1}>Trials side by side</h1>
        <Add read={found} ids={ids} />
      </div>
      <ul class="compared">
        {trials.map((trial, i) => (
          <li key={trial.id} class={`compared-one edge-${i}`}>
            <a href={`/trials/${trial.id}`}>Trial {trial.number}</a>
            <Badge tone={TRIAL_TONES[trial.state]}>{trial.state}</Badge>
            <a class="quiet" href={`/jobs/${trial.job_id}`}>
              its job
            </a>
            {trials.length > 1 && <Button kind="bare" icon="cancel" name={`Leave out trial ${trial.number}`} onClick={() => keep({ trials: ids.filter((id) => id !== trial.id).join(",") })} />}
          </li>
        ))}
      </ul>
      {trials.length < 2 ? (
        <Empty title="One trial alone">
          <p>Add another one: of the front above, or from a page of a trial.</p>
        </Empty>
      ) : (
        <div class="stack">
          <div class="two">
            <Figures trials={trials} />
            <Decisions trials={trials} />
          </div>
          <CompareOperators trials={trials} />
        </div>
      )}
    </div>
  );
}
