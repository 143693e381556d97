/** What each node of a model became: hardware, software, or the reason why it was refused. */
import { figure, short } from "../parts/format";
import { Icon } from "../parts/icons";
import { ServiceError } from "../service/client";
import { type ModelReport, sizeWords, type Tensor } from "../service/uploads";

function tensorWords({ name, shape, type }: Tensor): string {
  return `${name} ${type ?? ""} ${shape.length === 0 ? "scalar" : shape.join(" × ")}`;
}

/** How many nodes of each kind, as chips with a bar's worth of weight. */
export function OperatorChips({ operators }: { operators: Record<string, number> }) {
  const entries = Object.entries(operators).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return (
    <ul class="chips">
      {entries.map(([name, count]) => (
        <li key={name} class="chip">
          {name} <b>{count}</b>
        </li>
      ))}
    </ul>
  );
}

export function Report({ model }: { model: ModelReport }) {
  const { graph, software } = model;
  const nodes = Object.values(graph.operators).reduce((sum, count) => sum + count, 0);
  return (
    <div class="report">
      <dl class="report-figures">
        <div>
          <dt>Parameters</dt>
          <dd>{short(graph.parameters)}</dd>
        </div>
        <div>
          <dt>MACs per inference</dt>
          <dd>{short(graph.macs_per_inference)}</dd>
        </div>
        <div>
          <dt>File</dt>
          <dd>
            {model.format}, {sizeWords(model.size_bytes)}
          </dd>
        </div>
        <div>
          <dt>Inputs</dt>
          <dd>{graph.inputs.map(tensorWords).join("; ")}</dd>
        </div>
        <div>
          <dt>Outputs</dt>
          <dd>{graph.outputs.map(tensorWords).join("; ")}</dd>
        </div>
      </dl>
      <h3 class="is-good">
        <Icon name="check" size={14} /> {figure(nodes)} {nodes === 1 ? "node becomes" : "nodes become"} hardware
      </h3>
      <OperatorChips operators={graph.operators} />
      {software.length > 0 && (
        <>
          <h3>{software.length === 1 ? "1 step stays in software" : `${software.length} steps stay in software`}, behind the outputs</h3>
          <ul class="report-steps">
            {software.map(({ node, operator, reason, output }) => (
              <li key={`${node} ${output ?? ""}`}>
                <b>{operator}</b> <code>{node}</code> {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Why a file was refused, with every node of it that is in the way. */
export function Refusal({ error, file }: { error: Error; file: string }) {
  const service = error instanceof ServiceError ? error : null;
  return (
    <div class="refusal" role="alert">
      <p>
        <b>
          <Icon name="warning" size={14} /> {service?.title ?? "The upload failed"}: {file}
        </b>
      </p>
      <p>{error.message}</p>
      {service !== null && service.offences.length > 0 && (
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Operator</th>
              <th scope="col">What to do</th>
            </tr>
          </thead>
          <tbody>
            {service.offences.map((offence, i) => (
              <tr key={i}>
                <th scope="row">
                  <code>{offence.node ?? offence.pointer}</code>
                </th>
                <td>{offence.operator}</td>
                <td class="wraps">{offence.reason ?? offence.detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
