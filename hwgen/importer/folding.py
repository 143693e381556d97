"""Evaluates ONNX nodes whose operands are all constant, with numpy and within limits.

Exporters compute shapes, masks and positions with dozens of small nodes; after folding nothing of that remains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx

from hwgen.errors import ModelError
from hwgen.importer.layout import target_shape
from hwgen.importer.source import MAX_RANK, SourceNode, as_supported, shown
from hwgen.importer.values import Refused
from hwgen.ir import Array
from hwgen.pointwise import erf

MAX_FOLDED_ELEMENTS = 1 << 26
MAX_TOTAL_ELEMENTS = 1 << 28

_Fold: TypeAlias = Callable[["_Operands"], "Array | list[Array]"]


class Folder:
    """Folds nodes and counts what it makes, so that a small file cannot unfold into a large one."""

    def __init__(self, opset: int) -> None:
        self._opset = opset
        self._elements = 0

    def fold(self, node: SourceNode, inputs: Sequence[Array | None]) -> tuple[Array, ...] | None:
        """The node's outputs; None where the operator is not folded.

        Raises:
            Refused: operands that do not fit the operator.
            ModelError: the constants become too large.
        """
        rule = _RULES.get(node.operator)
        if rule is None:
            return None
        operands = _Operands(node, inputs, self._opset)
        try:
            with np.errstate(all="ignore"):
                made = rule(operands)
        except (ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
            raise Refused(f"its constant operands do not fit: {shown(str(error))}") from error
        results = tuple(np.asarray(m) for m in made) if isinstance(made, list) else (np.asarray(made),)
        self._elements += sum(r.size for r in results)
        if self._elements > MAX_TOTAL_ELEMENTS:
            raise ModelError("the constants of the model unfold to more than 2^28 numbers; simplify the model first")
        return tuple(as_supported(r, node.name) for r in results)


class _Operands:
    def __init__(self, node: SourceNode, inputs: Sequence[Array | None], opset: int) -> None:
        self.node, self.inputs, self.opset = node, inputs, opset

    def __getitem__(self, index: int) -> Array:
        value = self.optional(index)
        if value is None:
            raise ValueError(f"operand {index} is missing")
        return value

    def optional(self, index: int) -> Array | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.node.attributes.get(name, default)

    def integers(self, name: str, index: int) -> list[int] | None:
        value = self.attribute(name)
        if value is None and self.optional(index) is not None:
            value = self[index].reshape(-1).tolist()
        if isinstance(value, int):
            return [value]
        return None if value is None else [int(v) for v in value]


def _limited(shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(int(s) for s in shape)
    if len(sizes) > 2 * MAX_RANK or any(s < 0 for s in sizes) or math.prod(sizes) > MAX_FOLDED_ELEMENTS:
        raise ValueError(f"the shape {sizes} is impossible or too large")
    return sizes


def _constant(o: _Operands) -> Array:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        value = o.attribute(name)
        if value is not None:
            kind = np.float32 if "float" in name else np.int64
            return value if name == "value" else np.asarray(value, dtype=kind)
    raise ValueError("a constant of an unknown kind")


def _constant_of_shape(o: _Operands) -> Array:
    value = o.attribute("value", np.zeros(1, np.float32))
    return np.full(_limited(o[0].tolist()), value.reshape(-1)[0], dtype=value.dtype)


def _range(o: _Operands) -> Array:
    start, limit, step = (o[i].reshape(-1)[0] for i in range(3))
    if step == 0:
        raise ValueError("a Range with step 0")
    _limited([max(0, math.ceil((limit - start) / step))])
    return np.arange(start, limit, step, dtype=o[0].dtype)


def _expand(o: _Operands) -> Array:
    wanted = _limited(o[1].tolist())
    shape = _limited(np.broadcast_shapes(o[0].shape, wanted))
    return np.broadcast_to(o[0], shape).copy()


def _tile(o: _Operands) -> Array:
    repeats = o[1].tolist()
    _limited([s * r for s, r in zip(o[0].shape, repeats, strict=True)])
    return np.tile(o[0], repeats)


def _cast(o: _Operands) -> Array:
    target = o.attribute("to", 1)
    if target in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16):
        target = onnx.TensorProto.FLOAT
    return o[0].astype(onnx.helper.tensor_dtype_to_np_dtype(target))


def _slice(o: _Operands) -> Array:
    starts, ends = o.integers("starts", 1) or [], o.integers("ends", 2) or []
    axes = o.integers("axes", 3) or list(range(len(starts)))
    steps = o.integers("steps", 4) or [1] * len(starts)
    cuts = [slice(None)] * o[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # numpy reads an end before the first element as "from the end"; ONNX clamps it
        stop = None if step < 0 and end < -o[0].shape[axis] else end
        cuts[axis] = slice(start, stop, step)
    return o[0][tuple(cuts)]


def _split(o: _Operands) -> list[Array]:
    axis, parts = o.attribute("axis", 0), len(o.node.outputs)
    size = o[0].shape[axis]
    sizes = o.integers("split", 1) or [min(-(-size // parts), size - i * -(-size // parts)) for i in range(parts)]
    if sum(sizes) != size or len(sizes) != parts:
        raise ValueError(f"a Split of {size} into {sizes}")
    return [np.asarray(part) for part in np.split(o[0], np.cumsum(sizes)[:-1].tolist(), axis=axis)]


def _unsqueeze(o: _Operands) -> Array:
    return np.expand_dims(o[0], tuple(o.integers("axes", 1) or ()))


def _squeeze(o: _Operands) -> Array:
    axes = o.integers("axes", 1)
    return np.squeeze(o[0], None if axes is None else tuple(axes))


def _reshape(o: _Operands) -> Array:
    return o[0].reshape(target_shape(o[0].shape, o.integers("shape", 1) or [], bool(o.attribute("allowzero", 0))))


def _gather(o: _Operands) -> Array:
    axis = o.attribute("axis", 0)
    _limited([o[0].size // max(o[0].shape[axis], 1), o[1].size])
    return np.take(o[0], o[1].astype(np.int64), axis=axis)


def _shape(o: _Operands) -> Array:
    return np.array(o[0].shape[o.attribute("start", 0) : o.attribute("end")], dtype=np.int64)


def _trilu(o: _Operands) -> Array:
    k = int(o[1].reshape(-1)[0]) if o.optional(1) is not None else 0
    return np.triu(o[0], k) if o.attribute("upper", 1) else np.tril(o[0], k)


def _div(a: Array, b: Array) -> Array:
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return np.trunc(a / b).astype(a.dtype)
    return np.asarray(a / b)


def _power(a: Array, b: Array) -> Array:
    return np.power(a.astype(np.float64), b).astype(a.dtype)


def _cumsum(o: _Operands) -> Array:
    if o.attribute("exclusive", 0) or o.attribute("reverse", 0):
        raise ValueError("an exclusive or reversed CumSum")
    return np.cumsum(o[0], axis=int(o[1].reshape(-1)[0]))


def _matmul(o: _Operands) -> Array:
    if o[0].size * o[1].shape[-1] > 1 << 32:
        raise ValueError("a constant matrix product of more than 2^32 multiplications")
    _limited([math.prod(o[0].shape[:-1]), o[1].shape[-1]])
    return np.asarray(np.matmul(o[0], o[1]))


def _binary(function: Callable[[Array, Array], Array]) -> _Fold:
    def rule(o: _Operands) -> Array:
        _limited(np.broadcast_shapes(o[0].shape, o[1].shape))
        return function(o[0], o[1])

    return rule


def _unary(function: Callable[[Array], Array]) -> _Fold:
    return lambda o: np.asarray(function(o[0]))


def _many(function: Callable[[Array, Array], Array]) -> _Fold:
    def rule(o: _Operands) -> Array:
        result = o[0]
        for i in range(1, len(o.inputs)):
            _limited(np.broadcast_shapes(result.shape, o[i].shape))
            result = function(result, o[i])
        return result

    return rule


def _where(o: _Operands) -> Array:
    _limited(np.broadcast_shapes(o[0].shape, o[1].shape, o[2].shape))
    return np.where(o[0], o[1], o[2])


def _concat(o: _Operands) -> Array:
    arrays = [o[i] for i in range(len(o.inputs))]
    _limited([sum(a.size for a in arrays)])
    return np.concatenate(arrays, axis=o.attribute("axis", 0))


def _reduce(function: Callable[..., Array]) -> _Fold:
    def rule(o: _Operands) -> Array:
        axes = o.integers("axes", 1)
        if axes is None and o.attribute("noop_with_empty_axes", 0):
            return o[0]
        chosen = None if axes is None else tuple(axes)
        return np.asarray(function(o[0], axis=chosen, keepdims=bool(o.attribute("keepdims", 1))))

    return rule


_RULES: Mapping[str, _Fold] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Expand": _expand,
    "Tile": _tile,
    "Cast": _cast,
    "CastLike": lambda o: o[0].astype(o[1].dtype),
    "Slice": _slice,
    "Split": _split,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Flatten": lambda o: o[0].reshape(math.prod(o[0].shape[: o.attribute("axis", 1)]), -1),
    "Transpose": lambda o: np.transpose(o[0], o.attribute("perm")),
    "Gather": _gather,
    "Shape": _shape,
    "Size": lambda o: np.asarray(o[0].size),
    "Trilu": _trilu,
    "CumSum": _cumsum,
    "MatMul": _matmul,
    "Where": _where,
    "Concat": _concat,
    "Identity": lambda o: o[0],
    "Dropout": lambda o: o[0],
    "Add": _binary(np.add),
    "Sub": _binary(np.subtract),
    "Mul": _binary(np.multiply),
    "Div": _binary(_div),
    "Pow": _binary(_power),
    "Mod": _binary(np.mod),
    "Equal": _binary(np.equal),
    "Less": _binary(np.less),
    "LessOrEqual": _binary(np.less_equal),
    "Greater": _binary(np.greater),
    "GreaterOrEqual": _binary(np.greater_equal),
    "And": _binary(np.logical_and),
    "Or": _binary(np.logical_or),
    "Max": _many(np.maximum),
    "Min": _many(np.minimum),
    "Not": _unary(np.logical_not),
    "Neg": _unary(np.negative),
    "Abs": _unary(np.abs),
    "Sqrt": _unary(np.sqrt),
    "Reciprocal": _unary(np.reciprocal),
    "Exp": _unary(np.exp),
    "Log": _unary(np.log),
    "Erf": _unary(lambda a: erf(a.astype(np.float64)).astype(a.dtype)),
    "Sin": _unary(np.sin),
    "Cos": _unary(np.cos),
    "Tanh": _unary(np.tanh),
    "Floor": _unary(np.floor),
    "Ceil": _unary(np.ceil),
    "IsNaN": _unary(np.isnan),
    "IsInf": _unary(np.isinf),
    "ReduceSum": _reduce(np.sum),
    "ReduceProd": _reduce(np.prod),
    "ReduceMean": _reduce(np.mean),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
}
