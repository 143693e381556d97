"""The design space: what each node of a graph may choose, how many designs there are, and the design of each number."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from explorer.candidate import TENSOR, Candidate, NodeFormats, NodeLanes, Place
from explorer.sharing import SharedRegion
from explorer.spec import SpaceSpec
from hwgen.lowering.balance import Option
from hwgen.numbers.formats import Format


@dataclass(frozen=True)
class NodeSpace:
    """Choices of one node.

    Attributes:
        name: node of the graph.
        weights: weight formats, narrowest first; empty for a node without weights.
        activations: formats of its output, narrowest first; one where it is no choice; empty where the plan does not
            name the node.
        lanes: legal lanes with their interval and cost, slowest first; empty where the plan does not name the node.
    """

    name: str
    weights: tuple[str, ...] = ()
    activations: tuple[str, ...] = ()
    lanes: tuple[Option[NodeLanes], ...] = ()

    @property
    def size(self) -> int:
        """Number of choices."""
        return math.prod(max(1, len(options)) for options in (self.weights, self.activations, self.lanes))


@dataclass(frozen=True)
class TensorWay:
    """One way to split the products of a graph over devices.

    Attributes:
        ways: shards, on devices 0, 1, and so on; all else is on device 0.
        lanes: per node that is split, the lanes that its shards can take; none for a node without lanes.
    """

    ways: int
    lanes: Mapping[str, frozenset[NodeLanes]]

    def takes(self, names: Iterable[str], lanes: NodeLanes) -> bool:
        """Whether all of these nodes can have the lanes, those that are split as well as the others."""
        return all(lanes in self.lanes[name] for name in names if name in self.lanes)


@dataclass(frozen=True)
class Space:
    """All designs that a search may propose.

    Attributes:
        nodes: that something is decided of, in topological order; of the copies of a repeated block only the first.
        units: placeable nodes in topological order; devices never decrease along them.
        devices: devices of the platform.
        first_devices: devices on which the pipeline may start; only device 0 where all devices are equal.
        regions: repeated blocks whose copies follow the decisions of the first one.
        tensor: ways to split products instead of cutting the pipeline, fewest shards first.
    """

    nodes: tuple[NodeSpace, ...]
    units: tuple[str, ...]
    devices: int = 1
    first_devices: tuple[int, ...] = (0,)
    regions: tuple[SharedRegion, ...] = ()
    tensor: tuple[TensorWay, ...] = ()

    @cached_property
    def followers(self) -> dict[str, tuple[str, ...]]:
        """Per leader of a region, the nodes that take over its decisions."""
        return {leader: region.followers(leader) for region in self.regions for leader in region.copies[0]}

    @cached_property
    def leaders(self) -> dict[str, str]:
        """Per node that something is decided of, the node whose decisions it takes: itself, or a leader."""
        own = {node.name: node.name for node in self.nodes}
        return own | {name: leader for leader, names in self.followers.items() for name in names}

    @cached_property
    def cut_counts(self) -> tuple[tuple[int, int, int], ...]:
        """(first device, cuts, number of placements) of every pipeline shape."""
        places = max(0, len(self.units) - 1)
        return tuple(
            (first, cuts, math.comb(places, cuts))
            for first in self.first_devices
            for cuts in range(min(self.devices - first, len(self.units)))
        )

    @property
    def size(self) -> int:
        """Number of designs whose regions are whole, exact."""
        return self._pipelines + sum(_choices(nodes) for nodes in self._split_nodes)

    @cached_property
    def _pipelines(self) -> int:
        """Number of designs in which no product is split."""
        return _choices(self.nodes) * max(1, sum(count for *_, count in self.cut_counts))

    @cached_property
    def _split_nodes(self) -> tuple[tuple[NodeSpace, ...], ...]:
        """Per way to split, the nodes with only the lanes that shards of them and of their followers can take."""
        return tuple(tuple(self._split_node(node, way) for node in self.nodes) for way in self.tensor)

    def _split_node(self, node: NodeSpace, way: TensorWay) -> NodeSpace:
        return replace(node, lanes=tuple(o for o in node.lanes if way.takes(self.copies(node.name), o.key)))

    def copies(self, leader: str) -> tuple[str, ...]:
        """A node of ``nodes`` and all that take over its decisions."""
        return (leader, *self.followers.get(leader, ()))

    def design(self, index: int) -> Candidate:
        """Design number ``index`` of ``0 .. size - 1``; every design with whole regions has exactly one number.

        Pipelines come first, then each way to split products, because shards take fewer lanes.
        """
        if index < self._pipelines:
            return self._design(self.nodes, index, None)
        index -= self._pipelines
        for way, nodes in zip(self.tensor, self._split_nodes, strict=True):
            if index < _choices(nodes):
                return self._design(nodes, index, way)
            index -= _choices(nodes)
        raise IndexError(f"the space holds {self.size} designs")

    def _design(self, nodes: Sequence[NodeSpace], index: int, way: TensorWay | None) -> Candidate:
        quantization: dict[str, NodeFormats] = {}
        parallelism: dict[str, NodeLanes] = {}
        for node in nodes:
            if node.activations:
                index, activation = divmod(index, len(node.activations))
                index, weight = divmod(index, max(1, len(node.weights)))
                quantization[node.name] = NodeFormats(
                    node.weights[weight] if node.weights else None, node.activations[activation]
                )
            if node.lanes:
                index, lanes = divmod(index, len(node.lanes))
                parallelism[node.name] = node.lanes[lanes].key
        return Candidate(
            {name: quantization[leader] for name, leader in self.leaders.items() if leader in quantization},
            {name: parallelism[leader] for name, leader in self.leaders.items() if leader in parallelism},
            self.placement(*self._cuts(index)) if way is None else self.spread(way),
            {} if way is None else {TENSOR: way.ways},
        )

    def _cuts(self, rank: int) -> tuple[int, tuple[int, ...]]:
        for first, cuts, count in self.cut_counts:
            if rank < count:
                return first, tuple(c + 1 for c in _combination(max(0, len(self.units) - 1), cuts, rank))
            rank -= count
        return 0, ()

    def placement(self, first: int, cuts: Sequence[int]) -> dict[str, Place]:
        """Device of each unit when the pipeline starts on device ``first`` and changes device before each cut."""
        return {unit: first + sum(1 for c in cuts if c <= i) for i, unit in enumerate(self.units)}

    def spread(self, way: TensorWay) -> dict[str, Place]:
        """Places of all units when products are split."""
        shards = tuple(range(way.ways))
        return {unit: shards if unit in way.lanes else 0 for unit in self.units}

    def contains(self, candidate: Candidate) -> str | None:
        """None when the candidate lies in the space, otherwise which choice does not."""
        choices = {node.name: node for node in self.nodes}
        for name, leader in self.leaders.items():
            node = replace(choices[leader], name=name)
            problem = _format_problem(node, candidate.quantization.get(name)) or _lanes_problem(
                node, candidate.parallelism.get(name)
            )
            if problem:
                return problem
        if candidate.structure:
            return self._tensor_problem(candidate)
        return self._partition_problem(candidate.partition)

    def _tensor_problem(self, candidate: Candidate) -> str | None:
        way = next((w for w in self.tensor if {TENSOR: w.ways} == candidate.structure), None)
        if way is None:
            return f"the space holds no structure {dict(candidate.structure)}"
        if candidate.partition != self.spread(way):
            return f"products split {way.ways} ways are on devices 0 .. {way.ways - 1}, all else on device 0"
        for name, lanes in candidate.parallelism.items():
            if not way.takes((name,), lanes):
                return f"{name}: a shard of {way.ways} cannot take its lanes"
        return None

    def _partition_problem(self, partition: Mapping[str, Place]) -> str | None:
        places = [partition.get(unit, 0) for unit in self.units]
        devices = [place for place in places if isinstance(place, int)]
        if len(devices) < len(places):
            return "a node that is not split is on one device"
        if any(not 0 <= d < self.devices for d in devices):
            return f"the partition names a device outside 0 .. {self.devices - 1}"
        if any(b < a for a, b in itertools.pairwise(devices)):
            return "a pipeline partition never goes back to an earlier device"
        return None


def _choices(nodes: Sequence[NodeSpace]) -> int:
    return math.prod(node.size for node in nodes)


def _format_problem(node: NodeSpace, formats: NodeFormats | None) -> str | None:
    if not node.activations:
        return None
    if formats is None:
        return f"{node.name} has no number formats"
    if formats.activation not in node.activations:
        return f"{node.name}: activation format {formats.activation} is not one of {', '.join(node.activations)}"
    if formats.weight not in (node.weights or (None,)):
        return f"{node.name}: weight format {formats.weight} is not one of {', '.join(node.weights) or 'none'}"
    return None


def _lanes_problem(node: NodeSpace, lanes: NodeLanes | None) -> str | None:
    if not node.lanes:
        return None
    if lanes is None:
        return f"{node.name} has no lanes"
    if lanes not in {o.key for o in node.lanes}:
        return f"{node.name}: {lanes.in_lanes} lanes in and {lanes.out_lanes} out are not legal, or beyond max_lanes"
    return None


def _combination(places: int, chosen: int, rank: int) -> tuple[int, ...]:
    """Combination number ``rank`` of ``chosen`` out of ``places``, in lexicographic order."""
    found: list[int] = []
    place = 0
    while chosen:
        with_place = math.comb(places - place - 1, chosen - 1)
        if rank < with_place:
            found.append(place)
            chosen -= 1
        else:
            rank -= with_place
        place += 1
    return tuple(found)


def weight_formats(space: SpaceSpec) -> tuple[str, ...]:
    """Weight formats of the space, narrowest first."""
    return _formats(space, space.weight_bits)


def activation_formats(space: SpaceSpec) -> tuple[str, ...]:
    """Activation formats of the space, narrowest first. Signedness follows from the tensor, not from the plan."""
    return _formats(space, space.activation_bits)


def _formats(space: SpaceSpec, widths: Sequence[int]) -> tuple[str, ...]:
    families = [Format.family(prefix) for prefix in space.formats]
    found = [
        (bits, kind.plan_text)
        for family in families
        for bits in widths
        for kind in family.of_width(bits, space.mx_blocks)
    ]
    return tuple(text for _, text in sorted(found))
