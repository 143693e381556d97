/** The chosen box in words and figures. */
import { Button } from "../parts/basics";
import { figure } from "../parts/format";
import { type Operator, RESOURCE_WORDS, RESOURCES, type Stream } from "../service/trial";
import { laneWords } from "./box";
import { byteWords } from "./sections";
import { activity, bytes, interval, resources, simulatedCycles, type Unit } from "./units";
import type { PipelineView } from "./view";
import { moduleWords } from "./words";

function Spent({ one, cycles }: { one: Operator; cycles: number }) {
  const { busy, blocked, starved } = activity(one, cycles);
  const rows = [["busy", busy, one.busy_cycles], ["blocked", blocked, one.blocked_cycles], ["starved", starved, one.starved_cycles]] as const;
  return (
    <dl class="spent-list">
      {rows.map(([name, share, count]) => (
        <div key={name}>
          <dt class={`key-${name}`}>{name}</dt>
          <dd>
            <span class="use-bar">
              <span class={`fill-${name}`} style={{ width: `${100 * share}%` }} />
            </span>
            <span>{figure(count)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Figures({ unit, view }: { unit: Unit; view: PipelineView }) {
  const needed = resources(unit);
  const { main } = unit;
  const limit = view.limit(unit);
  const worst = interval({ operators: view.operators } as Unit);
  const rows: [string, string][] = [
    ["Interval", `${figure(interval(unit))} cycles, ${Math.round((100 * interval(unit)) / worst)} % of the slowest`],
    ["Latency alone", `${figure(main.model_latency_cycles)} cycles`],
    ...(limit === null ? [] : [["Clock", `${figure(limit.fmax_mhz)} MHz routed: its path is the longest of device ${limit.index}`] as [string, string]]),
    ...(laneWords(main) === "" ? [] : [["Parallelism", laneWords(main)] as [string, string]]),
    ...RESOURCES.flatMap((name): [string, string][] => {
      const value = needed[name];
      return value === undefined ? [] : [[RESOURCE_WORDS[name], `${figure(value)}${name === "bram_kb" ? " Kb" : ""}`]];
    }),
    ["Most beats held", figure(main.high_water_beats)],
  ];
  return (
    <dl class="pairs">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Streams({ title, streams }: { title: string; streams: readonly Stream[] }) {
  if (streams.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="streams">
        {streams.map((one) => (
          <li key={one.name}>
            <b>{one.name}</b>
            <span>
              <code>{one.format}</code> · {one.lanes} lane{one.lanes === 1 ? "" : "s"} · {byteWords(bytes(one))} per inference
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Also the helpers of a unit: buffers, forks, casts. */
function Members({ unit }: { unit: Unit }) {
  if (unit.operators.length === 1) return null;
  return (
    <details class="members">
      <summary>{unit.operators.length} operators</summary>
      <ul>
        {unit.operators.map((one) => (
          <li key={one.name}>
            <span>{one.name}</span>
            <span class="quiet">
              {moduleWords(one.module)}, {figure(one.model_interval_cycles)} cycles
              {one.module === "dse_fifo" && `, held ${figure(one.high_water_beats)} of ${figure(one.parameters["Depth"])} beats`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Parameters({ one }: { one: Operator }) {
  return (
    <details class="members">
      <summary>
        Parameters of <code>{one.module}</code>
      </summary>
      <ul>
        {Object.entries(one.parameters).map(([name, value]) => (
          <li key={name}>
            <span>{name}</span>
            <span class="quiet">{value}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Panel({ view }: { view: PipelineView }) {
  const unit = view.chosen.value;
  if (unit === null) return null;
  const names = new Set(unit.operators.map(({ name }) => name));
  const has = (end: string | null): boolean => end !== null && names.has(end);
  const { block } = unit;
  return (
    <section class="card panel" aria-label="Chosen box" aria-live="polite">
      <header class="card-head">
        <h2>{unit.title}</h2>
        <p class="card-note">
          {unit.kind} on device {unit.device}
        </p>
        {block !== null && (
          <div class="card-actions">
            <Button onClick={() => view.unfold(block.index)}>Show its {block.layers} layers</Button>
          </div>
        )}
      </header>
      <Figures unit={unit} view={view} />
      <h3>
        Time of <code>{unit.main.name}</code>, in simulated cycles
      </h3>
      <Spent one={unit.main} cycles={simulatedCycles(view.operators)} />
      <Streams title="Takes" streams={view.streams.filter(({ producer, consumer }) => has(consumer) && !has(producer))} />
      <Streams title="Gives" streams={view.streams.filter(({ producer, consumer }) => has(producer) && !has(consumer))} />
      <Members unit={unit} />
      <Parameters one={unit.main} />
    </section>
  );
}
