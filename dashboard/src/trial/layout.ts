/** Places of boxes and lines: layers from left to right as dagre finds them, folded into lines like text. */
import { Graph, layout as dagre } from "@dagrejs/dagre";
import { rounded, smooth, type Spot } from "./path";
import type { Unit, Wire } from "./units";

export const BOX = { width: 196, height: 84 };
export const PORT = { width: 168, height: 30 };
const BETWEEN = 40;
const LINE_GAP = 30;
const GUTTER = 34;
const TRACK = 5;
// Empty bands of a row are not higher than this.
const AIR = 14;
// Above this many boxes the exact ranking of dagre takes seconds.
const MANY = 300;

/** Where streams enter or leave what is drawn. */
export interface Port {
  key: string;
  title: string;
  note: string;
  entering: boolean;
}

export interface Placed<T> {
  item: T;
  x: number;
  y: number;
}

export interface Line {
  wire: Wire;
  path: string;
}

export interface Drawing {
  width: number;
  height: number;
  units: Placed<Unit>[];
  ports: Placed<Port>[];
  lines: Line[];
}

interface Row {
  first: number;
  last: number;
  /** A height of dagre's as one of the drawing. */
  place: (y: number) => number;
  bottom: number;
}

interface Band {
  low: number;
  high: number;
}

type Ends = ReadonlyMap<string, { x: number; y: number; width: number; height: number }>;

function ranked(units: readonly Unit[], ports: readonly Port[], wires: readonly Wire[]): Graph {
  const graph: Graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 14, edgesep: 12, ranksep: BETWEEN, ranker: units.length > MANY ? "longest-path" : "network-simplex" });
  for (const { key } of units) graph.setNode(key, { width: BOX.width, height: BOX.height });
  for (const { key } of ports) graph.setNode(key, { width: BOX.width, height: PORT.height });
  for (const { from, to } of wires) if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to, {});
  dagre(graph);
  return graph;
}

/** Columns of the layers, by the middle of their boxes. */
function columns(graph: Graph): number[] {
  return [...new Set(graph.nodes().map((key: string) => Math.round(graph.node(key).x)))].sort((a, b) => a - b);
}

function height(points: readonly Spot[], x: number): number {
  const after = points.findIndex((point) => point.x >= x);
  if (after <= 0) return (points[after === 0 ? 0 : points.length - 1] as Spot).y;
  const [a, b] = [points[after - 1] as Spot, points[after] as Spot];
  return a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x || 1);
}

/** Heights that something takes up, overlapping ones as one, from above to below. */
function merged(bands: readonly Band[]): Band[] {
  const found: Band[] = [];
  for (const { low, high } of [...bands].sort((a, b) => a.low - b.low)) {
    const last = found[found.length - 1];
    if (last !== undefined && low <= last.high + AIR) last.high = Math.max(last.high, high);
    else found.push({ low, high });
  }
  return found;
}

/** Bands close together below `top`, in their order. */
function compact(bands: readonly Band[], top: number): Pick<Row, "place" | "bottom"> {
  let bottom = top;
  const moved = merged(bands).map(({ low, high }) => {
    const by = bottom - low;
    bottom = high + by + AIR;
    return { high, by };
  });
  const shift = (y: number): number => (moved.find(({ high }) => y <= high) ?? moved[moved.length - 1])?.by ?? 0;
  return { place: (y) => y + shift(y), bottom: bottom - AIR };
}

/** What takes up height between two columns: boxes, and wires that pass. */
function bandsOf(graph: Graph, low: number, high: number, passing: readonly number[]): Band[] {
  const boxes = graph.nodes().flatMap((key: string): Band[] => {
    const { x, y, height: size } = graph.node(key);
    return x < low - 1 || x > high + 1 ? [] : [{ low: y - size / 2, high: y + size / 2 }];
  });
  return [...boxes, ...passing.map((y) => ({ low: y - 1, high: y + 1 }))];
}

/** Columns into rows of equal length; `crossing` tells how many lines cross a border, `passing` where lines pass. */
function rows(graph: Graph, at: readonly number[], perRow: number, crossing: (border: number) => number, passing: (first: number, last: number) => number[]): Row[] {
  const found: Row[] = [];
  let top = 0;
  const length = Math.ceil(at.length / Math.ceil(at.length / perRow));
  for (let first = 0; first < at.length; first += length) {
    const last = Math.min(first + length, at.length) - 1;
    const row = { first, last, ...compact(bandsOf(graph, at[first] ?? 0, at[last] ?? 0, passing(first, last)), top) };
    found.push(row);
    top = row.bottom + LINE_GAP + TRACK * crossing(last);
  }
  return found;
}

