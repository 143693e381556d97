/** All trials as a table: any number of them, any of their fields. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { keep, place } from "../app/router";
import { Badge, Button, Card } from "../parts/basics";
import { download, save } from "../parts/download";
import { figure } from "../parts/format";
import { tell } from "../parts/notices";
import { useVirtual } from "../parts/virtual";
import { TRIAL_TONES } from "../parts/words";
import type { Point } from "../service/types";
import { csv } from "./export";
import { type Field, textOf } from "./fields";
import type { JobView } from "./view";

const ROW_PX = 36;
/** As many trials as the page that compares them has colours for. */
const COMPARED = 4;
const USUAL = ["est_dsp", "latency_ns", "mean_weight_bits", "seconds", "reason"];

function useColumns(view: JobView): Field[] {
  const chosen = place.value.query.get("columns");
  const keys = chosen === null ? [...new Set([...view.spec.objectives.map(({ metric }) => metric), ...USUAL])] : chosen.split(" ");
  return keys.flatMap((key) => view.byKey.value.get(key) ?? []);
}

type Sort = readonly [key: string, down: boolean];

function sortOf(query: URLSearchParams): Sort {
  const text = query.get("sort") ?? "number";
  return text.startsWith("-") ? [text.slice(1), true] : [text, false];
}

