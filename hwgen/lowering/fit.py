"""The fastest pipeline that fits a device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields

from hwgen.errors import Misfit
from hwgen.hardware.design import Design
from hwgen.hardware.operator import Operator
from hwgen.lowering.balance import Option, intervals, share
from hwgen.lowering.lanes import LaneChoice, Lanes
from hwgen.lowering.lower import node_operators
from hwgen.lowering.quantized import QuantizedGraph
from hwgen.lowering.space import lane_choices
from hwgen.technology import Resources, Technology

MOST_LANES = 64  # of a side: wider streams than any one matrix product of today's designs has used


@dataclass(frozen=True)
class Fit:
    """The search for the fastest balanced pipeline inside a capacity.

    Attributes:
        graph: with formats.
        blocks: lengths of the shared-exponent blocks in use.
        technology: prices operators.
        capacity: of each device.
        build: lowers the graph with given lanes.
    """

    graph: QuantizedGraph
    blocks: Sequence[int]
    technology: Technology
    capacity: Resources
    build: Callable[[Mapping[str, Lanes]], Design]

    def fastest(self) -> Design:
        """The fastest pipeline found that fits: bisection over the intervals of balanced ones.

        At an interval each node takes its cheapest lanes for itself, cheap by one of a few prices; an unlike mixture
        that would still fit is not looked for.

        Raises:
            Misfit: not even the slowest one fits.
        """
        options = {n: self._options(n, choice) for n, choice in lane_choices(self.graph.graph, self.blocks).items()}
        steps = intervals(options) or [0]
        slowest = self.build(_cheapest(options, steps[-1], self._prices[0]))
        best = self._fitting(options, steps[-1])
        if best is None:
            raise Misfit(self._excess(slowest))
        fits, too_fast = len(steps) - 1, -1
        while fits - too_fast > 1:
            middle = (fits + too_fast) // 2
            design = self._fitting(options, steps[middle])
            if design is None:
                too_fast = middle
            else:
                fits, best = middle, design
        return best

    def require(self, design: Design) -> None:
        """Check that a design fits.

        Raises:
            Misfit: it does not; the message has the resource.
        """
        if excess := self._excess(design):
            raise Misfit(excess)

    @property
    def _prices(self) -> tuple[tuple[float, ...], ...]:
        """Capacities to be cheap by: the device's, then those by which only one resource has a price."""
        kinds = [f.name for f in fields(Resources)]
        alone = [tuple(1.0 if kind == priced else float("inf") for kind in kinds) for priced in kinds]
        return (astuple(self.capacity), *alone)

    def _fitting(self, options: Mapping[str, Sequence[Option[Lanes]]], interval: int) -> Design | None:
        """A balanced design of an interval that fits; None where no price leads to one."""
        seen: list[dict[str, Lanes]] = []
        for price in self._prices:
            lanes = _cheapest(options, interval, price)
            if lanes not in seen:
                seen.append(lanes)
                design = self.build(lanes)
                if not self._excess(design):
                    return design
        return None

    def _options(self, name: str, choice: LaneChoice) -> list[Option[Lanes]]:
        inside, outside = ([n for n in lanes if n <= MOST_LANES] for lanes in (choice.in_lanes, choice.out_lanes))
        pairs = zip(inside, inside, strict=True) if choice.tied else itertools.product(inside, outside)
        return [self._option(name, Lanes(*pair)) for pair in pairs]

    def _option(self, name: str, lanes: Lanes) -> Option[Lanes]:
        operators = node_operators(self.graph, name, lanes)
        interval = max((operator.cycles().interval for operator in operators), default=1)
        return Option(lanes, interval, astuple(_area(operators, self.technology)))

    def _excess(self, design: Design) -> str:
        """What a device has too little of; empty where everything fits."""
        for device, used in used_resources(design, self.technology).items():
            for name, most in vars(self.capacity).items():
                if (needed := getattr(used, name)) > most:
                    return f"device {device} needs {needed:.0f} {name}, and the target has {most:.0f}"
        return ""


def used_resources(design: Design, technology: Technology) -> dict[int, Resources]:
    """Resources of each device's operators, adapters, forks and buffers; links belong to none."""
    return {
        device: _area([instance.operator for instance in instances], technology)
        for device, instances in design.devices.items()
    }


def _area(operators: Iterable[Operator], technology: Technology) -> Resources:
    return sum((technology.area(operator.bill()) for operator in operators), Resources())


def _cheapest(options: Mapping[str, Sequence[Option[Lanes]]], interval: int, caps: Sequence[float]) -> dict[str, Lanes]:
    """Each node for itself: its cheapest lanes that reach the interval."""
    return {
        name: min((o for o in ways if o.interval <= interval), key=lambda o: share(o, caps)).key
        for name, ways in options.items()
    }
