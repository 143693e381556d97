/** What of a job's trials is shown: in plots the rest is pale, in the table it is gone. */
import { useSignal } from "@preact/signals";
import { Button, Choice } from "../parts/basics";
import { count, figure } from "../parts/format";
import { Icon } from "../parts/icons";
import { TRIAL_STATES } from "../service/types";
import type { Field } from "./fields";
import type { JobView, Only, Range } from "./view";

const ONLY: readonly { value: Only; label: string }[] = [
  { value: "all", label: "all trials" },
  { value: "feasible", label: "feasible" },
  { value: "front", label: "the front" },
];

/** A range of a field in words. */
function rangeWords({ label, categories }: Field, [low, high]: Range): string {
  const text = (value: number): string => categories?.[value] ?? figure(value);
  if (low === high || (categories !== null && Math.ceil(low) === Math.floor(high))) return `${label} ${text(Math.ceil(low))}`;
  if (low === -Infinity) return `${label} ≤ ${text(high)}`;
  return high === Infinity ? `${label} ≥ ${text(low)}` : `${label} ${text(low)} – ${text(high)}`;
}

/** One more bound, typed. */
function AddRange({ view, onDone }: { view: JobView; onDone: () => void }) {
  const fields = view.fields.value.filter(({ categories }) => categories?.length !== 0);
  const key = useSignal(view.spec.objectives[0]?.metric ?? fields[0]?.key ?? "");
  const field = view.byKey.value.get(key.value);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const read = (name: string, otherwise: number): number => (form.get(name) === "" || form.get(name) === null ? otherwise : Number(form.get(name)));
    const category = form.get("category");
    const range: Range = category === null ? [read("low", -Infinity), read("high", Infinity)] : [Number(category), Number(category)];
    view.range(key.value, range);
    onDone();
  };
  return (
    <form class="add-range" onSubmit={submit}>
      <Choice label="Field" value={key.value} options={fields.map((f) => ({ value: f.key, label: f.label, group: f.group }))} onChange={(value) => (key.value = value)} />
      {field?.categories == null ? (
        <>
          <label class="choice">
            <span>from</span>
            <input name="low" type="number" step="any" />
          </label>
          <label class="choice">
            <span>to</span>
            <input name="high" type="number" step="any" />
          </label>
        </>
      ) : (
        <label class="choice">
          <span>is</span>
          <select name="category">
            {field.categories.map((category, i) => (
              <option key={category} value={i}>
                {category}
              </option>
            ))}
          </select>
        </label>
      )}
      <button type="submit" class="button main">
        Filter
      </button>
      <Button onClick={onDone}>Leave it</Button>
    </form>
  );
}

export function Filters({ view }: { view: JobView }) {
  const adding = useSignal(false);
  const counts = view.live.job.value?.counts;
  const states = TRIAL_STATES.filter((state) => (counts?.[state] ?? 0) > 0);
  const { value: lasso } = view.lasso;
  return (
    <section class="filter-bar card" aria-label="Filters">
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Number, reason or format"
          aria-label="Search trials"
          value={view.text.value}
          onInput={(event) => view.change(() => (view.text.value = event.currentTarget.value))}
        />
      </label>
      <Choice
        label="Show"
        value={view.only.value}
        options={ONLY}
        onChange={(only) => view.change(() => (view.only.value = only))}
      />
      <div class="chips" role="group" aria-label="States">
        {states.map((state) => (
          <button key={state} type="button" class={`chip key key-${state}`} aria-pressed={view.states.value.has(state)} onClick={() => view.toggleState(state)}>
            {state} <b>{counts?.[state]}</b>
          </button>
        ))}
      </div>
      {!adding.value && (
        <Button icon="extend" onClick={() => (adding.value = true)}>
          Filter
        </Button>
      )}
      <div class="chips" role="group" aria-label="Filters in force">
        {[...view.ranges.value].map(([key, range]) => {
          const field = view.byKey.value.get(key);
          return field === undefined ? null : (
            <button key={key} type="button" class="chip chip-on" title="Remove this filter" onClick={() => view.range(key, null)}>
              {rangeWords(field, range)} <Icon name="cancel" size={12} />
            </button>
          );
        })}
        {lasso !== null && (
          <button type="button" class="chip chip-on" title="Remove this filter" onClick={() => (view.lasso.value = null)}>
            lasso around {lasso.size} <Icon name="cancel" size={12} />
          </button>
        )}
      </div>
      <p class="filter-count" role="status">
        {view.filtered.value ? `${figure(view.shown.value.length)} of ${count(view.points.value.length, "trial")}` : count(view.points.value.length, "trial")}
        {view.filtered.value && (
          <button type="button" class="link" onClick={() => view.clear()}>
            show all
          </button>
        )}
      </p>
      {adding.value && <AddRange view={view} onDone={() => (adding.value = false)} />}
    </section>
  );
}
