/** Places of boxes and lines: layers from left to right as dagre finds them, folded into lines like text. */
import { Graph, layout as dagre } from "@dagrejs/dagre";
import { rounded, smooth, type Spot } from "./path";
import type { Unit, Wire } from "./units";

export const BOX = { width: 190, height: 84 };
export const PORT = { width: 130, height: 30 };
const BETWEEN = 42;
const LINE_GAP = 30;
const GUTTER = 26;
const TRACK = 5;
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
  top: number;
  /** What is added to a height of dagre's to be in this row. */
  shift: number;
  bottom: number;
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

/** Columns into rows of equal length that fit a width; `crossing` tells how many lines cross a border. */
function rows(graph: Graph, at: readonly number[], perRow: number, crossing: (border: number) => number): Row[] {
  const found: Row[] = [];
  let top = 0;
  const count = Math.ceil(at.length / perRow);
  const length = Math.ceil(at.length / count);
  for (let first = 0; first < at.length; first += length) {
    const last = Math.min(first + length, at.length) - 1;
    const [low, high] = [at[first] ?? 0, at[last] ?? 0];
    const ys = graph.nodes().flatMap((key: string) => {
      const { x, y, height: size } = graph.node(key);
      return x < low - 1 || x > high + 1 ? [] : [y - size / 2, y + size / 2];
    });
    for (const edge of graph.edges()) for (const { x, y } of graph.edge(edge).points) if (x >= low && x <= high) ys.push(y - 6, y + 6);
    const [least, most] = [Math.min(...ys), Math.max(...ys)];
    found.push({ first, last, top, shift: top - least, bottom: top + most - least });
    top += most - least + LINE_GAP + TRACK * crossing(last);
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
  const lines = rows(graph, at, perRow, (border) => over(border).length);
  const rowOf = (index: number): Row => lines.find(({ first, last }) => index >= first && index <= last) as Row;
  const left = (index: number): number => GUTTER + (index - rowOf(index).first) * pitch;
  const ends: Ends = new Map(
    graph.nodes().map((key: string) => {
      const { x, y, height: size } = graph.node(key);
      const index = column(x);
      return [key, { x: left(index), y: y + rowOf(index).shift - size / 2, width: BOX.width, height: size }];
    }),
  );
  const tracks = new Map(lines.map(({ last }) => [last, over(last)]));
  const wide = Math.max(...lines.map(({ first, last }) => last - first + 1));
  const right = GUTTER + wide * pitch - BETWEEN;
  return {
    width: Math.max(right + GUTTER, 2 * GUTTER + BOX.width),
    height: Math.max(...lines.map(({ bottom }) => bottom)),
    units: units.map((item) => ({ item, ...spot(ends, item.key) })),
    ports: ports.map((item) => ({ item, ...spot(ends, item.key) })),
    lines: known.map((wire) => ({ wire, path: trace(wire) })),
  };

  function trace(wire: Wire): string {
    const points: Spot[] = graph.edge(wire.from, wire.to).points;
    const [start, end] = [column(graph.node(wire.from).x), column(graph.node(wire.to).x)];
    const source = ends.get(wire.from) as { x: number; y: number; height: number };
    if (end <= start) return smooth({ x: source.x + BOX.width, y: source.y + source.height / 2 }, spotIn(end));
    let here: Spot = { x: source.x + BOX.width, y: source.y + source.height / 2 };
    let path = `M${here.x} ${here.y}`;
    for (let index = start; index < end; index++) {
      const next = index + 1 === end ? spotIn(end) : { x: left(index + 1), y: height(points, at[index + 1] as number) + rowOf(index + 1).shift };
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
    const own = track.indexOf(wire);
    const y = rowOf(index).bottom + LINE_GAP / 2 + TRACK * own;
    const outer = right + 8 + TRACK * Math.min(own, 3);
    const inner = GUTTER - 8 - TRACK * Math.min(own, 3);
    return rounded([from, { x: outer, y: from.y }, { x: outer, y }, { x: inner, y }, { x: inner, y: to.y }, to], 8);
  }
}

function spot(ends: Ends, key: string): Spot {
  const { x, y } = ends.get(key) as Spot;
  return { x, y };
}
