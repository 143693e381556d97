/** The figures of a trial that decide about it. */
import { figure, span } from "../parts/format";
import { Icon } from "../parts/icons";
import { metricLabel, metricWords, provenance } from "../parts/words";
import { figures, type Routed, type Trial } from "../service/trial";
import type { Job } from "../service/types";

const FIRST = ["accuracy", "throughput_per_s", "latency_ns", "meas_interval_cycles", "est_lut", "est_dsp", "est_bram_kb", "est_power_w", "est_energy_uj_per_inference"];

const NOTES: Record<string, string> = { estimated: "estimated", simulated: "counted in simulation", "": "" };

function Fact({ name, value, note }: { name: string; value: number; note: string }) {
  const { label, unit } = metricWords(name);
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>
        {figure(value)} <small>{unit}</small>
        <span class="fact-note">{note}</span>
      </dd>
    </div>
  );
}

/** Clock, and where it comes from: a promise is not a measurement. */
function ClockFact({ trial, found }: { trial: Trial; found: Record<string, number> }) {
  const { clock_mhz: clock, meas_fmax_mhz: routed, est_fmax_mhz: estimated } = found;
  if (clock === undefined) return null;
  const notes = [trial.clock_source === null ? "" : trial.clock_source, routed === undefined ? "" : `routed at ${figure(routed)}`, estimated === undefined ? "" : `estimated at most ${figure(estimated)}`];
  return <Fact name="clock_mhz" value={clock} note={notes.filter(Boolean).join(" · ")} />;
}

/** Whether every word agreed: the reason to believe the rest. */
export function Exactness({ trial }: { trial: Trial }) {
  const { exact } = trial;
  if (exact === null) return null;
  const good = exact.mismatched_words === 0;
  return (
    <p class={`exactness ${good ? "is-good" : "is-bad"}`}>
      <Icon name={good ? "check" : "warning"} size={20} />
      <span>
        <b>
          {figure(exact.compared_words)} words compared, {exact.mismatched_words === 0 ? "none differs" : `${figure(exact.mismatched_words)} differ`}
        </b>
        <span>
          {exact.samples} samples were streamed through the simulated RTL; every output word was compared with the integer reference.
          {trial.sign_off !== null && ` Sign-off as one simulation: ${trial.sign_off}.`}
        </span>
      </span>
    </p>
  );
}

export function TrialFacts({ trial }: { trial: Trial }) {
  const found = figures(trial);
  return (
    <dl class="facts card">
      {FIRST.flatMap((name) => {
        const value = found[name];
        if (value === undefined) return [];
        const float = name === "accuracy" && found["float_accuracy"] !== undefined ? `float model ${figure(found["float_accuracy"])}` : NOTES[provenance(name)];
        return [<Fact key={name} name={name} value={value} note={float ?? ""} />];
      })}
      <ClockFact trial={trial} found={found} />
    </dl>
  );
}

function slack(violation: number, met: boolean): string {
  return met ? `met by ${figure(Math.abs(violation))}` : `missed by ${figure(violation)}`;
}

/** The bounds of the job, and how far this trial is from each. */
export function Bounds({ trial, job }: { trial: Trial; job: Job | null }) {
  const entries = Object.entries(trial.constraints);
  if (entries.length === 0) return null;
  const bound = (name: string): string => {
    const found = job?.spec.constraints.find(({ metric }) => metric === name);
    if (found === undefined) return name.replaceAll("_", " ");
    const words = [found.min === null ? "" : `≥ ${figure(found.min)}`, found.max === null ? "" : `≤ ${figure(found.max)}`];
    return `${metricLabel(name)} ${words.filter(Boolean).join(", ")}`;
  };
  return (
    <ul class="bounds" aria-label="Constraints">
      {entries.map(([name, violation]) => (
        <li key={name} class={violation > 0 ? "tone-bad" : "tone-good"}>
          <Icon name={violation > 0 ? "cancel" : "check"} size={14} />
          {bound(name)} <span>{slack(violation, violation <= 0)}</span>
        </li>
      ))}
    </ul>
  );
}

function RoutedDevice({ one }: { one: Routed }) {
  return (
    <li>
      <b>
        Device {one.index}: {one.part}
      </b>
      <span>{figure(one.fmax_mhz)} MHz measured</span>
      <span>
        {figure(one.lut)} LUT, {figure(one.ff)} flip-flops, {figure(one.dsp)} DSP, {figure(one.bram)} block RAM
      </span>
      <span>
        limited by {one.critical_path.operator}: {one.critical_path.stage}, {figure(one.critical_path.ns)} ns
      </span>
      <span>
        bitstream of {figure(one.bitstream_bytes / 1000)} kB; <code>make bitstream</code> of the bundle writes it
      </span>
    </li>
  );
}

/** How far place and route is, what it found of each device, or why it found nothing. */
export function Routing({ trial }: { trial: Trial }) {
  const { routed, routing, routing_reason: reason } = trial;
  return (
    <section class="card" aria-label="Placed and routed">
      <header class="card-head">
        <h2>Placed and routed</h2>
      </header>
      {routed === null && <p class="quiet">{reason ?? `Place and route: ${routing}.`}</p>}
      <ul class="routed">{routed?.devices.map((one) => <RoutedDevice key={one.index} one={one} />)}</ul>
    </section>
  );
}

/** When and how long. */
export function timeWords(trial: Trial): string {
  if (trial.started_at === null) return "not started";
  if (trial.finished_at === null) return trial.stage === null ? "running" : `running: ${trial.stage}`;
  return `took ${span((Date.parse(trial.finished_at) - Date.parse(trial.started_at)) / 1000)}`;
}
