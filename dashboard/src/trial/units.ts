/** What one box of the picture stands for: an operator, all operators of a node of the model, or a repeated block. */
import { type Operator, RESOURCES, type Resources, type Stream } from "../service/trial";
import { moduleWords, moves } from "./words";

export interface Unit {
  key: string;
  title: string;
  kind: string;
  device: number;
  operators: readonly Operator[];
  /** The operator that the unit is named after: the slowest of those that compute. */
  main: Operator;
  /** A folded block: its place among its equals. */
  block: { index: number; of: number; layers: number } | null;
}

export interface Wire {
  from: string;
  to: string;
  streams: readonly Stream[];
}

function mainOf(operators: readonly Operator[]): Operator {
  const computing = operators.filter(({ module }) => !moves(module));
  const among = computing.length > 0 ? computing : operators;
  return among.reduce((worst, one) => (one.model_interval_cycles > worst.model_interval_cycles ? one : worst));
}

/** Operators put together; they have at least one. */
export function unit(key: string, title: string, operators: readonly Operator[], block: Unit["block"] = null): Unit {
  const main = mainOf(operators);
  const kind = block === null ? moduleWords(main.module) : `${block.layers} layers`;
  return { key, title, kind, device: main.device, operators, main, block };
}

/** Every operator for itself. */
export function single(operators: readonly Operator[]): Unit[] {
  return operators.map((one) => unit(one.name, one.name, [one]));
}

/** One unit for each node of the model and device, in the order of the pipeline. */
export function layers(operators: readonly Operator[]): Unit[] {
  const groups = new Map<string, Operator[]>();
  for (const one of operators) {
    const key = one.source === "" ? one.name : `${one.source}@${one.device}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups].map(([key, members]) => unit(key, members[0]?.source || key, members));
}

/** Cycles between samples that the slowest operator of a unit takes. */
export function interval({ operators }: Unit): number {
  return Math.max(...operators.map((one) => one.model_interval_cycles));
}

/** What a unit needs of each resource; absent where the service does not tell. */
export function resources({ operators }: Pick<Unit, "operators">): Partial<Resources> {
  const sums: Partial<Resources> = {};
  for (const one of operators) {
    for (const name of RESOURCES) {
      const value = one[`est_${name}`];
      if (value !== undefined) sums[name] = (sums[name] ?? 0) + value;
    }
  }
  return sums;
}

/** Shares of the simulated time of an operator in [0, 1]. */
export interface Activity {
  busy: number;
  blocked: number;
  starved: number;
}

/** Cycles that were simulated, as far as operators tell: the most that one of them accounts for. */
export function simulatedCycles(operators: readonly Operator[]): number {
  return Math.max(1, ...operators.map((one) => one.busy_cycles + one.blocked_cycles + one.starved_cycles));
}

/** How an operator spent its time. */
export function activity(one: Operator, cycles: number): Activity {
  return { busy: one.busy_cycles / cycles, blocked: one.blocked_cycles / cycles, starved: one.starved_cycles / cycles };
}

/** The streams between units; those inside of one are left out. */
export function wires(units: readonly Unit[], streams: readonly Stream[]): Wire[] {
  const owner = new Map(units.flatMap((one) => one.operators.map((operator) => [operator.name, one.key] as const)));
  const found = new Map<string, Stream[]>();
  for (const stream of streams) {
    const [from, to] = [stream.producer, stream.consumer].map((end) => (end === null ? null : (owner.get(end) ?? null)));
    if (from == null || to == null || from === to) continue;
    const key = `${from}\n${to}`;
    found.set(key, [...(found.get(key) ?? []), stream]);
  }
  return [...found].map(([key, carried]) => {
    const [from, to] = key.split("\n") as [string, string];
    return { from, to, streams: carried };
  });
}

/** Bytes of one inference over a stream. */
export function bytes({ beats, bits }: Stream): number {
  return (beats * bits) / 8;
}
