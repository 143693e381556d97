/** How far a job is: a bar of what became of its trials. */
import type { Job, TrialState } from "../service/types";

const SHOWN: readonly TrialState[] = ["complete", "infeasible", "failed", "running"];

/** A bar as wide as the budget; its parts are the trials by state. */
export function Progress({ job }: { job: Job }) {
  const { trials_done: done, trials_total: total } = job.progress;
  const said = SHOWN.map((state) => `${job.counts[state]} ${state}`).join(", ");
  const width = (state: TrialState): string => `${(100 * job.counts[state]) / Math.max(total, 1)}%`;
  return (
    <div class="progress">
      <div class="progress-bar" role="progressbar" aria-label={`Trials: ${said}`} aria-valuenow={done} aria-valuemin={0} aria-valuemax={total} title={said}>
        {SHOWN.map((state) => (
          <span key={state} class={`is-${state}`} style={{ width: width(state) }} />
        ))}
      </div>
      <span class="progress-text">
        <b>{done}</b> / {total}
      </span>
    </div>
  );
}
