/** A slider for the clock, where it is an assumption of the job and nothing that was routed. */
import { Button } from "../parts/basics";
import { figure } from "../parts/format";
import { catalogue } from "../service/devices";
import { devicesOf } from "./limits";
import type { JobView } from "./view";

const FASTEST = 2;
const SLOWEST = 0.2;

/** The clock that the job assumed; null where none of its trials only assumes one. */
function assumed(view: JobView): number | null {
  const found = view.live.points.value.find(({ clock_source: source, metrics }) => source === "requested" && metrics["clock_mhz"] !== undefined);
  return found?.metrics["clock_mhz"] ?? null;
}

export function ClockSlider({ view }: { view: JobView }) {
  const own = assumed(view);
  if (own === null) return null;
  const several = devicesOf(view.spec, catalogue.value).length > 1;
  const value = view.clock.value ?? own;
  return (
    <div class="clock">
      <label>
        <span>
          Assumed clock <b>{figure(value)} MHz</b>
        </span>
        <input type="range" min={Math.round(own * SLOWEST)} max={Math.round(own * FASTEST)} step={Math.max(1, Math.round(own / 50))} value={value} onInput={(event) => (view.clock.value = Number(event.currentTarget.value))} />
      </label>
      {view.clock.value !== null && (
        <Button onClick={() => (view.clock.value = null)}>
          Back to {figure(own)} MHz
        </Button>
      )}
      <p class="quiet">
        Throughput, latency and the front follow; the simulated cycles stay.
        {several && " Links between devices would take another number of cycles: read designs on several devices as a first guess."}
      </p>
    </div>
  );
}
