/** Operators of trials side by side, by the node of the model that they implement. */
import { useSignal } from "@preact/signals";
import { Button, Card, Choice } from "../parts/basics";
import { figure, short } from "../parts/format";
import { operatorsOf, type Trial } from "../service/trial";
import { laneWords } from "../trial/box";
import { interval, layers, resources, type Unit } from "../trial/units";
import { Change } from "./change";

interface Quantity {
  key: string;
  label: string;
  of: (unit: Unit) => number | undefined;
}

const QUANTITIES: readonly Quantity[] = [
  { key: "interval", label: "Interval, cycles", of: interval },
  { key: "lut", label: "LUT", of: (unit) => resources(unit).lut },
  { key: "ff", label: "FF", of: (unit) => resources(unit).ff },
  { key: "dsp", label: "DSP", of: (unit) => resources(unit).dsp },
  { key: "bram_kb", label: "Block RAM, Kb", of: (unit) => resources(unit).bram_kb },
];

interface Row {
  name: string;
  units: (Unit | undefined)[];
}

/** One row for each layer that any of the trials has, in the order of the first that has it. */
function rowsOf(trials: readonly Trial[]): Row[] {
  const each = trials.map((trial) => {
    const byName = new Map<string, Unit>();
    for (const unit of layers(operatorsOf(trial))) if (!byName.has(unit.title)) byName.set(unit.title, unit);
    return byName;
  });
  const names = [...new Set(each.flatMap((one) => [...one.keys()]))];
  return names.map((name) => ({ name, units: each.map((one) => one.get(name)) }));
}

function Bars({ values, most }: { values: readonly (number | undefined)[]; most: number }) {
  return (
    <span class="pair-bars" aria-hidden="true">
      {values.map((value, i) => (
        <span key={i} class={`fill-${i}`} style={{ width: `${(100 * (value ?? 0)) / most}%` }} />
      ))}
    </span>
  );
}

function differ(row: Row, quantity: Quantity): boolean {
  const values = row.units.map((unit) => (unit === undefined ? undefined : quantity.of(unit)));
  return new Set(values).size > 1;
}

export function CompareOperators({ trials }: { trials: readonly Trial[] }) {
  const chosen = useSignal("interval");
  const only = useSignal(false);
  const quantity = QUANTITIES.find(({ key }) => key === chosen.value) as Quantity;
  const all = rowsOf(trials);
  const rows = only.value ? all.filter((row) => differ(row, quantity)) : all;
  const value = (unit: Unit | undefined): number | undefined => (unit === undefined ? undefined : quantity.of(unit));
  const most = Math.max(1, ...all.flatMap(({ units }) => units.map((unit) => value(unit) ?? 0)));
  if (all.length === 0) return null;
  return (
    <Card
      title="Operators"
      note={`${all.filter((row) => differ(row, quantity)).length} of ${all.length} layers differ in ${quantity.label}`}
      class="compare-operators"
      actions={
        <>
          <Choice label="Show" value={chosen.value} options={QUANTITIES.map(({ key, label }) => ({ value: key, label }))} onChange={(key) => (chosen.value = key)} />
          <Button pressed={only.value} onClick={() => (only.value = !only.value)}>
            Only what differs
          </Button>
        </>
      }
    >
      <div class="scrolled tall" tabIndex={0} role="region" aria-label="Operators of the trials as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col" class="wide">
                {quantity.label}
              </th>
              {trials.map((trial, i) => (
                <th key={trial.id} scope="col" class="number">
                  <span class={`swatch swatch-${i}`}>Trial {trial.number}</span>
                </th>
              ))}
              <th scope="col">Lanes</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, units }) => {
              const values = units.map(value);
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="wide">
                    <Bars values={values} most={most} />
                  </td>
                  {values.map((one, i) => (
                    <td key={trials[i]?.id} class="number" title={figure(one)}>
                      {one === undefined ? "–" : short(one)}
                      {i > 0 && <Change from={values[0]} to={one} want="less" />}
                    </td>
                  ))}
                  <td class="quiet">{[...new Set(units.map((unit) => (unit === undefined ? "–" : laneWords(unit.main))))].join(" → ")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p class="quiet">The trials are equal in it.</p>}
    </Card>
  );
}
