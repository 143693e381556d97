"""How an operator of the graph becomes hardware: the contract that every kind's lowering fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from hwgen.lowering.lanes import LaneChoice, Lanes
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import PrecisionChoice, Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.kind import Kind
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape

K = TypeVar("K", bound=Kind)

Shard: TypeAlias = tuple[Kind, tuple[Part, ...]]  # what one slice of a node's features takes

LOWERINGS: dict[type[Kind], Lowering[Any]] = {}  # ``lowers`` fills it


class Lowering(ABC, Generic[K]):
    """The decisions for nodes of one kind, from formats to operators."""

    @abstractmethod
    def precision(self, kind: K, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """The formats that a quantization plan gives for a node; None where they follow from its operands."""

    @abstractmethod
    def lanes(self, kind: K, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """The legal lanes; None where the node has no hardware of its own.

        Args:
            kind: of the node.
            node: of the float graph.
            inputs: shapes of its operands.
            mx_blocks: block lengths of the shared-exponent formats in the space.
        """

    @abstractmethod
    def quantize(self, kind: K, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Formats, integer constants and operators at one element per cycle: everything but lanes and places.

        Raises:
            IllegalGraph: the plan says nothing of the node.
            IllegalParameters: no operator can take these formats.
        """

    @abstractmethod
    def parts(self, kind: K, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The operators at the given lanes, in order; none where the node only renames words.

        Raises:
            IllegalParameters: an operator cannot take these lanes.
            IllegalGraph: operands do not broadcast.
        """

    @abstractmethod
    def shard(self, kind: K, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """The node on slice ``index`` of ``ways`` equal slices of its output's features.

        Its operands are sliced likewise; only a product with stored weights reads its operand whole.

        Returns:
            None where a slice cannot be computed by itself.
        """


_L = TypeVar("_L", bound=type[Lowering[Any]])


def lowers(kind: type[Kind]) -> Callable[[_L], _L]:
    """Class decorator: enters a lowering for a kind.

    Raises:
        TypeError: it lacks a method, or the kind has a lowering already.
    """

    def enter(lowering: _L) -> _L:
        if lowering.__abstractmethods__:
            missing = ", ".join(sorted(lowering.__abstractmethods__))
            raise TypeError(f"the lowering {lowering.__name__} says nothing of {missing}")
        if kind in LOWERINGS:
            raise TypeError(f"{kind.__name__} has two lowerings")
        LOWERINGS[kind] = lowering()
        return lowering

    return enter


def lowering_of(kind: Kind) -> Lowering[Any]:
    """The lowering of a kind."""
    return LOWERINGS[type(kind)]


def check_complete(kinds: Mapping[str, type[Kind]], lowerings: Mapping[type[Kind], Lowering[Any]]) -> None:
    """Demand a lowering for each kind.

    Raises:
        TypeError: naming the kinds that have none.
    """
    missing = sorted(name for name, kind in kinds.items() if kind not in lowerings)
    if missing:
        raise TypeError(f"no lowering for the kinds {', '.join(missing)}; add them in hwgen/lowering/kinds")
