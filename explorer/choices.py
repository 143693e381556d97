"""Legal choices of a graph under a job body: the space that is searched, and what each choice of lanes costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.candidate import NodeLanes
from explorer.encoding import Encoding
from explorer.estimate import estimate_operator, resource_metrics
from explorer.inputs import generated_inputs
from explorer.platform import connected_devices, platform_devices
from explorer.sharing import shared_regions
from explorer.space import NodeSpace, Space, TensorWay, activation_formats, weight_formats
from explorer.spec import JobSpec
from hwgen.errors import IllegalParameters
from hwgen.hardware.operator import Operator
from hwgen.lowering import (
    Calibration,
    LaneChoice,
    Lanes,
    Precision,
    PrecisionChoice,
    QuantizedGraph,
    cut_bits,
    cut_points,
    lane_choices,
    node_operators,
    precision_choices,
    quantize_graph,
    shard_graph,
    tensor_groups,
)
from hwgen.lowering.balance import Option
from hwgen.model.graph import Graph
from hwgen.model.regions import layer_regions
from hwgen.numbers.formats import Format, IntFormat
from hwgen.technology import Resources
from hwgen.technology.catalogue import Device

# Lanes are ranked at one width: which of two ways to build an operator is cheaper hardly depends on it.
_NOMINAL = IntFormat(8, True)
_CALIBRATION_SAMPLES = 2
_RESOURCES = ("lut", "ff", "dsp", "bram_kb")


def build_encoding(spec: JobSpec, graph: Graph) -> Encoding:
    """The search space of a job as samplers see it.

    Raises:
        SpecError: a device is not in the catalogue, or the links are too slow.
    """
    devices = platform_devices(spec.platform)
    return Encoding(build_space(spec, graph), capacities(devices), _cut_cycles(spec, graph))


def build_space(spec: JobSpec, graph: Graph) -> Space:
    """The design space of a job.

    Raises:
        SpecError: a device is not in the catalogue.
    """
    devices = platform_devices(spec.platform)
    precisions = precision_choices(graph)
    texts = {*weight_formats(spec.space), *activation_formats(spec.space)}
    lanes = lane_choices(graph, sorted({Format.parse(text).block for text in texts} - {0}))
    offered = {node.name: (_formats(spec, precisions.get(node.name)), lanes.get(node.name)) for node in graph.nodes}
    decided = {name: choice for name, choice in offered.items() if choice[0][1] or choice[1] is not None}
    regions = shared_regions(layer_regions(graph), decided)
    followers = {name for region in regions for copy in region.copies[1:] for name in copy}
    nominal = _nominal(graph, precisions)
    nodes = [
        NodeSpace(
            name, *formats, () if choice is None else _options(nominal, name, choice, spec.space.max_lanes, devices)
        )
        for name, (formats, choice) in decided.items()
        if name not in followers
    ]
    equal = len(set(devices)) == 1
    first = (0,) if equal else tuple(range(len(devices)))
    pipelines, starts = (len(devices), first) if "pipeline" in spec.space.partition else (1, (0,))
    space = Space(tuple(nodes), tuple(cut_points(graph)), pipelines, starts, regions)
    if "tensor" not in spec.space.partition:
        return space
    return replace(space, tensor=_tensor_ways(nominal, space, len(devices)))


def _tensor_ways(graph: QuantizedGraph, space: Space, devices: int) -> tuple[TensorWay, ...]:
    """The ways to split the products of a graph over at most so many devices."""
    found = []
    choices = {node.name: [option.key for option in node.lanes] for node in space.nodes}
    options = {name: choices[leader] for name, leader in space.leaders.items()}
    for ways in range(2, devices + 1):
        names = [name for group in tensor_groups(graph, ways) for name in group.nodes]
        if not names:
            continue
        split = shard_graph(graph, ways)
        decided = [name for name in names if name in options]
        way = TensorWay(ways, {n: frozenset(k for k in options[n] if _takes(split, f"{n}_s0", k)) for n in decided})
        if all(any(way.takes(space.copies(n), k) for k in keys) for n, keys in choices.items() if keys):
            found.append(way)
    return tuple(found)


def _takes(graph: QuantizedGraph, name: str, lanes: NodeLanes) -> bool:
    try:
        node_operators(graph, name, Lanes(lanes.in_lanes, lanes.out_lanes))
    except IllegalParameters:
        return False
    return True


def _cut_cycles(spec: JobSpec, graph: Graph) -> tuple[float, ...]:
    """Cycles per inference of the link at each cut, at the nominal width; links are equal."""
    platform = connected_devices(spec.platform)
    bits = cut_bits(_nominal(graph, precision_choices(graph)))
    if not platform.channels:
        return tuple(0.0 for _ in bits)
    return tuple(float(platform.channels[0].cycles(b)) for b in bits)


def capacities(devices: Sequence[Device]) -> tuple[float, ...]:
    """Least capacity of any device, in the order of the options' costs."""
    return tuple(min(device.capacity()[name] for device in devices) for name in _RESOURCES)


def _formats(spec: JobSpec, choice: PrecisionChoice | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if choice is None:
        return (), ()
    fixed = choice.fixed_activation
    activations = activation_formats(spec.space) if fixed is None else (fixed,)
    return weight_formats(spec.space) if choice.has_weight else (), activations


def _nominal(graph: Graph, precisions: dict[str, PrecisionChoice]) -> QuantizedGraph:
    calibration = Calibration.collect(graph, generated_inputs(graph, _CALIBRATION_SAMPLES))
    plan = {name: Precision(_NOMINAL if c.has_weight else None, _NOMINAL) for name, c in precisions.items()}
    return quantize_graph(graph, plan, calibration)


def _options(
    graph: QuantizedGraph, name: str, choice: LaneChoice, limit: int, devices: Sequence[Device]
) -> tuple[Option[NodeLanes], ...]:
    if choice.tied:
        pairs = [(n, n) for n in choice.in_lanes if n <= limit]
    else:
        pairs = [(i, o) for i in choice.in_lanes for o in choice.out_lanes if max(i, o) <= limit]
    options = [_option(graph, name, NodeLanes(i, o), devices) for i, o in pairs]
    return tuple(sorted(options, key=lambda o: (-o.interval, o.key.in_lanes, o.key.out_lanes)))


def _option(graph: QuantizedGraph, name: str, lanes: NodeLanes, devices: Sequence[Device]) -> Option[NodeLanes]:
    operators = node_operators(graph, name, Lanes(lanes.in_lanes, lanes.out_lanes))
    interval = max((operator.cycles().interval for operator in operators), default=1)
    # A node may be placed on any device, so that where families are mixed the dearest one counts.
    costs = [_cost(operators, device) for device in {device.family: device for device in devices}.values()]
    return Option(lanes, interval, tuple(max(found) for found in zip(*costs, strict=True)))


def _cost(operators: Sequence[Operator], device: Device) -> tuple[float, ...]:
    metrics = resource_metrics(sum((estimate_operator(operator, device) for operator in operators), Resources()))
    return tuple(metrics[name] for name in _RESOURCES)
