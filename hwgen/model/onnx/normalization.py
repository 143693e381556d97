"""Batch, layer and root mean square normalisation, softmax."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.kinds.rms_norm import RmsNorm
from hwgen.model.kinds.softmax import Softmax
from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import FLOATS, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import SourceNode
from hwgen.model.onnx.values import Const, Masked
from hwgen.model.onnx.view import View
from hwgen.numbers.arrays import Array


def _batch_norm(call: Call) -> View:
    view = call.view(0)
    if call.attribute("training_mode", 0) or call.attribute("spatial", 1) != 1:
        raise Refused("a BatchNormalization in training mode; call model.eval() before the export")
    scale, bias, mean, variance = (call.weights(i) for i in range(1, 5))
    if scale is None or bias is None or mean is None or variance is None or len(view.dims) < 2:
        raise Refused("a BatchNormalization without its scale, bias, mean and variance")
    spread = variance + call.attribute("epsilon", 1e-5)
    if not (spread > 0).all():
        raise Refused("a BatchNormalization whose variance is not positive; export the model again")
    factor = scale / np.sqrt(spread)
    shape = (-1,) + (1,) * (len(view.dims) - 2)
    scaled = call.builder.with_constant(view, Multiply(), factor.reshape(shape))
    return call.builder.with_constant(scaled, Add(), (bias - mean * factor).reshape(shape))


def layer_norm(call: Call, view: View, axis: int, epsilon: float, gamma: Array | None, beta: Array | None) -> View:
    """LAYER_NORM over the axes from ``axis`` on; gamma and beta broadcast to their shape."""
    if not epsilon > 0:
        raise Refused(f"a layer norm with epsilon {epsilon:g}; it must be positive")
    zeros, ones = np.zeros(()), np.ones(())
    constants = {"gamma": ones if gamma is None else gamma, "beta": zeros if beta is None else beta}
    return _normalized(call, view, axis, LayerNorm(epsilon), constants)


def _normalized(call: Call, view: View, axis: int, kind: LayerNorm | RmsNorm, constants: Mapping[str, Array]) -> View:
    """A normalisation over the axes from ``axis`` on, which become the features; the constants broadcast to them."""
    normalized = [f for dim in view.dims[axis:] for f in dim]
    grid = [f for f in range(len(view.sizes)) if f not in normalized]
    features = view.size(normalized)
    order = [*grid, *sorted(normalized)]
    shape = call.builder.shape(view)
    keep = order == sorted(order) and shape.features == features
    laid = call.builder.lay(view, order, shape.grid if keep else [view.sizes[f] for f in grid], features)
    part = View("", tuple(view.sizes[f] for f in sorted(normalized)), _renumbered(view.dims[axis:]))
    streamed = {n: part.to_stream(np.broadcast_to(c, part.shape)).reshape(-1) for n, c in constants.items()}
    return View(call.builder.emit(kind, [laid.node], streamed), laid.sizes, laid.dims)


def _renumbered(dims: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    place = {factor: i for i, factor in enumerate(sorted(f for dim in dims for f in dim))}
    return tuple(tuple(place[f] for f in dim) for dim in dims)


def _layer_norm(call: Call) -> View:
    view = call.view(0)
    axis = call.axis(call.attribute("axis", -1), len(view.dims))
    return layer_norm(call, view, axis, call.attribute("epsilon", 1e-5), call.weights(1), call.weights(2))


def _instance_norm(call: Call) -> View:
    """Every channel by itself is a layer norm over its positions; group norm is spelt as this over reshaped groups."""
    view, scale, bias = call.view(0), call.weights(1), call.weights(2)
    if scale is None or bias is None or len(view.dims) < 3:
        raise Refused("an InstanceNormalization without its scale and bias, or without positions")
    normalized = layer_norm(call, view, 2, call.attribute("epsilon", 1e-5), None, None)
    column = (-1,) + (1,) * (len(view.dims) - 2)
    if (scale != 1).any():
        normalized = call.builder.with_constant(normalized, Multiply(), scale.reshape(column))
    return call.builder.with_constant(normalized, Add(), bias.reshape(column)) if bias.any() else normalized


def _rms_norm(call: Call) -> View:
    view, gamma = call.view(0), call.weights(1)
    axis = call.axis(call.attribute("axis", -1), len(view.dims))
    epsilon = call.attribute("epsilon", 1e-5)
    if gamma is None or not epsilon > 0:
        raise Refused(f"an RMS norm without its scale, or with epsilon {epsilon:g}, which must be positive")
    return _normalized(call, view, axis, RmsNorm(epsilon), {"gamma": gamma})


def decomposed_layer_norm(call: Call) -> View | None:
    """``(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)`` spelt out; None where ``call`` is no such division."""
    centred = call.producer(call.node.inputs[0])
    found = _deviation(call, call.producer(call.node.inputs[1]))
    if centred is None or found is None or centred.operator != "Sub":
        return None
    spread, epsilon, variance = found
    if (spread.operator, spread.inputs) != ("Sub", centred.inputs):
        return None
    mean = call.producer(centred.inputs[1])
    if mean is None or mean.operator != "ReduceMean" or mean.inputs[0] != centred.inputs[0]:
        return None
    view = call.as_view(call.values[centred.inputs[0]])
    if any(not _over_last_axis(call, node, len(view.dims)) for node in (mean, variance)):
        return None
    return layer_norm(call, view, len(view.dims) - 1, epsilon, None, None)


def _deviation(call: Call, root: SourceNode | None) -> tuple[SourceNode, float, SourceNode] | None:
    """The node whose squares are averaged under a square root, epsilon, and the node that averages."""
    if root is None or root.operator not in ("Sqrt", "Pow"):
        return None
    if root.operator == "Pow" and _scalar(call, root.inputs[1]) != 0.5:
        return None
    total = call.producer(root.inputs[0])
    if total is None or total.operator != "Add":
        return None
    numbers = [_scalar(call, name) for name in total.inputs]
    epsilon = next((n for n in numbers if n is not None), None)
    mean = next((call.producer(name) for name, n in zip(total.inputs, numbers, strict=True) if n is None), None)
    if epsilon is None or mean is None or mean.operator != "ReduceMean":
        return None
    square = call.producer(mean.inputs[0])
    if square is None:
        return None
    squared = square.operator == "Pow" and _scalar(call, square.inputs[1]) == 2.0
    squared = squared or (square.operator == "Mul" and square.inputs[0] == square.inputs[1])
    base = call.producer(square.inputs[0]) if squared else None
    return None if base is None else (base, epsilon, mean)


def _scalar(call: Call, name: str) -> float | None:
    value = call.values.get(name)
    return float(value.array.reshape(-1)[0]) if isinstance(value, Const) and value.array.size == 1 else None


def _over_last_axis(call: Call, mean: SourceNode, rank: int) -> bool:
    """Whether a ReduceMean averages the last axis only, and keeps it."""
    axes = mean.attributes.get("axes")
    if axes is None and len(mean.inputs) > 1:
        value = call.values.get(mean.inputs[1])
        axes = tuple(int(v) for v in value.array.reshape(-1)) if isinstance(value, Const) else ()
    return mean.attributes.get("keepdims", 1) == 1 and axes in ((-1,), (rank - 1,))


def _softmax(call: Call) -> View:
    operand = call.required(0)
    view = operand.view if isinstance(operand, Masked) else call.as_view(operand)
    rank = len(view.dims)
    axis = call.axis(call.attribute("axis", -1 if call.opset >= 13 else 1), rank)
    # before opset 13 a softmax covers all axes from `axis` on
    covered = view.dims[axis : axis + 1] if call.opset >= 13 else view.dims[axis:]
    group = [f for dim in covered for f in dim]
    causal = isinstance(operand, Masked) and _is_causal(operand, view, axis)
    size = view.size(group)
    if causal:
        # scores (…, queries, keys) as tokens = queries, features = heads × keys
        queries = view.dims[-2]
        order = [*queries, *(f for f in range(len(view.sizes)) if f not in (*queries, *group)), *group]
        grid: tuple[int, ...] = (view.size(queries),)
        features = view.elements // view.size(queries)
    else:
        order = [*(f for f in range(len(view.sizes)) if f not in group), *sorted(group)]
        shape = call.builder.shape(view)
        keep = order == sorted(order) and shape.features % size == 0
        grid = shape.grid if keep else tuple(view.sizes[f] for f in order[: len(order) - len(group)])
        features = shape.features if keep else size
    laid = call.builder.lay(view, order, grid, features)
    return View(call.builder.emit(Softmax(size, causal), [laid.node]), laid.sizes, laid.dims)


def _is_causal(masked: Masked, view: View, axis: int) -> bool:
    """Whether the mask is the lower triangle over the last two axes (an empty mask is none at all)."""
    if masked.keep.all():
        return False
    queries, keys = view.shape[-2:] if len(view.shape) >= 2 else (0, 0)
    if axis != len(view.dims) - 1 or queries != keys:
        raise Refused("an attention mask needs a Softmax over the last axis of square scores")
    if not np.array_equal(masked.keep, np.broadcast_to(np.tri(queries, keys, dtype=bool), view.shape)):
        raise Refused("only the causal mask (lower triangle) has a hardware form; export without padding masks")
    return True


HANDLERS: Handlers = {
    "BatchNormalization": Declared(_batch_norm, 5, ("epsilon", "momentum", "training_mode", "spatial"), FLOATS),
    "LayerNormalization": Declared(_layer_norm, 3, ("axis", "epsilon", "stash_type"), FLOATS),
    "InstanceNormalization": Declared(_instance_norm, 3, ("epsilon",), FLOATS),
    "RMSNormalization": Declared(_rms_norm, 2, ("axis", "epsilon", "stash_type"), FLOATS),
    "Softmax": Declared(_softmax, 1, ("axis",), FLOATS),
}
