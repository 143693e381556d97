"""Designs as points of a box of small integers, the form in which samplers see them.

Lanes are not sampled one by one: nearly all such samples would be unbalanced, slowed by one operator while the others
wait. One ``level`` sets the interval that every operator has to reach, each as cheaply as it can, and a ``shift`` per
node moves it up or down its own ladder from there. Formats are indices into the node's list; ``cut`` positions put the
pipeline on the devices. The copies of a repeated block are decided once; ``split`` and ``step`` give the later
copies other formats (``explorer.sharing``).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from explorer.candidate import TENSOR, Candidate, NodeFormats, NodeLanes, Place
from explorer.partition import cut_chain
from explorer.sharing import MAX_STEP, SharedRegion, Split, splits
from explorer.space import NodeSpace, Space, TensorWay
from hwgen.lowering.balance import Option, intervals, share
from hwgen.numbers.formats import Format

Point = dict[str, int]
Ladder = tuple[Option[NodeLanes], ...]

MAX_LEVELS = 16
MAX_SHIFT = 2
LEVEL = "level"
FIRST_DEVICE = "first_device"


@dataclass(frozen=True)
class Encoding:
    """Maps points of the sampled box to candidates of ``space`` and back.

    Attributes:
        space: the design space.
        caps: resources of the smallest device, in the order of the options' costs; they weigh scarce resources.
        cut_cycles: per unit, the cycles per inference for which a cut before it keeps its link busy.
    """

    space: Space
    caps: tuple[float, ...]
    cut_cycles: tuple[float, ...]

    @cached_property
    def ladders(self) -> dict[str, Ladder]:
        """Per node with lanes, the options that no other one undercuts in interval and cost, slowest first."""
        return {n.name: _ladder(n, self.caps) for n in self.space.nodes if n.lanes}

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Intervals that the level parameter stands for, slowest first, spread evenly on a logarithmic scale."""
        if not self.ladders:
            return (1,)
        found = intervals(self.ladders)[::-1]
        if len(found) <= MAX_LEVELS:
            return tuple(found)
        top, bottom = math.log(found[0]), math.log(found[-1])
        targets = [top + (bottom - top) * step / (MAX_LEVELS - 1) for step in range(MAX_LEVELS)]
        return tuple(sorted({min(found, key=lambda i: abs(math.log(i) - t)) for t in targets}, reverse=True))

    @cached_property
    def box(self) -> dict[str, tuple[int, int]]:
        """Parameter -> (lowest, highest); parameters with one value are left out."""
        ranges = {LEVEL: (0, len(self.levels) - 1)}
        for node in self.space.nodes:
            ranges[f"weight:{node.name}"] = (0, len(node.weights) - 1)
            ranges[f"activation:{node.name}"] = (0, len(node.activations) - 1)
            reach = min(MAX_SHIFT, len(self.ladders.get(node.name, ())) - 1)
            ranges[f"shift:{node.name}"] = (-reach, reach)
        for region in self.space.regions:
            ranges[f"split:{region.name}"] = (0, len(region.copies) - 2)
            ranges[f"step:{region.name}"] = (-MAX_STEP, MAX_STEP)
        units = len(self.space.units)
        ranges |= {f"cut:{d}": (1, units) for d in range(1, min(self.space.devices, units))}
        ranges[TENSOR] = (0, len(self.space.tensor))
        ranges[FIRST_DEVICE] = (0, len(self.space.first_devices) - 1)
        return {name: (low, high) for name, (low, high) in ranges.items() if high > low}

    def decode(self, point: Mapping[str, int]) -> Candidate:
        """The candidate of a point; parameters that the point leaves out are 0, cuts that it leaves out unused."""
        quantization = {n.name: _formats_of(n, point, 0) for n in self.space.nodes if n.activations}
        for region in self.space.regions:
            split = Split(1 + point.get(f"split:{region.name}", 0), point.get(f"step:{region.name}", 0))
            quantization |= self._copied_formats(region, point, split)
        interval = self.levels[point.get(LEVEL, 0)]
        chosen = point.get(TENSOR, 0)
        way = self.space.tensor[chosen - 1] if chosen else None
        lanes = {
            name: self._lanes(name, _clip(_rung(ladder, interval) + point.get(f"shift:{name}", 0), ladder), way)
            for name, ladder in self.ladders.items()
        }
        parallelism = {name: lanes[leader] for name, leader in self.space.leaders.items() if leader in lanes}
        if way is not None:
            return Candidate(quantization, parallelism, self.space.spread(way), {TENSOR: way.ways})
        return Candidate(quantization, parallelism, self._placement(point))

    def _lanes(self, name: str, rung: int, way: TensorWay | None) -> NodeLanes:
        """The lanes of a rung; where products are split, of the nearest that shards can take, a slower one if any."""
        ladder = self.ladders[name]
        if way is None:
            return ladder[rung].key
        nearest_first = (*ladder[rung::-1], *ladder[rung + 1 :], *self._choices[name].lanes)
        copies = self.space.copies(name)
        return next(option.key for option in nearest_first if way.takes(copies, option.key))

    @cached_property
    def _choices(self) -> dict[str, NodeSpace]:
        return {node.name: node for node in self.space.nodes}

    def _copied_formats(self, region: SharedRegion, point: Mapping[str, int], split: Split) -> dict[str, NodeFormats]:
        """The formats of all copies but the first."""
        return {
            name: _formats_of(self._choices[leader], point, split.step_of(number))
            for number, copy in enumerate(region.copies[1:], start=1)
            for leader, name in zip(region.copies[0], copy, strict=True)
            if self._choices[leader].activations
        }

    def _placement(self, point: Mapping[str, int]) -> dict[str, Place]:
        units = len(self.space.units)
        first = self.space.first_devices[point.get(FIRST_DEVICE, 0)]
        positions = {point.get(f"cut:{d}", units) for d in range(1, self.space.devices)}
        cuts = sorted(p for p in positions if p < units)[: self.space.devices - 1 - first]
        return self.space.placement(first, cuts)

    def encode(self, candidate: Candidate) -> Point | None:
        """A point of the box that decodes to the candidate; None for a design that the box does not hold."""
        point: Point = {}
        for node in self.space.nodes:
            formats = candidate.quantization.get(node.name)
            if node.activations and formats is not None and formats.activation in node.activations:
                point[f"activation:{node.name}"] = node.activations.index(formats.activation)
                if formats.weight in node.weights:
                    point[f"weight:{node.name}"] = node.weights.index(formats.weight)
        for region in self.space.regions:
            point |= self._encode_split(region, point, candidate)
        lanes = self._encode_lanes(candidate.parallelism)
        if lanes is None:
            return None
        point |= lanes | self._encode_place(candidate)
        complete = {name: point.get(name, low if name.startswith("cut:") else 0) for name, (low, _) in self.box.items()}
        return complete if self.decode(complete).digest() == candidate.digest() else None

    def _encode_split(self, region: SharedRegion, point: Point, candidate: Candidate) -> Point:
        """The split that gives the copies their formats; empty where none does."""
        for split in splits(region):
            formats = self._copied_formats(region, point, split)
            if all(candidate.quantization.get(name) == own for name, own in formats.items()):
                return {f"split:{region.name}": split.at - 1, f"step:{region.name}": split.step}
        return {}

    def _encode_lanes(self, parallelism: Mapping[str, NodeLanes]) -> Point | None:
        rungs: dict[str, int] = {}
        for name, ladder in self.ladders.items():
            keys = [o.key for o in ladder]
            if parallelism.get(name) not in keys:
                return None
            rungs[name] = keys.index(parallelism[name])
        best: Point | None = None
        for index, interval in enumerate(self.levels):
            shifts = {n: rung - _rung(self.ladders[n], interval) for n, rung in rungs.items()}
            if max((abs(s) for s in shifts.values()), default=0) > MAX_SHIFT:
                continue
            point = {LEVEL: index, **{f"shift:{n}": s for n, s in shifts.items()}}
            if best is None or _deviation(point) < _deviation(best):
                best = point
        return best

    def _encode_place(self, candidate: Candidate) -> Point:
        """How products are split, or else where the pipeline is cut; empty where the box has neither."""
        if not candidate.structure:
            return self._encode_partition(candidate.partition)
        ways = [{TENSOR: way.ways} for way in self.space.tensor]
        return {TENSOR: ways.index(dict(candidate.structure)) + 1} if candidate.structure in ways else {}

    def _encode_partition(self, partition: Mapping[str, Place]) -> Point:
        places = [partition.get(u, 0) for u in self.space.units]
        devices = [place for place in places if isinstance(place, int)]
        first = devices[0] if devices else 0
        cuts = [i for i in range(1, len(devices)) if devices[i] > devices[i - 1]]
        padded = cuts + [len(devices)] * (self.space.devices - 1 - len(cuts))
        point = {f"cut:{d}": position for d, position in enumerate(padded, start=1)}
        if first in self.space.first_devices:
            point[FIRST_DEVICE] = self.space.first_devices.index(first)
        return point

    def balanced_cuts(self, level: int, devices: int, most_cycles: float = math.inf) -> tuple[int, ...] | None:
        """Cuts over exactly ``devices`` devices that minimise the fullest one at a level; exact.

        Args:
            level: of the operators' lanes.
            devices: all of them are used.
            most_cycles: no link may be busy for longer per inference.

        Returns:
            None where there are no such cuts.
        """
        fills = self._fills(level)
        found = cut_chain(
            len(self.space.units),
            devices,
            lambda first, end, _: fills[first][end - first - 1],
            lambda cut: 0.0 if self.cut_cycles[cut] <= most_cycles else math.inf,
            exactly=True,
        )
        return None if found is None else found.bounds[1:-1]

    def fastest_cuts(self, level: int, devices: int, most_fill: float) -> tuple[float, tuple[int, ...]] | None:
        """The least interval at a level over exactly ``devices`` devices, and the most balanced cuts that have it.

        Args:
            level: of the operators' lanes.
            devices: all of them are used.
            most_fill: of the scarcest resource of any device, 1 is full.

        Returns:
            Cycles per inference, of the slowest operator or of the busiest link, and the cuts; None where nothing fits.
        """
        fills = self._fills(level)
        found = cut_chain(
            len(self.space.units),
            devices,
            lambda first, end, _: 0.0 if fills[first][end - first - 1] <= most_fill else math.inf,
            lambda cut: self.cut_cycles[cut],
            exactly=True,
        )
        if found is None:
            return None
        interval = max(float(self.levels[level]), found.bottleneck)
        cuts = self.balanced_cuts(level, devices, interval)
        return None if cuts is None else (interval, cuts)

    def _unit_costs(self, level: int) -> list[tuple[float, ...]]:
        nothing = (0.0,) * len(self.caps)
        ladders = [self.ladders.get(self.space.leaders.get(unit, unit)) for unit in self.space.units]
        return [x[_rung(x, self.levels[level])].cost if x else nothing for x in ladders]

    def _fills(self, level: int) -> list[list[float]]:
        """Per first unit, the use of a device's scarcest resource by the one, two, … units from there on."""
        costs = self._unit_costs(level)
        return [[self._fill(used) for used in itertools.accumulate(costs[i:], _sum)] for i in range(len(costs))]

    def _fill(self, used: tuple[float, ...]) -> float:
        return max((_part(u, cap) for u, cap in zip(used, self.caps, strict=True)), default=0.0)

    def uniform(self, weight_bits: int, activation_bits: int) -> Point:
        """The part of a point that gives every tensor the format nearest to the widths, integers first."""
        point: Point = {}
        for node in self.space.nodes:
            point[f"weight:{node.name}"] = nearest(node.weights, weight_bits)
            point[f"activation:{node.name}"] = nearest(node.activations, activation_bits)
        return point


