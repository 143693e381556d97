/** A form for a job; the service judges it, and what it says stands at the fields. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { go, place } from "../app/router";
import { type Body, covers, Draft, EMPTY, fieldId } from "../new/draft";
import { Drop } from "../new/drop";
import { Labels } from "../new/labels";
import { Summary } from "../new/summary";
import { GoalsPart, JudgePart, PlatformPart, SearchPart, SpacePart } from "../new/parts";
import { Refusal, Report } from "../new/report";
import { WordField } from "../new/fields";
import { Card, Skeleton } from "../parts/basics";
import { Command } from "../parts/copy";
import { Failure } from "../parts/failure";
import { tail } from "../parts/format";
import { tell } from "../parts/notices";
import { call, ServiceError } from "../service/client";
import { type Contract, readContract } from "../service/contract";
import { catalogue, readCatalogue } from "../service/devices";
import type { Job } from "../service/types";
import { type Dataset, type ModelReport, readDatasets, readModels, upload } from "../service/uploads";

interface Known {
  contract: Contract;
  models: ModelReport[];
  datasets: Dataset[];
}

/** The body to begin with: of a job to clone, or of a model that was chosen elsewhere. */
async function beginning(clone: string, model: string): Promise<Body> {
  if (clone === "") return { ...EMPTY, model };
  const job = await call<Job>(`/v1/jobs/${clone}`);
  return job.spec as unknown as Body;
}

async function submit(draft: Draft): Promise<void> {
  draft.refused.value = null;
  draft.offences.value = [];
  try {
    const job = await call<Job>("/v1/jobs", { method: "POST", body: draft.body.value, headers: { "Idempotency-Key": crypto.randomUUID() } });
    tell("The job is queued.");
    go(`/jobs/${job.id}`);
  } catch (error) {
    draft.refused.value = error instanceof Error ? error : new Error(String(error));
    draft.offences.value = error instanceof ServiceError ? error.offences : [];
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".refused")?.focus());
  }
}

function focusOn(pointer: string): void {
  // The nearest place that has a field: an item of a list is written by the field of the list.
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = document.getElementById(fieldId(at));
    if (found === null) continue;
    found.focus();
    found.scrollIntoView({ block: "center" });
    return;
  }
}

function Refused({ draft }: { draft: Draft }) {
  const error = draft.refused.value;
  if (error === null) return null;
  const places = draft.offences.value;
  return (
    <div class="refused" role="alert" tabIndex={-1}>
      <b>{error instanceof ServiceError ? error.title : "The job was not sent"}</b>
      {places.length === 0 && <p>{error.message}</p>}
      <ul>
        {places.map(({ pointer, detail }, i) => (
          <li key={i}>
            <button type="button" onClick={() => focusOn(pointer ?? "")}>
              <code>{pointer}</code>
            </button>{" "}
            {detail}
          </li>
        ))}
      </ul>
    </div>
  );
}

function ModelPart({ draft, known, onKnown }: { draft: Draft; known: Known; onKnown: (known: Known) => void }) {
  const refusal = useSignal<{ error: Error; file: string } | null>(null);
  const chosen = known.models.find(({ id }) => id === draft.at("/model"));
  const take = async (file: File): Promise<void> => {
    refusal.value = null;
    try {
      const model = await upload<ModelReport>("models", file);
      onKnown({ ...known, models: [model, ...known.models.filter(({ id }) => id !== model.id)] });
      draft.set("/model", model.id);
    } catch (error) {
      refusal.value = { error: error instanceof Error ? error : new Error(String(error)), file: file.name };
    }
  };
  return (
    <Card title="1 · Model" class="form-part">
      <div class="row">
        <WordField draft={draft} pointer="/model" label="Model" none="choose one, or upload" words={known.models.map(({ id, name }) => ({ value: id, label: `${name} · ${tail(id)}` }))} />
        <Drop label="Upload a model" note="ONNX, torch.export, or a zipped Hugging Face folder" accept=".onnx,.pt2,.zip" onFile={take} />
      </div>
      {refusal.value !== null && <Refusal {...refusal.value} />}
      {chosen !== undefined && <Report model={chosen} />}
    </Card>
  );
}

