"""Quantized graph + lanes + devices -> hardware graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import Design, verify_design
from hwgen.hardware.operator import Operator
from hwgen.hardware.platform import Platform, Site
from hwgen.hardware.streams import StreamType
from hwgen.lowering.buffers import insert_buffers
from hwgen.lowering.builder import DesignBuilder, Signal
from hwgen.lowering.kinds.families import Placeless
from hwgen.lowering.kinds.lowering import lowering_of
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.sources import Constant, Input

Place: TypeAlias = int | Sequence[int]  # the device of a node, or of each of its shards


def lower(
    graph: QuantizedGraph,
    lanes: Mapping[str, Lanes],
    devices: Mapping[str, Place],
    platform: Platform | None = None,
    name: str = "design",
) -> Design:
    """Build the hardware graph of a candidate.

    Args:
        graph: formats and integer constants.
        lanes: per node of ``lane_choices``.
        devices: per node, the device index, or one per shard; nodes not named are on device 0. Inputs enter, and
            outputs leave, on the device of the node that reads or makes them.
        platform: its sites are the devices; needed when more than one is used.
        name: of the design, a legal identifier.

    Returns:
        A verified design with computed buffers.

    Raises:
        IllegalParameters: lanes or formats that an operator cannot take.
        IllegalGraph: several devices without a platform, or one that the platform does not have or reach, or a node
            without lanes.
    """
    builder = DesignBuilder(name, _platform(platform, _used(devices)))
    signals: dict[str, Signal] = {}
    for node in graph.nodes:
        if isinstance(node.node.kind, Constant):
            continue  # whoever reads it holds it
        if isinstance(node.node.kind, Input):
            signals[node.name] = _add_input(builder, graph, node, lanes, devices)
            continue
        parts = node_parts(graph, node, _lanes(node, lanes))
        signals[node.name] = _add_parts(builder, node, parts, _device(node, devices), signals)
    for index, output in enumerate(graph.outputs):
        signal = signals[output]
        builder.add_output(f"output{index}", signal, signal.device)
    design = insert_buffers(builder.finish())
    verify_design(design)
    return design


def node_operators(graph: QuantizedGraph, name: str, lanes: Lanes | None) -> tuple[Operator, ...]:
    """The operators of one node for the given lanes, for cost models; its adapters, forks and buffers not included."""
    return tuple(part.operator for part in node_parts(graph, graph.by_name[name], lanes))


def node_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes | None) -> tuple[Part, ...]:
    """The operators of one node, in order; empty for nodes without hardware of their own.

    Raises:
        IllegalGraph: the node needs lanes and the plan gives none.
        IllegalParameters: an operator cannot take these lanes.
    """
    kind = node.node.kind
    lowering = lowering_of(kind)
    if isinstance(lowering, Placeless):
        return ()
    if lanes is None:
        raise IllegalGraph(f"the parallelism plan says nothing of {node.name}")
    return lowering.parts(kind, graph, node, lanes)


def _add_input(
    builder: DesignBuilder,
    graph: QuantizedGraph,
    node: QuantizedNode,
    lanes: Mapping[str, Lanes],
    devices: Mapping[str, Place],
) -> Signal:
    """The stream of a graph input, with the lanes and on the device of its first reader."""
    shape = node.node.shape
    readers = [n for n in graph.nodes if node.name in n.inputs]
    first = readers[0]
    given = _lanes(first, lanes)
    wanted = given.in_lanes if given else 1
    kind = StreamType(shape.tokens, shape.features, wanted if shape.features % wanted == 0 else 1, node.format)
    return builder.add_input(node.name, kind, _device(first, devices))


def _add_parts(
    builder: DesignBuilder,
    node: QuantizedNode,
    parts: Sequence[Part],
    device: int,
    signals: Mapping[str, Signal],
) -> Signal:
    """The output of the last part; that of the first operand where there is none, because words are only renamed."""
    made: dict[str, Signal] = {}
    last: Signal | None = None
    for part in parts:
        inputs = {
            port: made[feed] if isinstance(feed, str) else signals[node.inputs[feed]]
            for port, feed in part.feeds.items()
        }
        instance = f"{node.name}_{part.suffix}" if part.suffix else node.name
        last = builder.add(instance, part.operator, part.contents, inputs, device, node.source)
        made[part.suffix] = last
    return last or signals[node.inputs[0]]


def _lanes(node: QuantizedNode, lanes: Mapping[str, Lanes]) -> Lanes | None:
    """A shard has its node's lanes; what joins shards has those of the node's output."""
    given = lanes.get(node.source)
    if given is None or node.origin is None or not node.origin.joins:
        return given
    return Lanes(given.out_lanes, given.out_lanes)


def _device(node: QuantizedNode, devices: Mapping[str, Place]) -> int:
    """The device of a node or of a shard.

    Raises:
        IllegalGraph: one device for several shards, or the other way round.
    """
    place = devices.get(node.source, 0)
    if isinstance(place, int):
        return place
    if node.origin is None:
        raise IllegalGraph(f"{node.name} is not sharded and needs one device, not {list(place)}")
    if not node.origin.shard < len(place):
        raise IllegalGraph(f"{node.source} has a shard {node.origin.shard}, but places for {len(place)}")
    return place[node.origin.shard]


def _used(devices: Mapping[str, Place]) -> set[int]:
    return {d for place in devices.values() for d in ((place,) if isinstance(place, int) else place)}


def _platform(platform: Platform | None, used: set[int]) -> Platform:
    """The given platform, or one without channels, which serves a design on one device."""
    if platform is None:
        if len(used) > 1:
            raise IllegalGraph("a partition over several devices needs a platform with channels between them")
        return Platform((Site("device"),))
    if not used <= set(range(len(platform.sites))):
        raise IllegalGraph(f"the partition names device {max(used)}, but the platform has {len(platform.sites)} sites")
    return platform