/** In order of a field; trials without a value are last, whichever way. */
function sorted(points: readonly Point[], field: Field | undefined, down: boolean): readonly Point[] {
  if (field === undefined) return points;
  const sign = down ? -1 : 1;
  const keyed = points.map((point) => ({ point, value: field.of(point) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    if (typeof a.value === "number" && typeof b.value === "number") return sign * (a.value - b.value);
    return sign * String(a.value).localeCompare(String(b.value));
  });
  return keyed.map(({ point }) => point);
}

function Heading({ field, sort: [key, down] }: { field: Field; sort: Sort }) {
  const on = key === field.key;
  const next = on && !down ? `-${field.key}` : field.key;
  return (
    <th scope="col" aria-sort={on ? (down ? "descending" : "ascending") : undefined} class={field.categories === null ? "number" : ""}>
      <button type="button" onClick={() => keep({ sort: next })}>
        {field.label}
        <span aria-hidden="true">{on ? (down ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

function Columns({ view, columns }: { view: JobView; columns: readonly Field[] }) {
  const on = new Set(columns.map(({ key }) => key));
  const toggle = (key: string): void => {
    const next = on.has(key) ? columns.filter((column) => column.key !== key).map((column) => column.key) : [...on, key];
    keep({ columns: next.join(" ") });
  };
  const groups = ["Metrics", "Decisions", "Trial"] as const;
  return (
    <details class="menu">
      <summary class="button">Columns</summary>
      <div class="menu-body">
        {groups.map((group) => (
          <fieldset key={group}>
            <legend>{group}</legend>
            {view.fields.value
              .filter((field) => field.group === group && field.key !== "number" && field.key !== "state")
              .map(({ key, label }) => (
                <label key={key}>
                  <input type="checkbox" checked={on.has(key)} onChange={() => toggle(key)} /> {label}
                </label>
              ))}
          </fieldset>
        ))}
      </div>
    </details>
  );
}

function Export({ view, points }: { view: JobView; points: readonly Point[] }) {
  const { id } = view.live;
  const name = `headrace-${id}`;
  const shown = (type: string, text: string): Blob => new Blob([text], { type });
  // The service writes this one: it knows types and units, and has the library.
  const parquet = (): void =>
    void download(`/v1/jobs/${id}/trials.parquet`, `${name}.parquet`).then(
      () => tell(`All trials are in ${name}.parquet.`),
      (error: unknown) => tell(error instanceof Error ? error.message : String(error), "bad"),
    );
  return (
    <>
      <Button icon="download" name="Save the trials shown as CSV" onClick={() => save(shown("text/csv", csv(view.fields.value, points)), `${name}.csv`)}>
        CSV
      </Button>
      <Button icon="download" name="Save the trials shown as JSON" onClick={() => save(shown("application/json", JSON.stringify(points, null, 1)), `${name}.json`)}>
        JSON
      </Button>
      <Button icon="download" name="Save all trials as Parquet" onClick={parquet}>
        Parquet
      </Button>
    </>
  );
}

/** Trials that were ticked, to look at side by side. */
function Ticked({ chosen }: { chosen: Signal<readonly string[]> }) {
  const { length } = chosen.value;
  if (length === 0) return null;
  return (
    <a class="button main" href={`/compare?trials=${chosen.value.join(",")}`}>
      Compare {length} of {COMPARED} at most
    </a>
  );
}

interface RowProps {
  view: JobView;
  point: Point;
  columns: readonly Field[];
  index: number;
  chosen: Signal<readonly string[]>;
}

function Row({ view, point, columns, index, chosen }: RowProps) {
  const front = view.front.value.has(point.number);
  const ticked = chosen.value.includes(point.id);
  const tick = (): void => void (chosen.value = ticked ? chosen.value.filter((id) => id !== point.id) : [...chosen.value, point.id]);
  return (
    <tr aria-rowindex={index + 2} class={front ? "on-front" : ""}>
      <td class="tick">
        <input type="checkbox" aria-label={`Compare trial ${point.number}`} checked={ticked} disabled={!ticked && chosen.value.length === COMPARED} onChange={tick} />
      </td>
      <th scope="row" class="number">
        <a href={`/trials/${point.id}`}>{point.number}</a>
      </th>
      <td>
        <Badge tone={TRIAL_TONES[point.state]}>{front ? "front" : point.state}</Badge>
      </td>
      {columns.map((field) => {
        const text = textOf(field, point);
        return (
          <td key={field.key} class={field.categories === null ? "number" : "words"} title={field.key === "reason" ? text : undefined}>
            {text}
          </td>
        );
      })}
    </tr>
  );
}

export function Table({ view }: { view: JobView }) {
  const scroller = useRef<HTMLDivElement>(null);
  const chosen = useSignal<readonly string[]>([]);
  const columns = useColumns(view);
  const sort = sortOf(place.value.query);
  const rows = useComputed(() => {
    const [key, down] = sortOf(place.value.query);
    return sorted(view.shown.value, view.byKey.value.get(key), down);
  });
  const window = useVirtual(scroller, rows.value.length, ROW_PX);
  const [first, last] = [window.rows[0], window.rows.at(-1)];
  const fixed = ["number", "state"].flatMap((key) => view.byKey.value.get(key) ?? []);
  return (
    <Card
      title="Trials"
      class="trials"
      note={`${figure(rows.value.length)} shown`}
      actions={
        <>
          <Ticked chosen={chosen} />
          <Columns view={view} columns={columns} />
          <Export view={view} points={rows.value} />
        </>
      }
    >
      <div ref={scroller} class="table-scroller" tabIndex={0} role="region" aria-label="Table of trials">
        <table aria-rowcount={rows.value.length + 1}>
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col" class="tick">
                <span class="hidden-text">Compare</span>
              </th>
              {[...fixed, ...columns].map((field) => (
                <Heading key={field.key} field={field} sort={sort} />
              ))}
            </tr>
          </thead>
          <tbody>
            <tr class="gap" aria-hidden="true" style={{ height: `${first?.start ?? 0}px` }} />
            {window.rows.map(({ index }) => {
              const point = rows.value[index];
              return point === undefined ? null : <Row key={point.number} view={view} point={point} columns={columns} index={index} chosen={chosen} />;
            })}
            <tr class="gap" aria-hidden="true" style={{ height: `${window.height - (last?.end ?? 0)}px` }} />
          </tbody>
        </table>
        {rows.value.length === 0 && <p class="empty-title quiet">No trial is like that.</p>}
      </div>
    </Card>
  );
}
