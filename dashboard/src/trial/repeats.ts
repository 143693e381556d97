/** Blocks that repeat, as the layers of a transformer do: found by what their layers are, not by their names. */
import { type Unit, unit, type Wire, wires } from "./units";
import type { Stream } from "../service/trial";

export interface Run {
  start: number;
  /** Layers of one block. */
  period: number;
  blocks: number;
}

const LEAST_PERIOD = 3;

/** The run that covers most of a sequence in blocks of equal content; null when nothing repeats. */
export function repeated(kinds: readonly string[]): Run | null {
  let best: Run | null = null;
  const covered = (run: Run | null): number => (run === null ? 0 : run.period * run.blocks);
  for (let period = LEAST_PERIOD; period <= kinds.length / 2; period++) {
    for (let start = 0, i = 0; i + period <= kinds.length; i++) {
      if (i + period < kinds.length && kinds[i] === kinds[i + period]) continue;
      const run = { start, period, blocks: Math.floor((i - start) / period) + 1 };
      if (run.blocks > 1 && covered(run) > covered(best)) best = run;
      start = i + 1;
    }
  }
  return best;
}

/** How many units before a place are read after it: few at the border of a block. */
function crossings(units: readonly Unit[], all: readonly Wire[], place: number): number {
  const position = new Map(units.map((one, i) => [one.key, i]));
  const makers = all.filter(({ from, to }) => (position.get(from) ?? 0) < place && (position.get(to) ?? 0) >= place);
  return new Set(makers.map(({ from }) => from)).size;
}

/** A run may be read from several starts: the one whose border fewest streams cross. */
function aligned(run: Run, units: readonly Unit[], all: readonly Wire[]): Run {
  const kinds = units.map(({ kind }) => kind);
  const starts = [run.start];
  for (let next = run.start + 1; next < run.start + run.period; next++) {
    const last = next + run.period * run.blocks - 1;
    if (last >= kinds.length || kinds[last] !== kinds[last - run.period]) break;
    starts.push(next);
  }
  const cost = (start: number): number => crossings(units, all, start);
  return { ...run, start: starts.reduce((best, start) => (cost(start) < cost(best) ? start : best)) };
}

/** The run of repeated blocks among layers. */
export function blocks(units: readonly Unit[], streams: readonly Stream[]): Run | null {
  const run = repeated(units.map(({ kind }) => kind));
  return run === null ? null : aligned(run, units, wires(units, streams));
}

/** Layers with the blocks of a run folded, but for those that are open. A block over two devices becomes two parts. */
export function folded(units: readonly Unit[], run: Run, open: ReadonlySet<number>): Unit[] {
  const end = run.start + run.period * run.blocks;
  const inside = Array.from({ length: run.blocks }, (_, index) => {
    const members = units.slice(run.start + index * run.period, run.start + (index + 1) * run.period);
    return open.has(index) ? members : parts(members, index, run);
  });
  return [...units.slice(0, run.start), ...inside.flat(), ...units.slice(end)];
}

function parts(members: readonly Unit[], index: number, run: Run): Unit[] {
  const devices = [...new Set(members.map(({ device }) => device))];
  return devices.map((device) => {
    const here = members.filter((one) => one.device === device);
    const block = { run: run.start, index, of: run.blocks, layers: here.length };
    const title = devices.length === 1 ? `Block ${index + 1} of ${run.blocks}` : `Block ${index + 1}, on device ${device}`;
    return unit(`block ${index} ${device}`, title, here.flatMap(({ operators }) => operators), block);
  });
}
