"""Folding of constant nodes that make, cut, join and rearrange tensors."""

from __future__ import annotations

import math

import numpy as np

from hwgen.model.onnx.declared import ANY_NUMBER_OF_OPERANDS, ANYTHING, FLOATS, Declared
from hwgen.model.onnx.fold_operands import Folds, Operands, limited
from hwgen.model.onnx.layout import target_shape
from hwgen.model.onnx.type_names import type_name
from hwgen.numbers.arrays import Array


def _constant(o: Operands) -> Array:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        value = o.attribute(name)
        if value is not None:
            kind = np.float32 if "float" in name else np.int64
            return value if name == "value" else np.asarray(value, dtype=kind)
    raise ValueError("a constant of an unknown kind")


def _constant_of_shape(o: Operands) -> Array:
    value = o.attribute("value", np.zeros(1, np.float32))
    return np.full(limited(o[0].tolist()), value.reshape(-1)[0], dtype=value.dtype)


def _range(o: Operands) -> Array:
    start, limit, step = (o[i].reshape(-1)[0] for i in range(3))
    if step == 0:
        raise ValueError("a Range with step 0")
    limited([max(0, math.ceil((limit - start) / step))])
    return np.arange(start, limit, step, dtype=o[0].dtype)


def _expand(o: Operands) -> Array:
    wanted = limited(o[1].tolist())
    shape = limited(np.broadcast_shapes(o[0].shape, wanted))
    return np.broadcast_to(o[0], shape).copy()


def _tile(o: Operands) -> Array:
    repeats = o[1].tolist()
    limited([s * r for s, r in zip(o[0].shape, repeats, strict=True)])
    return np.tile(o[0], repeats)


def _cast(o: Operands) -> Array:
    return _converted(o[0], type_name(o.attribute("to", 0)))


def _converted(array: Array, target: str) -> Array:
    if target not in ANYTHING:
        raise ValueError(f"a Cast of constants to {target}")
    # floats stand for real numbers: half precision rounds nothing here
    if target in FLOATS:
        return array.astype(np.float64 if target == "double" else np.float32)
    return array.astype(target)


def _cast_like(o: Operands) -> Array:
    return _converted(o[0], o.types[1] or "")


def _slice(o: Operands) -> Array:
    starts, ends = o.integers("starts", 1) or [], o.integers("ends", 2) or []
    axes = o.integers("axes", 3) or list(range(len(starts)))
    steps = o.integers("steps", 4) or [1] * len(starts)
    cuts = [slice(None)] * o[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # numpy reads an end before the first element as "from the end"; ONNX clamps it
        stop = None if step < 0 and end < -o[0].shape[axis] else end
        cuts[axis] = slice(start, stop, step)
    return o[0][tuple(cuts)]


def _split(o: Operands) -> list[Array]:
    axis, parts = o.attribute("axis", 0), len(o.node.outputs)
    size = o[0].shape[axis]
    sizes = o.integers("split", 1) or [min(-(-size // parts), size - i * -(-size // parts)) for i in range(parts)]
    if sum(sizes) != size or len(sizes) != parts:
        raise ValueError(f"a Split of {size} into {sizes}")
    return [np.asarray(part) for part in np.split(o[0], np.cumsum(sizes)[:-1].tolist(), axis=axis)]


def _unsqueeze(o: Operands) -> Array:
    return np.expand_dims(o[0], tuple(o.integers("axes", 1) or ()))


def _squeeze(o: Operands) -> Array:
    axes = o.integers("axes", 1)
    return np.squeeze(o[0], None if axes is None else tuple(axes))


def _reshape(o: Operands) -> Array:
    return o[0].reshape(target_shape(o[0].shape, o.integers("shape", 1) or [], bool(o.attribute("allowzero", 0))))


def _flatten(o: Operands) -> Array:
    return o[0].reshape(math.prod(o[0].shape[: o.attribute("axis", 1)]), -1)


def _gather(o: Operands) -> Array:
    axis = o.attribute("axis", 0)
    limited([o[0].size // max(o[0].shape[axis], 1), o[1].size])
    return np.take(o[0], o[1].astype(np.int64), axis=axis)


def _gather_elements(o: Operands) -> Array:
    return np.take_along_axis(o[0], o[1].astype(np.int64), axis=o.attribute("axis", 0))


def _scatter_nd(o: Operands) -> Array:
    result = o[0].copy()
    result[tuple(np.moveaxis(o[1].astype(np.int64), -1, 0))] = o[2]
    return result


def _dropout(o: Operands) -> Array:
    training = o.optional(2)
    if training is not None and training.any():
        raise ValueError("a Dropout in training mode")
    return o[0]


def _shape(o: Operands) -> Array:
    return np.array(o[0].shape[o.attribute("start", 0) : o.attribute("end")], dtype=np.int64)


def _trilu(o: Operands) -> Array:
    k = int(o[1].reshape(-1)[0]) if o.optional(1) is not None else 0
    return np.triu(o[0], k) if o.attribute("upper", 1) else np.tril(o[0], k)


def _where(o: Operands) -> Array:
    limited(np.broadcast_shapes(o[0].shape, o[1].shape, o[2].shape))
    return np.where(o[0], o[1], o[2])


def _concat(o: Operands) -> Array:
    arrays = [o[i] for i in range(len(o.inputs))]
    limited([sum(a.size for a in arrays)])
    return np.concatenate(arrays, axis=o.attribute("axis", 0))


RULES: Folds = {
    "Constant": Declared(_constant, 0, ("value", "value_float", "value_floats", "value_int", "value_ints"), ANYTHING),
    "ConstantOfShape": Declared(_constant_of_shape, 1, ("value",), ANYTHING),
    "Range": Declared(_range, 3, (), ANYTHING),
    "Expand": Declared(_expand, 2, (), ANYTHING),
    "Tile": Declared(_tile, 2, (), ANYTHING),
    "Cast": Declared(_cast, 1, ("to",), ANYTHING),
    "CastLike": Declared(_cast_like, 2, (), ANYTHING),
    "Slice": Declared(_slice, 5, ("starts", "ends", "axes"), ANYTHING),
    "Split": Declared(_split, 2, ("axis", "split", "num_outputs"), ANYTHING),
    "Unsqueeze": Declared(_unsqueeze, 2, ("axes",), ANYTHING),
    "Squeeze": Declared(_squeeze, 2, ("axes",), ANYTHING),
    "Reshape": Declared(_reshape, 2, ("allowzero",), ANYTHING),
    "Flatten": Declared(_flatten, 1, ("axis",), ANYTHING),
    "Transpose": Declared(lambda o: np.transpose(o[0], o.attribute("perm")), 1, ("perm",), ANYTHING),
    "Gather": Declared(_gather, 2, ("axis",), ANYTHING),
    "GatherElements": Declared(_gather_elements, 2, ("axis",), ANYTHING),
    "ScatterND": Declared(_scatter_nd, 3, (), ANYTHING),
    "Shape": Declared(_shape, 1, ("start", "end"), ANYTHING),
    "Size": Declared(lambda o: np.asarray(o[0].size), 1, (), ANYTHING),
    "Trilu": Declared(_trilu, 2, ("upper",), ANYTHING),
    "Where": Declared(_where, 3, (), ANYTHING),
    "Concat": Declared(_concat, ANY_NUMBER_OF_OPERANDS, ("axis",), ANYTHING),
    "Identity": Declared(lambda o: o[0], 1, (), ANYTHING),
    "Dropout": Declared(_dropout, 3, ("ratio", "seed"), ANYTHING),
}