/** Draw boxes and wires not wider than `width`. */
export function draw(units: readonly Unit[], ports: readonly Port[], wires: readonly Wire[], width: number): Drawing {
  const graph = ranked(units, ports, wires);
  const at = columns(graph);
  const column = (x: number): number => at.indexOf(Math.round(x));
  const pitch = BOX.width + BETWEEN;
  const perRow = Math.max(1, Math.floor((width - 2 * GUTTER + BETWEEN) / pitch));
  const known = wires.filter(({ from, to }) => graph.hasNode(from) && graph.hasNode(to));
  const over = (border: number): Wire[] => known.filter(({ from, to }) => column(graph.node(from).x) <= border && column(graph.node(to).x) > border);
  const passing = (first: number, last: number): number[] => known.flatMap((wire) => passed(wire, first, last));
  const lines = rows(graph, at, perRow, (border) => over(border).length, passing);
  const rowOf = (index: number): Row => lines.find(({ first, last }) => index >= first && index <= last) as Row;
  const left = (index: number): number => GUTTER + (index - rowOf(index).first) * pitch;
  const ends: Ends = new Map(
    graph.nodes().map((key: string) => {
      const { x, y, height: size } = graph.node(key);
      const index = column(x);
      return [key, { x: left(index), y: rowOf(index).place(y) - size / 2, width: BOX.width, height: size }];
    }),
  );
  const tracks = new Map(lines.map(({ last }) => [last, ordered(over(last), last)]));
  const wide = Math.max(...lines.map(({ first, last }) => last - first + 1));
  const right = GUTTER + wide * pitch - BETWEEN;
  return {
    width: Math.max(right + GUTTER, 2 * GUTTER + BOX.width),
    height: Math.max(...lines.map(({ bottom }) => bottom)),
    units: units.map((item) => ({ item, ...spot(ends, item.key) })),
    ports: ports.map((item) => ({ item, ...spot(ends, item.key) })),
    lines: known.map((wire) => ({ wire, path: trace(wire) })),
  };

  /** Heights at which a wire passes columns without ending there. */
  function passed({ from, to }: Wire, first: number, last: number): number[] {
    const [start, end] = [column(graph.node(from).x), column(graph.node(to).x)];
    const points: Spot[] = graph.edge(from, to).points;
    const between = Array.from({ length: Math.max(0, end - start - 1) }, (_, i) => start + 1 + i);
    return between.filter((index) => index >= first && index <= last).map((index) => height(points, at[index] as number));
  }

  /** Wires over a border from above to below, so that their turns do not cross. */
  function ordered(wires: Wire[], border: number): Wire[] {
    const middle = ((at[border] ?? 0) + (at[border + 1] ?? 0)) / 2;
    const y = ({ from, to }: Wire): number => height(graph.edge(from, to).points, middle);
    return wires.sort((a, b) => y(a) - y(b));
  }

  function trace(wire: Wire): string {
    const points: Spot[] = graph.edge(wire.from, wire.to).points;
    const [start, end] = [column(graph.node(wire.from).x), column(graph.node(wire.to).x)];
    const source = ends.get(wire.from) as { x: number; y: number; height: number };
    if (end <= start) return smooth({ x: source.x + BOX.width, y: source.y + source.height / 2 }, spotIn(end));
    let here: Spot = { x: source.x + BOX.width, y: source.y + source.height / 2 };
    let path = `M${here.x} ${here.y}`;
    for (let index = start; index < end; index++) {
      const next = index + 1 === end ? spotIn(end) : { x: left(index + 1), y: rowOf(index + 1).place(height(points, at[index + 1] as number)) };
      path += rowOf(index) === rowOf(index + 1) ? smooth(here, next, false) : turn(here, next, index, wire);
      here = index + 1 === end ? next : { x: next.x + BOX.width, y: next.y };
      if (index + 1 < end) path += `H${here.x}`;
    }
    return path;

    function spotIn(index: number): Spot {
      const target = ends.get(wire.to) as { y: number; height: number };
      return { x: left(index), y: target.y + target.height / 2 };
    }
  }

  /** From the end of a row to the start of the next one, on a track of its own. */
  function turn(from: Spot, to: Spot, index: number, wire: Wire): string {
    const track = tracks.get(rowOf(index).last) as Wire[];
    const above = track.indexOf(wire);
    const below = track.length - 1 - above;
    const y = rowOf(index).bottom + LINE_GAP / 2 + TRACK * below;
    const outer = right + 8 + Math.min(TRACK * below, GUTTER - 12);
    const inner = GUTTER - 8 - Math.min(TRACK * above, GUTTER - 12);
    return rounded([from, { x: outer, y: from.y }, { x: outer, y }, { x: inner, y }, { x: inner, y: to.y }, to], 8);
  }
}

function spot(ends: Ends, key: string): Spot {
  const { x, y } = ends.get(key) as Spot;
  return { x, y };
}
