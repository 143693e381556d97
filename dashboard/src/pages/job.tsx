/** One job, live. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { place } from "../app/router";
import { Actions } from "../job/actions";
import { Filters } from "../job/filters";
import { Importance } from "../job/importance";
import { Parallel } from "../job/parallel";
import { Pareto } from "../job/pareto";
import { Summary } from "../job/summary";
import { Table } from "../job/table";
import { JobView } from "../job/view";
import { Volume } from "../job/volume";
import { Badge, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { Later } from "../parts/later";
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
      <Plots live={live} />
    </div>
  );
}

function Plots({ live }: { live: LiveJob }) {
  // The view keeps the first specification: of what it reads nothing changes while a job lives.
  const view = useMemo(() => (live.job.value === null ? null : new JobView(live, live.job.value.spec, place.peek().query)), [live]);
  if (view === null || live.points.value.length === 0) {
    return live.complete.value ? <Empty title="No trial yet"><p>The first one appears here as soon as a driver takes the job.</p></Empty> : <Skeleton lines={3} />;
  }
  return (
    <div class="charts">
      <Filters view={view} />
      <Pareto view={view} />
      <Later>
        <Volume view={view} />
        <Importance view={view} />
        <Parallel view={view} colour={view.spec.objectives[0]?.metric ?? ""} />
      </Later>
      <Table view={view} />
    </div>
  );
}
