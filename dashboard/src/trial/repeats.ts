/** Blocks that repeat, as the layers of a transformer do: found by what their layers are, not by their names. */
import { type Unit, unit, type Wire, wires } from "./units";
import { moves } from "./words";
import type { Stream } from "../service/trial";

interface Run {
  start: number;
  /** Layers of one block. */
  period: number;
  blocks: number;
}

const LEAST_PERIOD = 3;

/** The run that covers most of a sequence in blocks of equal content; null when nothing repeats. */
function repeated(kinds: readonly string[]): Run | null {
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

/** Units that only take in what another device made: they belong to the block that reads them. */
function arrivals(units: readonly Unit[]): ReadonlySet<Unit> {
  const made = new Set(units.filter(({ operators }) => !operators.every(({ module }) => moves(module))).map(({ title }) => title));
  return new Set(units.filter(({ title, operators }) => made.has(title) && operators.every(({ module }) => moves(module))));
}

/** Repeated blocks among layers: a list of layers for each. */
export interface Repeats {
  before: readonly Unit[];
  blocks: readonly (readonly Unit[])[];
  after: readonly Unit[];
}

/** The repeated blocks of a pipeline; null when nothing repeats. */
export function repeats(units: readonly Unit[], streams: readonly Stream[]): Repeats | null {
  const passing = arrivals(units);
  const core = units.filter((one) => !passing.has(one));
  const found = repeated(core.map(({ kind }) => kind));
  if (found === null) return null;
  const run = aligned(found, core, wires(core, streams));
  // A block ends with its last layer: what arrives from another device begins the next one.
  const end = (place: number): number => (place === 0 ? 0 : units.indexOf(core[place - 1] as Unit) + 1);
  const borders = Array.from({ length: run.blocks + 1 }, (_, i) => end(run.start + i * run.period));
  return {
    before: units.slice(0, borders[0]),
    blocks: borders.slice(1).map((border, i) => units.slice(borders[i], border)),
    after: units.slice(borders[run.blocks]),
  };
}

/** Layers with repeated blocks folded, but for those that are open. A block over two devices becomes two parts. */
export function folded({ before, blocks, after }: Repeats, open: ReadonlySet<number>): Unit[] {
  return [...before, ...blocks.flatMap((members, index) => (open.has(index) ? members : parts(members, index, blocks.length))), ...after];
}

function parts(members: readonly Unit[], index: number, of: number): Unit[] {
  const devices = [...new Set(members.map(({ device }) => device))];
  return devices.map((device) => {
    const here = members.filter((one) => one.device === device);
    const block = { index, of, layers: here.length };
    const title = devices.length === 1 ? `Block ${index + 1} of ${of}` : `Block ${index + 1}, on device ${device}`;
    return unit(`block ${index} ${device}`, title, here.flatMap(({ operators }) => operators), block);
  });
}
