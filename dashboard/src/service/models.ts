/** Names of models: jobs of an older service name only their digest. */
import { signal } from "@preact/signals";
import { call } from "./client";
import type { Job, Model } from "./types";

const names = signal<ReadonlyMap<string, string>>(new Map());
const asked = new Set<string>();

/** What a person calls the job's model; its digest until the name is known. */
export function modelName(job: Job): string {
  if (job.model_name != null) return job.model_name;
  const known = names.value.get(job.model);
  if (known === undefined && !asked.has(job.model)) {
    asked.add(job.model);
    void call<Model>(`/v1/models/${job.model}`).then(
      (model) => {
        names.value = new Map(names.value).set(job.model, model.name);
      },
      () => asked.delete(job.model),
    );
  }
  return known ?? job.model.slice(0, 19);
}

