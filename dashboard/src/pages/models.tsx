/** Models and data that the service keeps, with what each model became. */
import { useSignal } from "@preact/signals";
import { Drop } from "../new/drop";
import { Refusal, Report } from "../new/report";
import { Card, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { ago, count, moment, tail } from "../parts/format";
import { tell } from "../parts/notices";
import { usePolled } from "../service/poll";
import { type Dataset, type ModelReport, readDatasets, readModels, sizeWords, upload } from "../service/uploads";

const EVERY_MS = 15_000;

interface Read {
  models: ModelReport[];
  datasets: Dataset[];
}

async function read(signal: AbortSignal): Promise<Read> {
  const [models, datasets] = await Promise.all([readModels(signal), readDatasets(signal)]);
  return { models, datasets };
}

function Model({ model }: { model: ModelReport }) {
  return (
    <li class="card model">
      <header class="card-head">
        <h2>{model.name}</h2>
        <p class="card-note">
          <code title={model.id}>{tail(model.id)}</code> · <time title={moment(model.created_at)}>{ago(model.created_at, Date.now())}</time>
        </p>
        <div class="card-actions">
          <a class="button" href={`/new?model=${model.id}`}>
            New job with it
          </a>
        </div>
      </header>
      <Report model={model} />
    </li>
  );
}

function Datasets({ datasets }: { datasets: readonly Dataset[] }) {
  return (
    <Card title="Evaluation data" note={count(datasets.length, "upload")}>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Evaluation data as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Samples
              </th>
              <th scope="col">Arrays</th>
              <th scope="col" class="number">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {datasets.map(({ id, name, samples, arrays, size_bytes: size }) => (
              <tr key={id}>
                <th scope="row" title={id}>
                  {name}
                </th>
                <td class="number">{samples}</td>
                <td>{Object.entries(arrays).map(([array, { shape, dtype }]) => `${array} ${shape.join(" × ")} ${dtype}`).join("; ")}</td>
                <td class="number">{sizeWords(size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

export default function Models() {
  const { value, error, again } = usePolled(read, EVERY_MS, "");
  const refusal = useSignal<{ error: Error; file: string } | null>(null);
  const take = async (file: File): Promise<void> => {
    refusal.value = null;
    try {
      const { name } = await upload<ModelReport>("models", file);
      tell(`${name} is accepted.`);
      again();
    } catch (caught) {
      refusal.value = { error: caught instanceof Error ? caught : new Error(String(caught)), file: file.name };
    }
  };
  if (value.value === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  const { models, datasets } = value.value ?? { models: [], datasets: [] };
  return (
    <div class="page models-page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>Models</h1>
          <p class="quiet">{value.value === null ? "…" : count(models.length, "model")}</p>
        </div>
        <Drop label="Upload a model" note="ONNX, torch.export, or a zipped Hugging Face folder" accept=".onnx,.pt2,.zip" onFile={take} />
      </div>
      {refusal.value !== null && <Refusal {...refusal.value} />}
      {value.value === null && <Skeleton lines={3} />}
      {value.value !== null && models.length === 0 && <Empty title="No model has been uploaded yet"><p>Drop one above, or submit a job with it: <code>headrace submit model.onnx</code>.</p></Empty>}
      <ul class="stack">
        {models.map((model) => (
          <Model key={model.id} model={model} />
        ))}
      </ul>
      {datasets.length > 0 && <Datasets datasets={datasets} />}
    </div>
  );
}
