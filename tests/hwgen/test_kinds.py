"""Every operator has one home: what a kind or its lowering leaves out is refused at import, not at the first model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import pytest

from hwgen.errors import IllegalGraph
from hwgen.lowering.kinds.families import AllFeatures, Chosen
from hwgen.lowering.kinds.lowering import LOWERINGS, check_complete, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.arithmetic import Add
from hwgen.model.kinds.families import Unary
from hwgen.model.kinds.kind import KINDS, Tensors, from_attributes, registered
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


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

    with pytest.raises(TypeError, match="Silent says nothing of quantize"):
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
