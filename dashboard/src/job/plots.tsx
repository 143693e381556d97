/** Everything of a job's page that reads its trials: filters, plots and table over one view. */
import { useMemo } from "preact/hooks";
import { place } from "../app/router";
import { Empty, Skeleton } from "../parts/basics";
import { Later } from "../parts/later";
import type { LiveJob } from "../service/job";
import { Filters } from "./filters";
import { Importance } from "./importance";
import { Parallel } from "./parallel";
import { Pareto } from "./pareto";
import { Table } from "./table";
import { JobView } from "./view";
import { Volume } from "./volume";

export function Plots({ live }: { live: LiveJob }) {
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
