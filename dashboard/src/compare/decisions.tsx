/** Decisions that trials took differently. */
import { Card } from "../parts/basics";
import type { Trial } from "../service/trial";
import { FormatChip, nodesOf } from "../trial/formats";

interface Difference {
  node: string;
  what: string;
  values: string[];
  format: boolean;
}

/** What a candidate says of a node, by the kind of decision. */
const KINDS: readonly { what: string; format: boolean; of: (trial: Trial, node: string) => string }[] = [
  { what: "weights", format: true, of: ({ candidate }, node) => candidate.quantization[node]?.weight ?? "–" },
  { what: "activations", format: true, of: ({ candidate }, node) => candidate.quantization[node]?.activation ?? "–" },
  {
    what: "lanes",
    format: false,
    of: ({ candidate }, node) => {
      const lanes = candidate.parallelism[node];
      return lanes === undefined ? "–" : `${lanes.in_lanes} × ${lanes.out_lanes}`;
    },
  },
  { what: "device", format: false, of: ({ candidate }, node) => [candidate.partition[node] ?? "–"].flat().join(" + ") },
];

function differences(trials: readonly Trial[]): Difference[] {
  const nodes = [...new Set(trials.flatMap(nodesOf))];
  const all = nodes.flatMap((node) => KINDS.map(({ what, format, of }) => ({ node, what, format, values: trials.map((trial) => of(trial, node)) })));
  return all.filter(({ values }) => new Set(values).size > 1);
}

export function Decisions({ trials }: { trials: readonly Trial[] }) {
  const found = differences(trials);
  const nodes = new Set(found.map(({ node }) => node)).size;
  return (
    <Card title="Decisions" note={found.length === 0 ? "the same in all" : `${found.length} differences at ${nodes} nodes`} class="compare-decisions">
      {found.length > 0 && (
        <div class="scrolled tall" tabIndex={0} role="region" aria-label="Different decisions as a table">
          <table class="listing">
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col">Decision</th>
                {trials.map((trial, i) => (
                  <th key={trial.id} scope="col">
                    <span class={`swatch swatch-${i}`}>Trial {trial.number}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.map(({ node, what, values, format }) => (
                <tr key={`${node} ${what}`}>
                  <th scope="row">{node}</th>
                  <td class="quiet">{what}</td>
                  {values.map((value, i) => (
                    <td key={i}>{format ? <FormatChip format={value === "–" ? null : value} /> : value}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
