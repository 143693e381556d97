/** What of a trial's design is shown, and how: the settings live in the address. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { keep, place } from "../app/router";
import { type Operator, operatorsOf, slowest, type Stream, type Trial } from "../service/trial";
import { blocks, folded, type Run } from "./repeats";
import { layers, single, type Unit } from "./units";

export type Level = "layers" | "operators";

export const ZOOMS = [0.5, 0.65, 0.8, 1, 1.25];

// Pipelines with more layers than this are folded until someone asks for all of them.
const MANY_LAYERS = 40;

export class PipelineView {
  readonly operators: readonly Operator[];
  readonly streams: readonly Stream[];
  readonly layers: readonly Unit[];
  readonly run: Run | null;
  readonly level: ReadonlySignal<Level>;
  readonly fold: ReadonlySignal<boolean>;
  readonly zoom: ReadonlySignal<number>;
  readonly units: ReadonlySignal<readonly Unit[]>;
  readonly chosen: ReadonlySignal<Unit | null>;
  private readonly picked = signal<string | null>(null);

  constructor(readonly trial: Trial) {
    this.operators = operatorsOf(trial);
    this.streams = trial.metrics.streams ?? [];
    this.layers = layers(this.operators);
    this.run = blocks(this.layers, this.streams);
    const worst = slowest(this.operators)?.name;
    const asked = computed(() => place.value.query);
    this.level = computed(() => (asked.value.get("level") === "operators" ? "operators" : "layers"));
    this.fold = computed(() => this.run !== null && (asked.value.get("fold") ?? (this.layers.length > MANY_LAYERS ? "yes" : "no")) === "yes");
    this.zoom = computed(() => ZOOMS.find((zoom) => String(zoom) === asked.value.get("zoom")) ?? 1);
    const open = computed(() => asked.value.get("open") ?? "");
    const shown = computed(() => `${this.level.value} ${this.fold.value} ${open.value}`);
    this.units = computed(() => {
      void shown.value;
      if (this.level.value === "operators") return single(this.operators);
      if (this.run === null || !this.fold.value) return this.layers;
      return folded(this.layers, this.run, new Set(open.value.split(".").filter(Boolean).map(Number)));
    });
    this.chosen = computed(() => {
      const picked = this.units.value.find(({ key }) => key === this.picked.value);
      return picked ?? this.units.value.find(({ operators }) => operators.some(({ name }) => name === worst)) ?? null;
    });
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
