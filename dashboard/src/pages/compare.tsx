/** Trials, jobs, or the jobs of a sweep, side by side: the address says which. */
import { place } from "../app/router";
import { CompareJobs } from "../compare/jobs";
import { Picker } from "../compare/picker";
import { CompareTrials } from "../compare/trials";

const list = (text: string | null): string[] => (text ?? "").split(",").filter(Boolean);

export default function Compare() {
  const { query } = place.value;
  const [trials, jobs, sweep] = [list(query.get("trials")), list(query.get("jobs")), query.get("sweep") ?? ""];
  if (trials.length > 0) return <CompareTrials ids={trials} />;
  if (jobs.length > 0 || sweep !== "") return <CompareJobs ids={jobs} sweep={sweep} />;
  return <Picker />;
}