function DataPart({ draft, known, onKnown }: { draft: Draft; known: Known; onKnown: (known: Known) => void }) {
  const refusal = useSignal<{ error: Error; file: string } | null>(null);
  const take = async (file: File): Promise<void> => {
    refusal.value = null;
    try {
      const data = await upload<Dataset>("datasets", file);
      onKnown({ ...known, datasets: [data, ...known.datasets.filter(({ id }) => id !== data.id)] });
      draft.set("/dataset", data.id);
    } catch (error) {
      refusal.value = { error: error instanceof Error ? error : new Error(String(error)), file: file.name };
    }
  };
  const words = known.datasets.map(({ id, name, samples }) => ({ value: id, label: `${name} · ${samples} samples` }));
  return (
    <Card title="2 · Evaluation data" note="without any, the float model's own answers on generated inputs" class="form-part">
      <div class="row">
        <WordField draft={draft} pointer="/dataset" label="Data" none="none: agreement with the float model" words={words} />
        <Drop label="Upload data" note="an .npz with inputs and targets" accept=".npz" onFile={take} />
      </div>
      {refusal.value !== null && <Refusal {...refusal.value} />}
      <JudgePart draft={draft} contract={known.contract} model={known.models.find(({ id }) => id === draft.at("/model"))} />
    </Card>
  );
}

/** What the form sends, to send it again from elsewhere. */
function AsBody({ draft }: { draft: Draft }) {
  return (
    <details class="card as-body">
      <summary>The same as a body for the API</summary>
      <Command text={JSON.stringify(draft.body.value, null, 2)} label="Body of POST /v1/jobs" />
    </details>
  );
}

function Form({ draft, known, onKnown }: { draft: Draft; known: Known; onKnown: (known: Known) => void }) {
  const sending = useSignal(false);
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    sending.value = true;
    await submit(draft);
    sending.value = false;
  };
  const wrong = (pointers: readonly string[]): string => {
    const count = draft.offences.value.filter(({ pointer }) => pointers.some((outer) => covers(outer, pointer))).length;
    return count === 0 ? "" : `${count} to mend`;
  };
  const { contract } = known;
  return (
    <form class="new-job" onSubmit={(event) => void send(event)} noValidate>
      <div class="stack">
        <ModelPart draft={draft} known={known} onKnown={onKnown} />
        <DataPart draft={draft} known={known} onKnown={onKnown} />
        <Card title="3 · Platform" note={wrong(["/platform"])} class="form-part">
          <PlatformPart draft={draft} devices={[...catalogue.value.values()]} contract={contract} />
        </Card>
        <Card title="4 · Goals" note={wrong(["/objectives", "/constraints"])} class="form-part">
          <GoalsPart draft={draft} contract={contract} />
        </Card>
        <Card title="5 · Space" note={wrong(["/space"]) || "what the search may choose from"} class="form-part">
          <SpacePart draft={draft} contract={contract} />
        </Card>
        <Card title="6 · Search" note={wrong(["/search", "/simulation", "/routing"])} class="form-part">
          <SearchPart draft={draft} contract={contract} />
          <Labels draft={draft} />
        </Card>
        <AsBody draft={draft} />
      </div>
      <aside class="card send" aria-label="Start">
        <Refused draft={draft} />
        <Summary draft={draft} models={known.models} />
        <button type="submit" class="button main" disabled={sending.value}>
          {sending.value ? "Checking …" : "Start the exploration"}
        </button>
        <p class="quiet">Every candidate is built, simulated, and compared with the integer reference word for word.</p>
      </aside>
    </form>
  );
}

export default function New() {
  const draft = useMemo(() => new Draft(), []);
  const known = useSignal<Known | null>(null);
  const error = useSignal<Error | null>(null);
  const [clone, model] = ["clone", "model"].map((name) => place.value.query.get(name) ?? "") as [string, string];
  useEffect(() => {
    const read = async (): Promise<void> => {
      const [contract, models, datasets, body] = await Promise.all([readContract(), readModels(), readDatasets(), beginning(clone, model), readCatalogue()]);
      draft.body.value = body;
      known.value = { contract, models, datasets };
    };
    read().catch((caught: unknown) => (error.value = caught instanceof Error ? caught : new Error(String(caught))));
  }, [clone, model]);
  if (error.value !== null) return <Failure error={error.value} />;
  if (known.value === null) return <Skeleton lines={5} />;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>New job</h1>
          {clone !== "" && (
            <p class="quiet">
              A copy of <a href={`/jobs/${clone}`}>{clone}</a>: change what you like.
            </p>
          )}
        </div>
      </div>
      <Form draft={draft} known={known.value} onKnown={(next) => (known.value = next)} />
    </div>
  );
}
