/** One job, live. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Actions } from "../job/actions";
import { Summary } from "../job/summary";
import { Badge, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { LiveBadge } from "../parts/live";
import { JOB_TONES } from "../parts/words";
import { readCatalogue } from "../service/devices";
import { LiveJob } from "../service/job";
import { modelName } from "../service/models";

export default function JobPage({ name }: { name: string }) {
  const live = useMemo(() => new LiveJob(name), [name]);
  useEffect(() => {
    void live.start();
    void readCatalogue();
    import("../job/plots").catch(() => undefined); // begins to load now; whoever shows it says what went wrong
    return () => live.stop();
  }, [live]);
  useSignalEffect(() => {
    if (live.job.value !== null) document.title = `${modelName(live.job.value)} · Headrace`;
  });
  const job = live.job.value;
  if (job === null && live.error.value !== null) return <Failure error={live.error.value} />;
  if (job === null) return <Skeleton lines={4} />;
  return (
    <div class="page job-page">
      <div class="page-head">
        <div class="job-title">
          <p class="crumbs">
            <a href="/">Jobs</a> /{" "}
            {job.sweep !== null && (
              <>
                <a href={`/compare?sweep=${job.sweep}`}>a sweep</a> /{" "}
              </>
            )}
            <code>{job.id}</code>
          </p>
          <h1 tabIndex={-1}>{modelName(job)}</h1>
          <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
          <LiveBadge stream={live.stream.value} />
        </div>
        <Actions job={job} onChanged={() => live.changed()} />
      </div>
      <Summary job={job} />
      <Trials live={live} />
    </div>
  );
}

/** What draws trials comes with a script of its own, which loads while the trials themselves do. */
function Trials({ live }: { live: LiveJob }) {
  const drawn = useSignal<typeof import("../job/plots") | null>(null);
  const failed = useSignal<Error | null>(null);
  useEffect(() => {
    import("../job/plots").then(
      (loaded) => (drawn.value = loaded),
      (error: unknown) => (failed.value = error instanceof Error ? error : new Error(String(error))),
    );
  }, []);
  if (failed.value !== null) return <Failure error={failed.value} />;
  if (drawn.value === null) return <Skeleton lines={3} />;
  const { Plots } = drawn.value;
  return <Plots live={live} />;
}
