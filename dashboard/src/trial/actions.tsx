/** What to take away from a trial: its bundle, its trace, a comparison, a new job like its own. */
import { useSignal } from "@preact/signals";
import { Button } from "../parts/basics";
import { download } from "../parts/download";
import { tell } from "../parts/notices";
import type { Trial } from "../service/trial";

interface Taking {
  label: string;
  path: string;
  name: string;
  wait: string;
}

/** A button that says while the service makes the file. */
function Take({ label, path, name, wait }: Taking) {
  const busy = useSignal(false);
  const take = async (): Promise<void> => {
    busy.value = true;
    try {
      await download(path, name);
      tell(`${name} is saved.`);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "bad");
    }
    busy.value = false;
  };
  return (
    <Button icon="download" kind={label === "Bundle" ? "main" : "plain"} disabled={busy.value} onClick={() => void take()}>
      {busy.value ? wait : label}
    </Button>
  );
}

/** `traced`: the service records activity. */
export function TrialActions({ trial, traced, best }: { trial: Trial; traced: boolean; best: string | null }) {
  const base = `headrace-${trial.job_id}-trial-${trial.number}`;
  const complete = trial.state === "complete";
  return (
    <div class="actions" role="group" aria-label="What to take from this trial">
      {complete && <Take label="Bundle" path={`/v1/trials/${trial.id}/rtl`} name={`${base}.zip`} wait="Building the bundle …" />}
      {complete && traced && <Take label="Perfetto trace" path={`/v1/trials/${trial.id}/activity`} name={`${base}-activity.json`} wait="Simulating again …" />}
      {best !== null && (
        <a class="button" href={`/compare?trials=${trial.id},${best}`}>
          Compare with the best
        </a>
      )}
      <a class="button" href={`/compare?trials=${trial.id}`}>
        Compare …
      </a>
      <a class="button" href={`/new?clone=${trial.job_id}`}>
        New job like this
      </a>
    </div>
  );
}
