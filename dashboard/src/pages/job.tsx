/** One job, live. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Actions } from "../job/actions";
import { Summary } from "../job/summary";
import { Badge, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { LiveBadge } from "../parts/live";
import { JOB_TONES } from "../parts/words";
import { LiveJob } from "../service/job";
import { modelName } from "../service/models";

export default function JobPage({ name }: { name: string }) {
  const live = useMemo(() => new LiveJob(name), [name]);
  useEffect(() => {
    void live.start();
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
            <a href="/">Jobs</a> / <code>{job.id}</code>
          </p>
          <h1 tabIndex={-1}>{modelName(job)}</h1>
          <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
          <LiveBadge stream={live.stream.value} />
        </div>
        <Actions job={job} onChanged={() => live.changed()} />
      </div>
      <Summary job={job} />
    </div>
  );
}
