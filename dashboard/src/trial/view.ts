/** What of a trial's design is shown, and how: the settings live in the address. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { keep, place } from "../app/router";
import { type Operator, operatorsOf, type Routed, slowest, type Stream, type Trial } from "../service/trial";
import { folded, type Repeats, repeats } from "./repeats";
import { layers, single, type Unit } from "./units";

export type Level = "layers" | "operators";

export const ZOOMS = [0.5, 0.65, 0.8, 1, 1.25];

// Pipelines with more layers than this are folded until someone asks for all of them.
const MANY_LAYERS = 40;

export class PipelineView {
  readonly operators: readonly Operator[];
  readonly streams: readonly Stream[];
  readonly layers: readonly Unit[];
  readonly repeats: Repeats | null;
  readonly level: ReadonlySignal<Level>;
  readonly fold: ReadonlySignal<boolean>;
  readonly zoom: ReadonlySignal<number>;
  readonly units: ReadonlySignal<readonly Unit[]>;
  readonly chosen: ReadonlySignal<Unit | null>;
  /** What place and route found of a device, by the operator that limits its clock. */
  readonly limiting: ReadonlyMap<string, Routed>;
  private readonly picked = signal<string | null>(null);

  constructor(readonly trial: Trial) {
    this.operators = operatorsOf(trial);
    this.streams = trial.metrics.streams ?? [];
    this.layers = layers(this.operators);
    this.limiting = new Map(trial.routed?.devices.map((one) => [one.critical_path.operator, one]));
    this.repeats = repeats(this.layers, this.streams);
    const worst = slowest(this.operators)?.name;
    const asked = computed(() => place.value.query);
    this.level = computed(() => (asked.value.get("level") === "operators" ? "operators" : "layers"));
    this.fold = computed(() => this.repeats !== null && (asked.value.get("fold") ?? (this.layers.length > MANY_LAYERS ? "yes" : "no")) === "yes");
    this.zoom = computed(() => ZOOMS.find((zoom) => String(zoom) === asked.value.get("zoom")) ?? 1);
    const open = computed(() => asked.value.get("open") ?? "");
    const shown = computed(() => `${this.level.value} ${this.fold.value} ${open.value}`);
    this.units = computed(() => {
      void shown.value;
      if (this.level.value === "operators") return single(this.operators);
      if (this.repeats === null || !this.fold.value) return this.layers;
      return folded(this.repeats, new Set(open.value.split(".").filter(Boolean).map(Number)));
    });
    this.chosen = computed(() => {
      const picked = this.units.value.find(({ key }) => key === this.picked.value);
      return picked ?? this.units.value.find(({ operators }) => operators.some(({ name }) => name === worst)) ?? null;
    });
  }

  /** What limits the clock of its device inside a unit; null: nothing that is known. */
  limit({ operators }: Unit): Routed | null {
    return operators.map(({ name }) => this.limiting.get(name)).find((one) => one !== undefined) ?? null;
  }

  /** Choose a box. */
  choose({ key }: Unit): void {
    this.picked.value = key;
  }

  /** Show the layers of a folded block. */
  unfold(index: number): void {
    const open = (place.value.query.get("open") ?? "").split(".").filter(Boolean);
    keep({ open: [...open, String(index)].join(".") });
  }
}
