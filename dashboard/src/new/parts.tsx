/** The sections of the form for a job. */
import { Button } from "../parts/basics";
import { metricLabel } from "../parts/words";
import type { Contract } from "../service/contract";
import { wordsOf } from "../service/contract";
import type { Device } from "../service/types";
import type { ModelReport } from "../service/uploads";
import type { Body, Draft } from "./draft";
import { NumberField, SetField, WordField } from "./fields";

const plainWords = (words: readonly string[]) => words.map((value) => ({ value, label: value.replaceAll("_", " ") }));
const BITS = Array.from({ length: 16 }, (_, i) => i + 1);

/** The name of a device of the user's own; null for one of the catalogue. */
function ownName(draft: Draft, pointer: string): string | null {
  const device = draft.at(pointer);
  return typeof device === "object" && device !== null && !Array.isArray(device) ? String(device["name"]) : null;
}

export function PlatformPart({ draft, devices, contract }: { draft: Draft; devices: readonly Device[]; contract: Contract }) {
  const rows = draft.list("/platform/devices") as Body[];
  const boards = devices.map(({ name, lut, dsp }) => ({ value: name, label: `${name} · ${Math.round(lut / 1000)}k LUT, ${dsp} DSP` }));
  const many = rows.length > 1 || rows.some(({ count }) => Number(count) > 1);
  return (
    <>
      {rows.map((_, i) => {
        const own = ownName(draft, `/platform/devices/${i}/device`);
        return (
          <div class="row" key={i}>
            {own === null ? (
              <WordField draft={draft} pointer={`/platform/devices/${i}/device`} label="Device" words={boards} />
            ) : (
              <p class="own-device">
                <b>{own}</b>, a device of your own
              </p>
            )}
            <NumberField draft={draft} pointer={`/platform/devices/${i}/count`} label="How many" />
            {rows.length > 1 && <Button kind="bare" icon="bin" name={`Remove device ${i + 1}`} onClick={() => draft.remove("/platform/devices", i)} />}
          </div>
        );
      })}
      <Button icon="extend" onClick={() => draft.add("/platform/devices", { device: "u250", count: 1 })}>
        Another kind of device
      </Button>
      <div class="row apart">
        <NumberField draft={draft} pointer="/platform/clock_mhz" label="Clock, MHz" placeholder="the slowest device's" />
        {many && (
          <>
            <WordField draft={draft} pointer="/platform/link/topology" label="Links" words={plainWords(wordsOf(contract, "Link", "topology"))} />
            <NumberField draft={draft} pointer="/platform/link/bandwidth_gbps" label="Gbit/s each way" />
            <NumberField draft={draft} pointer="/platform/link/latency_ns" label="Latency, ns" />
          </>
        )}
      </div>
    </>
  );
}

export function GoalsPart({ draft, contract }: { draft: Draft; contract: Contract }) {
  const metrics = wordsOf(contract, "Objective", "metric").map((value) => ({ value, label: metricLabel(value) }));
  const unused = metrics.find(({ value }) => !(draft.list("/objectives") as Body[]).some(({ metric }) => metric === value));
  return (
    <>
      <h3>Objectives</h3>
      {draft.list("/objectives").map((_, i, all) => (
        <div class="row" key={i}>
          <WordField draft={draft} pointer={`/objectives/${i}/metric`} label={`Objective ${i + 1}`} words={metrics} />
          <WordField draft={draft} pointer={`/objectives/${i}/direction`} label="Better is" words={[{ value: "maximize", label: "more" }, { value: "minimize", label: "less" }]} />
          {all.length > 1 && <Button kind="bare" icon="bin" name={`Remove objective ${i + 1}`} onClick={() => draft.remove("/objectives", i)} />}
        </div>
      ))}
      {unused !== undefined && draft.list("/objectives").length < 6 && (
        <Button icon="extend" onClick={() => draft.add("/objectives", { metric: unused.value, direction: "minimize" })}>
          Another objective
        </Button>
      )}
      <h3>Constraints</h3>
      {draft.list("/constraints").map((_, i) => (
        <div class="row" key={i}>
          <WordField draft={draft} pointer={`/constraints/${i}/metric`} label={`Constraint ${i + 1}`} words={metrics} />
          <NumberField draft={draft} pointer={`/constraints/${i}/min`} label="At least" />
          <NumberField draft={draft} pointer={`/constraints/${i}/max`} label="At most" />
          <Button kind="bare" icon="bin" name={`Remove constraint ${i + 1}`} onClick={() => draft.remove("/constraints", i)} />
          <Said draft={draft} pointer={`/constraints/${i}`} />
        </div>
      ))}
      <Button icon="extend" onClick={() => draft.add("/constraints", { metric: "accuracy", min: null, max: null })}>
        A constraint
      </Button>
    </>
  );
}

/** What was said of a row as a whole. */
function Said({ draft, pointer }: { draft: Draft; pointer: string }) {
  const said = draft.said(pointer);
  return said === null ? null : <p class="field-said">{said}</p>;
}

export function SpacePart({ draft, contract }: { draft: Draft; contract: Contract }) {
  const formats = wordsOf(contract, "Space", "formats");
  const blocks = draft.list("/space/formats").some((format) => format !== "int");
  return (
    <>
      <SetField draft={draft} pointer="/space/formats" label="Formats" values={formats} />
      <SetField draft={draft} pointer="/space/weight_bits" label="Bits of weights" values={BITS} />
      <SetField draft={draft} pointer="/space/activation_bits" label="Bits of activations" values={BITS} />
      {blocks && <SetField draft={draft} pointer="/space/mx_blocks" label="Block lengths" values={[8, 16, 32]} />}
      <div class="row">
        <NumberField draft={draft} pointer="/space/max_lanes" label="Most lanes" />
        <SetField draft={draft} pointer="/space/partition" label="Over devices" values={wordsOf(contract, "Space", "partition")} />
      </div>
    </>
  );
}

export function SearchPart({ draft, contract }: { draft: Draft; contract: Contract }) {
  return (
    <>
      <div class="row">
        <NumberField draft={draft} pointer="/search/trials" label="Trials" />
        <NumberField draft={draft} pointer="/search/wall_seconds" label="Seconds at work" />
        <NumberField draft={draft} pointer="/search/parallel_trials" label="At a time" />
        <NumberField draft={draft} pointer="/search/seed" label="Seed" />
        <WordField draft={draft} pointer="/search/sampler" label="Sampler" words={plainWords(wordsOf(contract, "Search", "sampler"))} />
      </div>
      <div class="row">
        <NumberField draft={draft} pointer="/simulation/samples" label="Samples simulated" />
        <WordField draft={draft} pointer="/simulation/backpressure" label="Back-pressure" words={plainWords(wordsOf(contract, "Simulation", "backpressure"))} />
        <NumberField draft={draft} pointer="/routing/designs" label="Designs placed and routed" />
      </div>
    </>
  );
}

/** What the model is judged by. */
export function JudgePart({ draft, contract, model }: { draft: Draft; contract: Contract; model: ModelReport | undefined }) {
  const outputs = model?.graph.outputs ?? [];
  return (
    <div class="row">
      <WordField draft={draft} pointer="/metric" label="Accuracy is" words={plainWords(wordsOf(contract, "JobBody", "metric"))} none="what fits the data" />
      {outputs.length > 1 && <WordField draft={draft} pointer="/output" label="Of the output" words={outputs.map(({ name }) => ({ value: name, label: name }))} none="all; the worst counts" />}
    </div>
  );
}
