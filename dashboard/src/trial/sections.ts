/** What is drawn for each device: its units, the wires between them, and ports to everything else. */
import type { Stream } from "../service/trial";
import type { Port } from "./layout";
import { bytes, type Unit, type Wire, wires } from "./units";
import { short } from "../parts/format";

export interface Section {
  device: number;
  units: Unit[];
  ports: Port[];
  wires: Wire[];
}

/** Bytes of one inference as people read them. */
export function byteWords(count: number): string {
  for (const [unit, scale] of [["MB", 1e6], ["kB", 1e3]] as const) if (count >= scale) return `${Number((count / scale).toPrecision(3))} ${unit}`;
  return `${short(count)} B`;
}

/** A wire from or to another device or the outside, as one to a port of this section. */
interface Leaving {
  port: string;
  title: string;
  entering: boolean;
  unit: string;
  streams: readonly Stream[];
}

function crossing(device: number, units: ReadonlyMap<string, Unit>, all: readonly Wire[]): Leaving[] {
  return all.flatMap(({ from, to, streams }): Leaving[] => {
    const [source, target] = [units.get(from)?.device, units.get(to)?.device];
    if (source === undefined || target === undefined || source === target) return [];
    if (source === device) return [{ port: `to ${target}`, title: `to device ${target}`, entering: false, unit: from, streams }];
    return target === device ? [{ port: `from ${source}`, title: `from device ${source}`, entering: true, unit: to, streams }] : [];
  });
}

function outside(device: number, units: readonly Unit[], streams: readonly Stream[]): Leaving[] {
  const owner = new Map(units.flatMap((one) => one.operators.map((operator) => [operator.name, one] as const)));
  return streams.flatMap((stream): Leaving[] => {
    const unit = owner.get(stream.producer ?? stream.consumer ?? "");
    if (unit?.device !== device || (stream.producer !== null && stream.consumer !== null)) return [];
    return [{ port: `outside ${stream.name}`, title: stream.name, entering: stream.producer === null, unit: unit.key, streams: [stream] }];
  });
}

function portsOf(leaving: readonly Leaving[]): { ports: Port[]; wires: Wire[] } {
  const names = [...new Set(leaving.map(({ port }) => port))];
  const ports = names.map((name): Port => {
    const mine = leaving.filter(({ port }) => port === name);
    const { title, entering } = mine[0] as Leaving;
    const sum = mine.flatMap(({ streams }) => streams).reduce((total, stream) => total + bytes(stream), 0);
    return { key: `port ${name}`, title, note: byteWords(sum), entering };
  });
  const ends = leaving.map(({ port, entering, unit, streams }): Wire => (entering ? { from: `port ${port}`, to: unit, streams } : { from: unit, to: `port ${port}`, streams }));
  return { ports, wires: ends };
}

/** One section for each device in use, in order. */
export function sections(units: readonly Unit[], streams: readonly Stream[]): Section[] {
  const all = wires(units, streams);
  const byKey = new Map(units.map((one) => [one.key, one]));
  return [...new Set(units.map(({ device }) => device))].sort((a, b) => a - b).map((device) => {
    const own = units.filter((one) => one.device === device);
    const made = portsOf([...outside(device, units, streams), ...crossing(device, byKey, all)]);
    const inner = all.filter(({ from, to }) => byKey.get(from)?.device === device && byKey.get(to)?.device === device);
    return { device, units: own, ports: made.ports, wires: [...inner, ...made.wires] };
  });
}
