/** Metrics of trials side by side; the first one is what the others are compared with. */
import { Card } from "../parts/basics";
import { figure } from "../parts/format";
import { metricLabel } from "../parts/words";
import { figures, type Trial } from "../service/trial";
import { Change, wanted } from "./change";

const ORDER = ["accuracy", "throughput_per_s", "latency_ns", "meas_interval_cycles", "meas_latency_cycles", "clock_mhz", "est_fmax_mhz", "meas_fmax_mhz", "est_lut", "est_ff", "est_dsp", "est_bram_kb", "est_power_w", "est_energy_uj_per_inference", "devices_used", "link_bytes_per_inference"];

function names(trials: readonly Trial[]): string[] {
  const all = new Set(trials.flatMap((trial) => Object.keys(figures(trial))));
  return [...ORDER.filter((name) => all.has(name)), ...[...all].filter((name) => !ORDER.includes(name)).sort()];
}

export function Figures({ trials }: { trials: readonly Trial[] }) {
  const found = trials.map(figures);
  return (
    <Card title="Metrics" note="against the first trial" class="compare-figures">
      <div class="scrolled" tabIndex={0} role="region" aria-label="Metrics as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              {trials.map((trial, i) => (
                <th key={trial.id} scope="col" class="number">
                  <span class={`swatch swatch-${i}`}>Trial {trial.number}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names(trials).map((name) => (
              <tr key={name}>
                <th scope="row">{metricLabel(name)}</th>
                {found.map((one, i) => (
                  <td key={trials[i]?.id} class="number">
                    {figure(one[name])}
                    {i > 0 && <Change from={found[0]?.[name]} to={one[name]} want={wanted(name)} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
