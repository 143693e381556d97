"""Operators that only say how a tensor is looked at, and those that cut tensors apart or join them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from hwgen.model.kinds.concat import Concat
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.layout import Reshape
from hwgen.model.kinds.pools import MaxPool
from hwgen.model.kinds.slice import Slice
from hwgen.model.kinds.sources import Input
from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import ANY_NUMBER_OF_OPERANDS, ANYTHING, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import MAX_RANK
from hwgen.model.onnx.values import Const, Value
from hwgen.model.onnx.view import View, stream_view
from hwgen.model.shape import Shape


def _passed(call: Call) -> Value:
    return call.required(0)


def _dropout(call: Call) -> Value:
    training = call.constant(2)
    if training is not None and training.any():
        raise Refused("a Dropout in training mode; call model.eval() before the export")
    return call.required(0)


def _size(call: Call) -> Const:
    return Const(np.asarray(call.view(0).elements))


def _shape(call: Call) -> Const:
    return Const(np.array(call.view(0).shape[_slice_of(call)], dtype=np.int64))


def _slice_of(call: Call) -> slice:
    return slice(call.attribute("start", 0), call.node.attributes.get("end"))


def target_shape(current: Sequence[int], wanted: Sequence[int], allow_zero: bool) -> tuple[int, ...]:
    """The ONNX Reshape rule: 0 copies an axis, one -1 takes what is left.

    Raises:
        Refused: the wanted shape has another number of elements.
    """
    if any(w < -1 for w in wanted) or list(wanted).count(-1) > 1 or len(wanted) > MAX_RANK:
        raise Refused(f"the shape {tuple(wanted)[: MAX_RANK + 1]} is impossible or has more than {MAX_RANK} axes")
    shape = [current[i] if w == 0 and not allow_zero and i < len(current) else w for i, w in enumerate(wanted)]
    elements, known = math.prod(current), math.prod(s for s in shape if s != -1)
    if -1 in shape and known > 0:
        shape[shape.index(-1)] = elements // known
    if math.prod(shape) != elements or min(shape, default=1) < 1:
        raise Refused(
            f"cannot reshape {tuple(current)} to {tuple(wanted)}; export with batch size 1 or a dynamic batch axis"
        )
    return tuple(shape)


def _reshape(call: Call) -> View:
    view, wanted = call.view(0), call.integers("shape", 1)
    if wanted is None:
        raise Refused("the shape of a Reshape is missing")
    shape = target_shape(view.shape, wanted, bool(call.attribute("allowzero", 0)))
    return call.builder.reshaped(view, shape)


def _flatten(call: Call) -> View:
    view = call.view(0)
    axis = call.attribute("axis", 1)
    axis = axis if axis == len(view.dims) else call.axis(axis, len(view.dims))
    return call.builder.reshaped(view, (math.prod(view.shape[:axis]), math.prod(view.shape[axis:])))


def _transpose(call: Call) -> View:
    view = call.view(0)
    order = call.integers("perm") or tuple(reversed(range(len(view.dims))))
    if sorted(order) != list(range(len(view.dims))):
        raise Refused(f"the permutation {order} of {len(view.dims)} axes")
    return view.transposed(order)


def _squeeze(call: Call) -> View:
    view = call.view(0)
    axes = call.axes("axes", 1, len(view.dims))
    chosen = [i for i, s in enumerate(view.shape) if s == 1] if axes is None else axes
    if any(view.shape[i] != 1 for i in chosen):
        raise Refused(f"squeezing axes {tuple(chosen)} of shape {view.shape}")
    return View(view.node, view.sizes, tuple(d for i, d in enumerate(view.dims) if i not in chosen))


def _unsqueeze(call: Call) -> View:
    view = call.view(0)
    count = len(call.integers("axes", 1) or ())
    if len(view.dims) + count > MAX_RANK:
        raise Refused(f"an Unsqueeze to {len(view.dims) + count} axes; at most {MAX_RANK} are supported")
    axes = call.axes("axes", 1, len(view.dims) + count) or ()
    dims = iter(view.dims)
    return View(view.node, view.sizes, tuple(() if i in axes else next(dims) for i in range(len(view.dims) + count)))


def _expand(call: Call) -> View:
    view, wanted = call.view(0), call.integers("shape", 1)
    if len(wanted or ()) > MAX_RANK:
        raise Refused(f"an Expand to {len(wanted or ())} axes; at most {MAX_RANK} are supported")
    shape = np.broadcast_shapes(view.shape, wanted or ())
    if math.prod(shape) != view.elements:
        raise Refused(
            f"an Expand of an activation from {view.shape} to {shape} would copy it; let the operator broadcast"
        )
    return view.with_rank(len(shape))


def cut(call: Call, view: View, axis: int, start: int, stop: int) -> View:
    """Positions ``start:stop`` of one ONNX axis."""
    if not 0 <= start < stop <= view.shape[axis]:
        raise Refused(f"the empty or impossible range {start}:{stop} of an axis of {view.shape[axis]}")
    if (start, stop) == (0, view.shape[axis]):
        return view
    view = _one_factor(call, view, axis)
    (factor,) = view.dims[axis]
    dims, ir_axis, inner = _axis_shape(call.builder.shape(view), view, factor)
    laid = call.builder.lay(view, range(len(view.sizes)), dims[:-1], dims[-1])
    node = call.builder.emit(Slice(ir_axis, start * inner, stop * inner), [laid.node])
    return _resized(node, view, factor, stop - start)


def _one_factor(call: Call, view: View, axis: int) -> View:
    """The view with one factor along an axis longer than 1."""
    view = view.merged()
    if len(view.dims[axis]) == 1:
        return view
    return call.builder.lay(view, view.sequence, (), view.elements).merged()


def _every(call: Call, view: View, axis: int, step: int) -> View:
    """Positions 0, ``step``, 2 ``step``… of one ONNX axis: a pool whose windows are single elements."""
    if view.shape[axis] == 1 or step == 1:
        return view
    view = _one_factor(call, view, axis)
    (factor,) = view.dims[axis]
    size = view.sizes[factor]
    before, behind = math.prod(view.sizes[:factor]), math.prod(view.sizes[factor + 1 :])
    laid = call.builder.lay(view, range(len(view.sizes)), (before, size), behind)
    node = call.builder.emit(MaxPool((1, 1), (1, step), (0, 0, 0, 0), (1, 1), False), [laid.node])
    return _resized(node, view, factor, -(-size // step))


def _axis_shape(shape: Shape, view: View, factor: int) -> tuple[tuple[int, ...], int, int]:
    """A node shape that has the factor as an axis: as part of the features where it leads them, else as a grid axis.

    Returns:
        The dims, the axis, and how many of its elements make one step of the factor.
    """
    before, behind = math.prod(view.sizes[:factor]), math.prod(view.sizes[factor + 1 :])
    size = view.sizes[factor]
    for axis in range(len(shape.dims) - 1):
        if (math.prod(shape.dims[:axis]), shape.dims[axis]) == (before, size):
            return shape.dims, axis, 1
    if (before % shape.tokens == 0 and before > shape.tokens) or before == shape.tokens:
        grid = shape.grid if before == shape.tokens else view.sizes[:factor]
        return (*grid, size * behind), len(grid), behind
    return (*view.sizes[: factor + 1], behind), factor, 1


def _resized(node: str, view: View, factor: int, size: int) -> View:
    """The view of a fresh node that has ``size`` positions of one factor, or none of it where that is 1."""
    if size > 1:
        return View(node, (*view.sizes[:factor], size, *view.sizes[factor + 1 :]), view.dims)
    dims = tuple(tuple(f - (f > factor) for f in dim if f != factor) for dim in view.dims)
    return View(node, (*view.sizes[:factor], *view.sizes[factor + 1 :]), dims)


def _slice(call: Call) -> View:
    view = call.view(0)
    rank = len(view.dims)
    starts, ends = call.integers("starts", 1), call.integers("ends", 2)
    axes, steps = call.integers("axes", 3), call.integers("steps", 4)
    if starts is None or ends is None or len(starts) != len(ends):
        raise Refused("a Slice without constant starts and ends")
    axes = axes or tuple(range(len(starts)))
    steps = steps or (1,) * len(starts)
    if any(step < 1 for step in steps):
        raise Refused("a Slice with a negative step would reverse an axis; take the positions in rising order")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        position = call.axis(axis, rank)
        first, last, _ = slice(start, end).indices(view.shape[position])
        view = _every(call, cut(call, view, position, first, last), position, step)
    return view


def _split(call: Call) -> tuple[Value, ...]:
    view = call.view(0)
    axis = call.axis(call.attribute("axis", 0), len(view.dims))
    size, parts = view.shape[axis], len(call.node.outputs)
    sizes = call.integers("split", 1) or _even_parts(size, parts)
    if len(sizes) != parts or sum(sizes) != size:
        raise Refused(f"a Split of {size} into {sizes}")
    starts = np.cumsum([0, *sizes]).tolist()
    return tuple(cut(call, view, axis, a, b) for a, b in itertools.pairwise(starts))


def _even_parts(size: int, parts: int) -> tuple[int, ...]:
    each = -(-size // parts)
    return tuple(min(each, size - i * each) for i in range(parts))


def _concat(call: Call) -> View:
    views = [call.view(i) for i in range(len(call.inputs))]
    rank = len(views[0].dims)
    axis = call.axis(call.attribute("axis", 1), rank)
    if any(len(v.dims) != rank for v in views):
        raise Refused("a Concat of tensors with different numbers of axes")
    if any(s != t for v in views for a, (s, t) in enumerate(zip(v.shape, views[0].shape, strict=True)) if a != axis):
        raise Refused(f"a Concat of shapes {', '.join(str(v.shape) for v in views)} along axis {axis}")
    if len(views) == 1:
        return views[0]
    plain = [_one_factor_per_axis(call, v) for v in views]
    order = _joint_order(plain, axis)
    laid = [call.builder.lay(v, [f for a in order for f in v.dims[a]], *_split_shape(v, order)) for v in plain]
    sizes = [sum(v.shape[axis] for v in views) if a == axis else plain[0].shape[a] for a in order]
    node = call.builder.emit(Concat(order.index(axis)), [v.node for v in laid])
    return stream_view(node, list(zip(sizes, order, strict=True)), rank)


def _one_factor_per_axis(call: Call, view: View) -> View:
    merged = view.merged()
    if all(len(dim) <= 1 for dim in merged.dims):
        return merged
    return call.builder.lay(merged, merged.sequence, (), merged.elements).merged()


def _joint_order(views: Sequence[View], axis: int) -> list[int]:
    """The ONNX axes in the stream order of the tensors to join: that of the first one longer than 1 along ``axis``."""
    leader = next((v for v in views if v.dims[axis]), views[0])
    order = sorted((a for a, dim in enumerate(leader.dims) if dim), key=lambda a: leader.dims[a])
    if axis not in order:
        order = [axis, *order] if all(a > axis for a in order) else [*order, axis]
    return order


def _split_shape(view: View, order: Sequence[int]) -> tuple[tuple[int, ...], int]:
    sizes = [view.shape[a] for a in order]
    return tuple(sizes[:-1]), sizes[-1]


def _gather(call: Call) -> View:
    data, indices = call.required(0), call.required(1)
    if isinstance(data, Const):
        return _embedding(call, data, call.as_view(indices))
    view = call.view(0)
    axis = call.axis(call.attribute("axis", 0), len(view.dims))
    picked = call.constant(1)
    if picked is None or picked.size == 0 or picked.dtype.kind not in "iu":
        raise Refused("a Gather with indices that are no integers")
    flat = [int(i) % view.shape[axis] if -view.shape[axis] <= i < view.shape[axis] else -1 for i in picked.reshape(-1)]
    if flat != list(range(flat[0], flat[0] + len(flat))) or flat[0] < 0:
        raise Refused("a Gather of activations at scattered positions; only one contiguous range can be taken")
    part = cut(call, view, axis, flat[0], flat[-1] + 1)
    if picked.ndim == 0:
        return View(part.node, part.sizes, (*part.dims[:axis], *part.dims[axis + 1 :]))
    return call.builder.reshaped(part, (*part.shape[:axis], *picked.shape, *part.shape[axis + 1 :]))


def _embedding(call: Call, table: Const, indices: View) -> View:
    if table.array.ndim != 2 or call.attribute("axis", 0) not in (0, -2):
        raise Refused("a Gather from a constant that is no embedding table (vocabulary, features) along its first axis")
    if not isinstance(call.builder.nodes[indices.node].kind, Input | Reshape | Slice):
        raise Refused("embedding indices that are computed; feed token ids from an input")
    laid = call.builder.lay(indices, indices.sequence, (indices.elements,), 1)
    node = call.builder.emit(Embedding(), [laid.node], {"table": table.array.astype(np.float64)})
    stream = [(size, axis) for axis, size in enumerate(indices.shape)]
    return stream_view(node, [*stream, (table.array.shape[1], len(indices.dims))], len(indices.dims) + 1)


HANDLERS: Handlers = {
    "Identity": Declared(_passed, 1, (), ANYTHING),
    "Dropout": Declared(_dropout, 3, ("ratio", "seed"), ANYTHING),
    "Shape": Declared(_shape, 1, ("start", "end"), ANYTHING),
    "Size": Declared(_size, 1, (), ANYTHING),
    "Reshape": Declared(_reshape, 2, ("allowzero",), ANYTHING),
    "Flatten": Declared(_flatten, 1, ("axis",), ANYTHING),
    "Transpose": Declared(_transpose, 1, ("perm",), ANYTHING),
    "Squeeze": Declared(_squeeze, 2, ("axes",), ANYTHING),
    "Unsqueeze": Declared(_unsqueeze, 2, ("axes",), ANYTHING),
    "Expand": Declared(_expand, 2, (), ANYTHING),
    "Slice": Declared(_slice, 5, ("starts", "ends", "axes"), ANYTHING),
    "Split": Declared(_split, 2, ("axis", "split", "num_outputs"), ANYTHING),
    "Concat": Declared(_concat, ANY_NUMBER_OF_OPERANDS, ("axis",), ANYTHING),
    "Gather": Declared(_gather, 2, ("axis",), ANYTHING),
}