def nearest(formats: Sequence[str], bits: int) -> int:
    """Index of the format whose width is nearest to ``bits``; integers before shared exponents, wide before narrow."""
    if not formats:
        return 0
    parsed = [Format.parse(text) for text in formats]
    return min(range(len(formats)), key=lambda i: (abs(parsed[i].element_bits - bits), parsed[i].block > 0, -i))


def _sum(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _part(used: float, capacity: float) -> float:
    return used / capacity if capacity > 0 else math.inf if used > 0 else 0.0


def _formats_of(node: NodeSpace, point: Mapping[str, int], step: int) -> NodeFormats:
    """The formats that a point gives a node, ``step`` positions wider or as many as there are."""
    weight = _stepped(node.weights, point.get(f"weight:{node.name}", 0), step) if node.weights else None
    return NodeFormats(weight, _stepped(node.activations, point.get(f"activation:{node.name}", 0), step))


def _stepped(formats: Sequence[str], index: int, step: int) -> str:
    return formats[min(max(index + step, 0), len(formats) - 1)]


def _ladder(node: NodeSpace, caps: Sequence[float]) -> Ladder:
    kept: list[Option[NodeLanes]] = []
    for option in sorted(node.lanes, key=lambda o: (o.interval, share(o, caps))):
        if not kept or share(option, caps)[0] < share(kept[-1], caps)[0]:
            kept.append(option)
    return tuple(reversed(kept))


def _rung(ladder: Ladder, interval: int) -> int:
    """The cheapest rung that reaches the interval, the fastest where none does."""
    return next((i for i, option in enumerate(ladder) if option.interval <= interval), len(ladder) - 1)


def _clip(rung: int, ladder: Ladder) -> int:
    return min(max(rung, 0), len(ladder) - 1)


def _deviation(point: Point) -> int:
    return sum(abs(v) for name, v in point.items() if name != LEVEL)
