/** The boxes of the picture as a table: the same in figures, to sort. */
import { useSignal } from "@preact/signals";
import { Button, Card } from "../parts/basics";
import { figure } from "../parts/format";
import { RESOURCE_WORDS, RESOURCES, slowest } from "../service/trial";
import { activity, interval, resources, simulatedCycles, type Unit } from "./units";
import type { PipelineView } from "./view";

interface Column {
  key: string;
  label: string;
  of: (unit: Unit) => number | undefined;
}

const SHOWN = 60;

function columns(view: PipelineView): Column[] {
  const all: Column[] = [
    { key: "interval", label: "Interval, cycles", of: interval },
    ...RESOURCES.map((name) => ({ key: name, label: name === "bram_kb" ? "Block RAM, Kb" : RESOURCE_WORDS[name], of: (unit: Unit) => resources(unit)[name] })),
  ];
  return all.filter(({ of }) => view.units.value.some((unit) => of(unit) !== undefined));
}

function Bar({ unit, cycles }: { unit: Unit; cycles: number }) {
  const shares = activity(unit.main, cycles);
  const said = (["busy", "blocked", "starved"] as const).map((name) => `${name} ${Math.round(100 * shares[name])} %`).join(", ");
  return (
    <span class="time-bar" role="img" aria-label={said} title={said}>
      {(["busy", "blocked", "starved"] as const).map((name) => (
        <span key={name} class={`fill-${name}`} style={{ width: `${100 * shares[name]}%` }} />
      ))}
    </span>
  );
}

export function Operators({ view }: { view: PipelineView }) {
  const by = useSignal<string | null>(null);
  const all = useSignal(false);
  const shown = columns(view);
  const order = shown.find(({ key }) => key === by.value);
  const units = order === undefined ? view.units.value : [...view.units.value].sort((a, b) => (order.of(b) ?? 0) - (order.of(a) ?? 0));
  const cycles = simulatedCycles(view.operators);
  const worst = slowest(view.operators)?.name;
  const rows = all.value ? units : units.slice(0, SHOWN);
  const sort = (key: string): void => void (by.value = by.value === key ? null : key);
  return (
    <Card title="Operators" note={order === undefined ? "in the order of the pipeline" : `by ${order.label}, the largest first`} class="operators">
      <div class="scrolled" tabIndex={0} role="region" aria-label="Operators as a table">
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Kind</th>
              {shown.map(({ key, label }) => (
                <th key={key} scope="col" class="number" aria-sort={by.value === key ? "descending" : "none"}>
                  <button type="button" onClick={() => sort(key)}>
                    {label}
                  </button>
                </th>
              ))}
              <th scope="col">Busy, blocked, waiting</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((unit) => (
              <tr key={unit.key} class={unit.operators.some(({ name }) => name === worst) ? "critical" : ""} aria-selected={view.chosen.value?.key === unit.key}>
                <th scope="row">
                  <button type="button" onClick={() => view.choose(unit)}>
                    {unit.title}
                  </button>
                </th>
                <td>{unit.kind}</td>
                {shown.map(({ key, of }) => (
                  <td key={key} class="number">
                    {figure(of(unit))}
                  </td>
                ))}
                <td>
                  <Bar unit={unit} cycles={cycles} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < units.length && (
        <p class="more">
          <Button onClick={() => (all.value = true)}>Show all {units.length}</Button>
        </p>
      )}
    </Card>
  );
}
