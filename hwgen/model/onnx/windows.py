"""Convolutions, pools and the padding before them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.pools import AveragePool, MaxPool, Pool
from hwgen.model.onnx.call import Call, Handler, Handlers
from hwgen.model.onnx.declared import FLOATS, NUMBERS, Declared
from hwgen.model.onnx.padding import Padded
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import Value
from hwgen.model.onnx.view import View, stream_view
from hwgen.numbers.arrays import Array

_Pair: TypeAlias = tuple[int, int]
_Pads: TypeAlias = tuple[int, int, int, int]


def _conv(call: Call) -> View:
    view, before = _data(call, value=0.0)
    weight, bias = call.weights(1), call.weights(2)
    if weight is None or weight.ndim != len(view.dims):
        raise Refused("the weight of a convolution has as many axes as its input")
    if (call.integers("kernel_shape") or weight.shape[2:]) != weight.shape[2:]:
        raise Refused(f"kernel_shape does not fit a weight of shape {weight.shape}; export the model again")
    groups = call.attribute("group", 1)
    if groups < 1 or weight.shape[1] * groups != view.shape[1]:
        raise Refused(f"{view.shape[1]} channels do not fit a weight of shape {weight.shape} in {groups} groups")
    channels = view.dims[1]
    image = _image(call, view, sorted(channels) if groups == 1 else channels)
    if groups == 1:  # any order of the input channels will do: the weights follow the stream
        weight = _columns_in_stream_order(view, channels, weight)
    kernel, strides, pads, dilations = _window(call, view, weight.shape[2:], before)
    weight = weight.reshape(*weight.shape[:2], *kernel).transpose(0, 2, 3, 1)
    bias = np.zeros(weight.shape[0]) if bias is None else bias.reshape(-1)
    kind = Conv(strides, pads, dilations, groups)
    node = call.builder.emit(kind, [image.node], {"weight": weight, "bias": bias})
    grid = call.builder.nodes[node].shape.grid[4 - len(view.dims) :]
    stream = [(size, axis) for axis, size in enumerate(grid, start=2)]
    return stream_view(node, [*stream, (weight.shape[0], 1)], len(view.dims))


def _columns_in_stream_order(view: View, channels: Sequence[int], weight: Array) -> Array:
    split = weight.reshape(weight.shape[0], *(view.sizes[f] for f in channels), *weight.shape[2:])
    order = [1 + list(channels).index(f) for f in sorted(channels)]
    tail = range(1 + len(channels), split.ndim)
    return np.asarray(split.transpose(0, *order, *tail).reshape(weight.shape))


def _data(call: Call, value: float | None) -> tuple[View, tuple[tuple[int, int], ...]]:
    """The input, and spatial padding with ``value`` that a Pad before it left. Other padding becomes elements."""
    operand = call.required(0)
    if isinstance(operand, Padded) and operand.value == value and operand.pads[:2] == ((0, 0), (0, 0)):
        view, pads = operand.view, operand.pads
    else:
        view = call.as_view(operand)
        pads = ((0, 0),) * len(view.dims)
    if len(view.dims) not in (3, 4) or view.shape[0] != 1:
        raise Refused(
            f"needs an input of shape (1, channels, length) or (1, channels, rows, columns), not {view.shape}"
        )
    return view, pads


def _image(call: Call, view: View, channels: Sequence[int]) -> View:
    """The input with its stream in the order rows, columns, channels."""
    spatial = view.shape[2:]
    grid = (1, spatial[0]) if len(spatial) == 1 else spatial
    order = [*(f for dim in view.dims[2:] for f in dim), *channels]
    return call.builder.lay(view, order, grid, view.shape[1])


def _window(
    call: Call, view: View, kernel: Sequence[int], before: tuple[tuple[int, int], ...], ceil_mode: bool = False
) -> tuple[_Pair, _Pair, _Pads, _Pair]:
    """Kernel, strides, pads (top, left, bottom, right) and dilations, with one dimension made two."""
    rank = len(view.dims) - 2
    strides = call.integers("strides") or (1,) * rank
    dilations = call.integers("dilations") or (1,) * rank
    if not len(kernel) == len(strides) == len(dilations) == rank or min(*kernel, *strides, *dilations) < 1:
        raise Refused(f"kernel, strides and dilations need {rank} values of 1 or more each")
    padded = [size + sum(pair) for size, pair in zip(view.shape[2:], before[2:], strict=True)]
    pads = _pads(call, padded, kernel, strides, dilations)
    joined = [(a + c, b + d) for (a, b), (c, d) in zip(pads, before[2:], strict=True)]
    if min(min(p) for p in joined) < 0:
        raise Refused("negative padding; slice the tensor instead")
    starts, ends = [p[0] for p in joined], [p[1] for p in joined]
    if rank == 1:
        return (1, kernel[0]), (1, strides[0]), (0, starts[0], 0, ends[0]), (1, dilations[0])
    pads_2d = (starts[0], starts[1], ends[0], ends[1])
    return (kernel[0], kernel[1]), (strides[0], strides[1]), pads_2d, (dilations[0], dilations[1])


def _pads(
    call: Call, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]]:
    mode = call.attribute("auto_pad", "NOTSET")
    rank = len(sizes)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        result = []
        for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
            total = max((math.ceil(size / stride) - 1) * stride + dilation * (k - 1) + 1 - size, 0)
            small, large = total // 2, total - total // 2
            result.append((small, large) if mode == "SAME_UPPER" else (large, small))
        return result
    if mode == "VALID":
        return [(0, 0)] * rank
    pads = call.integers("pads") or (0,) * 2 * rank
    if mode != "NOTSET" or len(pads) != 2 * rank:
        raise Refused(f"auto_pad {mode!r} with pads {pads}; give explicit pads, {2 * rank} of them")
    return list(zip(pads[:rank], pads[rank:], strict=True))


def _max_pool(call: Call) -> View:
    operand = call.required(0)
    # zero padding equals the implied padding where no value is negative and every window holds a value
    zero_ok = isinstance(operand, Padded) and operand.value == 0.0 and _never_negative(call, operand.view)
    view, pads = _data(call, value=0.0 if zero_ok else -math.inf)
    return pooled(call, view, MaxPool(*_pool(call, view, pads)))


def _never_negative(call: Call, view: View) -> bool:
    node = call.builder.nodes[view.node]
    return node.kind.non_negative([False for _ in node.inputs], node.tensors)


def _average_pool(call: Call) -> View:
    view, pads = _data(call, value=0.0)
    include = bool(call.attribute("count_include_pad", 0))
    if any(p != (0, 0) for p in pads):
        if not include and (
            any(call.integers("pads") or ()) or call.attribute("auto_pad", "NOTSET").startswith("SAME")
        ):
            raise Refused("a Pad before an AveragePool with padding of its own; pad in one place")
        include = True
    if any(d != 1 for d in call.integers("dilations") or ()):
        raise Refused("a dilated AveragePool; use a depthwise convolution with equal weights")
    return pooled(call, view, AveragePool(*_pool(call, view, pads), include))


def _pool(call: Call, view: View, before: tuple[tuple[int, int], ...]) -> tuple[_Pair, _Pair, _Pads, _Pair, bool]:
    """The attributes that pools have in common, in their order."""
    kernel = call.integers("kernel_shape")
    if kernel is None:
        raise Refused("kernel_shape is missing; export the model again")
    window, strides, pads, dilations = _window(call, view, kernel, before)
    return window, strides, pads, dilations, bool(call.attribute("ceil_mode", 0))


def pooled(call: Call, view: View, kind: Pool) -> View:
    """A pool of an NCHW (or NCL) view; channels keep whatever order they have in the stream."""
    channels = sorted(view.dims[1])
    image = _image(call, view, channels)
    node = call.builder.emit(kind, [image.node])
    grid = call.builder.nodes[node].shape.grid[4 - len(view.dims) :]
    positions = [(size, axis) for axis, size in enumerate(grid, start=2)]
    return _with_channels(node, view, channels, positions)


def _with_channels(node: str, view: View, channels: list[int], positions: Sequence[tuple[int, int]]) -> View:
    """The view of a fresh node: positions, then the channel factors of ``view`` in their stream order."""
    sizes = [size for size, _ in positions if size > 1] + [view.sizes[f] for f in channels]
    dims: list[tuple[int, ...]] = [()] * len(view.dims)
    index = 0
    for size, axis in positions:
        if size > 1:
            dims[axis] = (index,)
            index += 1
    place = {factor: index + i for i, factor in enumerate(channels)}
    dims[1] = tuple(place[f] for f in view.dims[1])
    return View(node, tuple(sizes), tuple(dims))


def _global(maximum: bool) -> Handler:
    def handler(call: Call) -> View:
        view, _ = _data(call, value=None)
        return pooled(call, view, whole_window(maximum, view.shape[2:]))

    return handler


def whole_window(maximum: bool, spatial: Sequence[int], strides: _Pair = (1, 1)) -> Pool:
    """A pool whose single window is the whole image."""
    kernel = (1, spatial[0]) if len(spatial) == 1 else (spatial[0], spatial[1])
    if maximum:
        return MaxPool(kernel, strides, (0, 0, 0, 0), (1, 1), False)
    return AveragePool(kernel, strides, (0, 0, 0, 0), (1, 1), False, False)


def _pad(call: Call) -> Value:
    view = call.view(0)
    pads = call.integers("pads", 1)
    mode = call.attribute("mode", "constant")
    fill = call.constant(2) if call.opset >= 11 else None
    value = call.attribute("value", 0.0) if fill is None else float(fill.reshape(-1)[0]) if fill.size else 0.0
    rank = len(view.dims)
    axes = call.integers("axes", 3) if call.operand(3) is not None else tuple(range(rank))
    if mode != "constant" or pads is None or axes is None or len(pads) != 2 * len(axes):
        raise Refused(f"padding mode {mode!r}; only constant padding is supported")
    pairs = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        pairs[call.axis(axis, rank)] = (pads[i], pads[i + len(axes)])
    if all(p == (0, 0) for p in pairs):
        return view
    return Padded(view, tuple(pairs), value)


_WINDOW = ("kernel_shape", "strides", "pads", "auto_pad")

HANDLERS: Handlers = {
    "Conv": Declared(_conv, 3, ("kernel_shape", "strides", "pads", "auto_pad", "dilations", "group"), FLOATS),
    "MaxPool": Declared(
        _max_pool,
        1,
        ("kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode", "storage_order"),
        FLOATS | {"int8", "uint8"},
    ),
    "AveragePool": Declared(
        _average_pool,
        1,
        ("kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode", "count_include_pad"),
        FLOATS,
    ),
    "GlobalMaxPool": Declared(_global(maximum=True), 1, (), FLOATS),
    "GlobalAveragePool": Declared(_global(maximum=False), 1, (), FLOATS),
    "Pad": Declared(_pad, 4, ("mode", "value", "pads"), NUMBERS),
}
