"""Every operator has one home: what a kind or its lowering leaves out is refused at import, not at the first model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import run_reference
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering import lower
from hwgen.lowering.kinds.families import AllFeatures, Chosen, Unsharded
from hwgen.lowering.kinds.lowering import LOWERINGS, check_complete, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph
from hwgen.model.kinds.arithmetic import Add
from hwgen.model.kinds.families import Unary
from hwgen.model.kinds.kind import KINDS, Tensors, from_attributes, registered
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape
from hwgen.model.verify import verify_imported
from hwgen.numbers.arrays import Array
from tests.hwgen.networks import NetworkMaker, random_candidate


@pytest.fixture(autouse=True)
def _registries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kinds, lowerings = dict(KINDS), dict(LOWERINGS)
    yield
    KINDS.clear()
    KINDS.update(kinds)
    LOWERINGS.clear()
    LOWERINGS.update(lowerings)


class _Doubled(Unary):
    """Complete but for what the tests below leave out."""

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        return operands[0] * 2

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        return all(inputs)


def _complete() -> type[_Doubled]:
    @dataclass(frozen=True)
    class Complete(_Doubled):
        name = "doubled"
        tensor_names = ()
        requantizes = False

    return Complete


def test_a_kind_without_a_method_is_refused() -> None:
    @dataclass(frozen=True)
    class Silent(Unary):
        name = "silent"
        tensor_names = ()
        requantizes = False

    with pytest.raises(TypeError, match="Silent says nothing of evaluate, non_negative"):
        registered(Silent)


def test_a_kind_without_a_name_or_a_property_is_refused() -> None:
    with pytest.raises(TypeError, match="says nothing of name, tensor_names, requantizes"):
        registered(_Doubled)


def test_a_name_is_given_once() -> None:
    registered(_complete())
    with pytest.raises(TypeError, match="both called doubled"):
        registered(_complete())


def test_a_kind_without_a_lowering_is_refused() -> None:
    check_complete(KINDS, LOWERINGS)
    registered(_complete())
    with pytest.raises(TypeError, match="no lowering for the kinds doubled"):
        check_complete(KINDS, LOWERINGS)


def test_a_lowering_without_a_method_is_refused() -> None:
    class Silent(Chosen[Add], AllFeatures[Add]):
        def parts(self, kind: Add, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
            return ()

    with pytest.raises(TypeError, match="Silent says nothing of quantize, shard"):
        lowers(Add)(Silent)


def test_a_kind_is_lowered_in_one_way() -> None:
    with pytest.raises(TypeError, match="Add has two lowerings"):
        lowers(Add)(type(LOWERINGS[Add]))


def test_kinds_come_back_from_their_attributes() -> None:
    kind = MatMul(heads=4, transpose_b=True)
    assert from_attributes(kind.name, kind.attributes) == kind
    with pytest.raises(IllegalGraph, match="needs \\['heads', 'transpose_b'\\]"):
        from_attributes("matmul", {"heads": 4})
    with pytest.raises(IllegalGraph, match="'rnn' is no operator"):
        from_attributes("rnn", {})


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_attributes_are_what_files_can_hold(kind: type) -> None:
    assert {str(f.type) for f in fields(kind)} <= {
        "int", "float", "bool", "str", "tuple[int, ...]", "tuple[int, int]", "tuple[int, int, int, int]",
    }  # fmt: skip


def test_a_new_operator_needs_a_kind_and_a_lowering_only(tmp_path: Path) -> None:
    """From the graph to words: everything else finds it by itself."""

    @registered
    @dataclass(frozen=True)
    class Square(Unary):
        name = "square"
        tensor_names = ()
        requantizes = True

        def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
            return operands[0] ** 2

        def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
            return True

    @lowers(Square)
    class SquareLowering(Chosen[Square], AllFeatures[Square], Unsharded[Square]):
        def quantize(self, kind: Square, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
            (x,) = quantizer.operands(group)
            exact, shape = 2 * x.format.fraction_bits, group.node.shape
            target = quantizer.target(group, finest=exact)
            shift = exact - target.format.fraction_bits
            bits = Eltwise.acc_bits_for(Function.MULTIPLY, x.format, x.format, 0, 0)
            operator = Eltwise(
                Function.MULTIPLY,
                shape.tokens,
                shape.features,
                1,
                x.format,
                x.format,
                bits,
                target.result,
                4,
                DEEPEST,
            )
            contents = {"left_a": np.array(0), "left_b": np.array(0), "shift": np.array(shift)}
            part = Part("", operator, contents, {"a": 0, "b": 0})
            return QuantizedNode(group.node, group.inputs, target.format, target.shared, (part,))

        def parts(self, kind: Square, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
            return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)

    maker = NetworkMaker(np.random.default_rng(0))
    squared = maker.relu(maker.put(Square(), maker.linear(maker.input((3,), 4), 6)))
    graph = maker.graph(maker.linear(squared, 2))
    verify_imported(graph)
    graph.save(tmp_path / "graph")
    graph = Graph.load(tmp_path / "graph")
    sample = random_candidate(graph, 1, weight="int8")
    words = run_reference(lower(sample.quantized, sample.lanes, sample.devices), sample.inputs)
    assert words["output0"].elements.shape == (3, 3, 2)
    assert [n.name for n in sample.quantized.nodes] == ["input0", "linear1", "square2", "linear4"]
    assert not sample.quantized.by_name["square2"].format.signed
