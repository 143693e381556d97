/** The decisions of a candidate, node by node: formats with their error, lanes, place. */
import { useSignal } from "@preact/signals";
import { Button, Card } from "../parts/basics";
import type { Trial } from "../service/trial";

const SHOWN = 60;

function placeWords(place: number | number[] | undefined): string {
  if (place === undefined) return "–";
  return Array.isArray(place) ? place.join(" + ") : String(place);
}

/** A share of the float tensor: three digits say enough. */
function errorWords(share: number | undefined): string {
  return share === undefined ? "–" : `${Number((100 * share).toPrecision(3))} %`;
}

/** Coloured by its bits: fewer are lighter. */
export function FormatChip({ format }: { format: string | null | undefined }) {
  if (format == null) return <span class="quiet">–</span>;
  return <code class="format">{format}</code>;
}

/** Every node that the candidate decides about, in the order of its formats. */
export function nodesOf({ candidate }: Trial): string[] {
  return [...new Set([...Object.keys(candidate.quantization), ...Object.keys(candidate.parallelism), ...Object.keys(candidate.partition)])];
}

export function Formats({ trial }: { trial: Trial }) {
  const all = useSignal(false);
  const { quantization, parallelism, partition } = trial.candidate;
  const errors = new Map((trial.metrics.tensors ?? []).map(({ node, error }) => [node, error]));
  const order = new Map((trial.metrics.operators ?? []).map(({ source }, i) => [source, i]));
  const nodes = nodesOf(trial).sort((a, b) => (order.get(a) ?? -1) - (order.get(b) ?? -1));
  return (
    <Card title="Decisions" note={`${nodes.length} tensors: formats, lanes, device`} class="formats">
      <div class="scrolled tall" tabIndex={0} role="region" aria-label="Decisions as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Weights</th>
              <th scope="col">Activations</th>
              {errors.size > 0 && (
                <th scope="col" class="number" title="RMS of the difference to the float tensor, as a share of that one's; what came before is in it">
                  Error
                </th>
              )}
              <th scope="col">Lanes in × out</th>
              <th scope="col">Device</th>
            </tr>
          </thead>
          <tbody>
            {(all.value ? nodes : nodes.slice(0, SHOWN)).map((node) => {
              const lanes = parallelism[node];
              return (
                <tr key={node}>
                  <th scope="row">{node}</th>
                  <td>
                    <FormatChip format={quantization[node]?.weight} />
                  </td>
                  <td>
                    <FormatChip format={quantization[node]?.activation} />
                  </td>
                  {errors.size > 0 && <td class="number">{errorWords(errors.get(node))}</td>}
                  <td>{lanes === undefined ? <span class="quiet">–</span> : `${lanes.in_lanes} × ${lanes.out_lanes}`}</td>
                  <td>{placeWords(partition[node])}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {!all.value && nodes.length > SHOWN && (
        <p class="more">
          <Button onClick={() => (all.value = true)}>Show all {nodes.length}</Button>
        </p>
      )}
    </Card>
  );
}
