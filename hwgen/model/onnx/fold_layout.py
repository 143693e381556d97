"""Folding of constant nodes that make, cut, join and rearrange tensors."""

from __future__ import annotations

import math

import numpy as np
import onnx

from hwgen.model.onnx.fold_operands import Folds, Operands, limited
from hwgen.model.onnx.layout import target_shape
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
    target = o.attribute("to", 1)
    if target in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16):
        target = onnx.TensorProto.FLOAT
    return o[0].astype(onnx.helper.tensor_dtype_to_np_dtype(target))


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


def _gather(o: Operands) -> Array:
    axis = o.attribute("axis", 0)
    limited([o[0].size // max(o[0].shape[axis], 1), o[1].size])
    return np.take(o[0], o[1].astype(np.int64), axis=axis)


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
    "Where": _where,
    "Concat": _concat,
    "Identity": lambda o: o[0],
    "Dropout": lambda o: o[0],
}
