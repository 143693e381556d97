/** A job at a glance: how far, how good, how it ended. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { count, figure, span } from "../parts/format";
import { Progress } from "../parts/progress";
import { ended, metricWords } from "../parts/words";
import { type Job, TERMINAL } from "../service/types";

function Fact({ name, children, note }: { name: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd class="fact-note">{note}</dd>}
    </div>
  );
}

/** Seconds since the job was started, of one that runs: counted on. */
function Elapsed({ job }: { job: Job }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (job.started_at === null) return <>not yet</>;
  const end = job.finished_at === null ? now.value : Date.parse(job.finished_at);
  return <>{span(Math.max(0, (end - Date.parse(job.started_at)) / 1000))}</>;
}

function Ending({ job }: { job: Job }) {
  if (job.failure === null) return null;
  return (
    <div class="ending" role="note">
      <p>
        <b>{job.end_reason === null ? "Failed" : ended(job.end_reason)}</b> {job.failure.message}
      </p>
      {job.failure.constraints != null && (
        <ul>
          {job.failure.constraints.map(({ constraint, best, number }) => (
            <li key={constraint}>
              <code>{constraint}</code> – the best was {figure(best)}, trial {number}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function Summary({ job }: { job: Job }) {
  const budget = span(job.spec.search.wall_seconds);
  return (
    <>
      <Ending job={job} />
      <dl class="facts card">
        <div class="fact fact-wide">
          <dt>Trials</dt>
          <dd>
            <Progress job={job} />
          </dd>
          <dd class="fact-note">
            {(["complete", "infeasible", "failed", "running", "queued"] as const)
              .filter((state) => job.counts[state] > 0)
              .map((state) => (
                <span key={state} class={`key key-${state}`}>
                  {job.counts[state]} {state}
                </span>
              ))}
          </dd>
        </div>
        {job.spec.objectives.map(({ metric, direction }) => {
          const best = job.best[metric];
          const { label, unit } = metricWords(metric);
          return (
            <Fact key={metric} name={`${direction === "maximize" ? "Highest" : "Lowest"} ${label}`} note={best === undefined ? "" : <a href={`/trials/${best.trial_id}`}>trial {best.number}</a>}>
              {figure(best?.value)} <small>{unit}</small>
            </Fact>
          );
        })}
        <Fact name="Front" note="not dominated">
          {count(job.pareto_size, "design")}
        </Fact>
        <Fact name="Hypervolume" note="share of objective space">
          {figure(job.hypervolume)}
        </Fact>
        <Fact name={TERMINAL.has(job.state) ? "Took" : "Running for"} note={job.end_reason === null ? `budget ${budget}` : ended(job.end_reason)}>
          <Elapsed job={job} />
        </Fact>
      </dl>
    </>
  );
}
