"""Output shape of every IR operator from its operands: one definition for importer and verifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from hwgen.errors import IllegalGraph
from hwgen.model.graph import Attribute, Op, Shape
from hwgen.numbers.arrays import Array

Attributes: TypeAlias = Mapping[str, Attribute]
Constants: TypeAlias = Mapping[str, Array]
ShapeRule: TypeAlias = Callable[[Sequence[Shape], Attributes, Constants], Shape]


def output_shape(op: Op, inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape | None:
    """Shape of the output of ``op``; None for operators whose shape is their own choice (input, reshape, permute).

    Raises:
        IllegalGraph: inputs, attributes and constants do not fit together; the message says how.
    """
    rule = _RULES.get(op)
    return None if rule is None else rule(inputs, attributes, constants)


def integers(attributes: Attributes, key: str, count: int) -> tuple[int, ...]:
    """An attribute that holds ``count`` integers.

    Raises:
        IllegalGraph: it holds something else.
    """
    value = attributes[key]
    if not isinstance(value, tuple) or len(value) != count or not all(isinstance(v, int) for v in value):
        raise IllegalGraph(f"{key} needs {count} integers, not {value!r}")
    return value


def integer(attributes: Attributes, key: str) -> int:
    """An attribute that holds one integer.

    Raises:
        IllegalGraph: it holds something else.
    """
    value = attributes[key]
    if not isinstance(value, int):
        raise IllegalGraph(f"{key} needs an integer, not {value!r}")
    return int(value)


def real(attributes: Attributes, key: str) -> float:
    """An attribute that holds one number.

    Raises:
        IllegalGraph: it holds something else.
    """
    value = attributes[key]
    if not isinstance(value, int | float):
        raise IllegalGraph(f"{key} needs a number, not {value!r}")
    return float(value)


def window_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int, ceil_mode: bool) -> int:
    """Number of window positions along one axis; in ceil mode no window starts in the padding behind the data.

    Raises:
        IllegalGraph: not even one window fits, or a number is out of range.
    """
    if min(kernel, stride, dilation) < 1 or min(before, after) < 0:
        raise IllegalGraph("kernel, stride and dilation are 1 or more, pads are 0 or more")
    room = size + before + after - (dilation * (kernel - 1) + 1)
    if room < 0:
        raise IllegalGraph(
            f"a window of {kernel} (dilation {dilation}) does not fit {size} positions padded by {before}+{after}"
        )
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (count - 1) * stride >= size + before:
        count -= 1
    return count


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise IllegalGraph(message)


def _constant(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    *grid, features = constants["value"].shape
    return Shape(tuple(grid), features)


def _linear(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    weight, bias = constants["weight"], constants["bias"]
    _demand(weight.ndim == 2, "the weight has two axes: outputs, inputs")
    _demand(
        weight.shape[1] == inputs[0].features, f"{weight.shape[1]} weight columns for {inputs[0].features} features"
    )
    _demand(bias.shape == weight.shape[:1], "one bias per output")
    return Shape(inputs[0].grid, weight.shape[0])


def _image(shape: Shape) -> tuple[int, int]:
    _demand(len(shape.grid) == 2, f"needs a grid of rows and columns, not {shape.grid}")
    return shape.grid[0], shape.grid[1]


def _conv(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    weight, bias = constants["weight"], constants["bias"]
    rows, columns = _image(inputs[0])
    groups = integer(attributes, "groups")
    _demand(weight.ndim == 4, "the weight has four axes: outputs, kernel rows, kernel columns, inputs per group")
    outputs, kernel_h, kernel_w, per_group = weight.shape
    _demand(
        groups >= 1 and per_group * groups == inputs[0].features,
        f"{per_group}×{groups} inputs for {inputs[0].features} channels",
    )
    _demand(outputs % groups == 0, f"{outputs} outputs do not divide into {groups} groups")
    _demand(bias.shape == (outputs,), "one bias per output channel")
    strides, dilations = integers(attributes, "strides", 2), integers(attributes, "dilations", 2)
    top, left, bottom, right = integers(attributes, "pads", 4)
    grid = (
        window_size(rows, kernel_h, strides[0], top, bottom, dilations[0], False),
        window_size(columns, kernel_w, strides[1], left, right, dilations[1], False),
    )
    return Shape(grid, outputs)


def _pool(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    rows, columns = _image(inputs[0])
    kernel, strides = integers(attributes, "kernel", 2), integers(attributes, "strides", 2)
    top, left, bottom, right = integers(attributes, "pads", 4)
    dilations = integers(attributes, "dilations", 2) if "dilations" in attributes else (1, 1)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    _demand(max(top, bottom) < reach[0] and max(left, right) < reach[1], "pads are smaller than the window")
    ceil_mode = bool(attributes["ceil_mode"])
    grid = (
        window_size(rows, kernel[0], strides[0], top, bottom, dilations[0], ceil_mode),
        window_size(columns, kernel[1], strides[1], left, right, dilations[1], ceil_mode),
    )
    return Shape(grid, inputs[0].features)


def _binary(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    largest = max(inputs, key=lambda s: s.elements)
    for shape in inputs:
        row = shape.tokens == 1 and shape.features == largest.features
        column = shape.grid == largest.grid and shape.features == 1
        _demand(shape == largest or row or column, f"{shape.dims} is no {largest.dims}, nor a row or column of it")
    return largest


def _same(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    return inputs[0]


def _softmax(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    size = integer(attributes, "size")
    _demand(
        size >= 1 and inputs[0].features % size == 0, f"groups of {size} do not divide {inputs[0].features} features"
    )
    return inputs[0]


def _layer_norm(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    for key in ("gamma", "beta"):
        _demand(constants[key].shape == (inputs[0].features,), f"{key} has one value per feature")
    return inputs[0]


def _matmul(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    a, b = inputs
    heads = integer(attributes, "heads")
    _demand(
        heads >= 1 and a.features % heads == 0 and b.features % heads == 0, f"features do not divide into {heads} heads"
    )
    if attributes["transpose_b"]:
        _demand(a.features == b.features, f"reduction over {a.features} and {b.features} features")
        return Shape(a.grid, heads * b.tokens)
    _demand(a.features == heads * b.tokens, f"reduction over {a.features // heads} features and {b.tokens} tokens")
    return Shape(a.grid, b.features)


def _embedding(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    _demand(inputs[0].features == 1, "token ids are one feature")
    _demand(constants["table"].ndim == 2, "the table has two axes: vocabulary, features")
    return Shape(inputs[0].grid, constants["table"].shape[1])


def _from_dims(dims: Sequence[int]) -> Shape:
    return Shape(tuple(dims[:-1]), dims[-1])


def _concat(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    axis = integer(attributes, "axis")
    first = inputs[0].dims
    _demand(0 <= axis < len(first), f"axis {axis} of {first}")
    for shape in inputs:
        same = len(shape.dims) == len(first) and all(
            i == axis or a == b for i, (a, b) in enumerate(zip(shape.dims, first, strict=True))
        )
        _demand(same, f"{shape.dims} does not join {first} along axis {axis}")
    return _from_dims([sum(s.dims[i] for s in inputs) if i == axis else d for i, d in enumerate(first)])


def _slice(inputs: Sequence[Shape], attributes: Attributes, constants: Constants) -> Shape:
    axis, start, stop = (integer(attributes, key) for key in ("axis", "start", "stop"))
    dims = inputs[0].dims
    _demand(0 <= axis < len(dims) and 0 <= start < stop <= dims[axis], f"{start}:{stop} of axis {axis} of {dims}")
    return _from_dims([stop - start if i == axis else d for i, d in enumerate(dims)])


_RULES: Mapping[Op, ShapeRule] = {
    Op.CONSTANT: _constant,
    Op.LINEAR: _linear,
    Op.CONV: _conv,
    Op.MAX_POOL: _pool,
    Op.AVERAGE_POOL: _pool,
    Op.ADD: _binary,
    Op.MUL: _binary,
    Op.RELU: _same,
    Op.CLIP: _same,
    Op.POINTWISE: _same,
    Op.SOFTMAX: _softmax,
    Op.LAYER_NORM: _layer_norm,
    Op.MATMUL: _matmul,
    Op.EMBEDDING: _embedding,
    Op.CONCAT: _concat,
    Op.SLICE: _slice,
}


def permutes(view: Sequence[int], order: Sequence[int], elements: int) -> bool:
    """Whether ``order`` permutes the axes of ``view`` and ``view`` factorises ``elements``."""
    return math.prod(view) == elements and sorted(order) == list(range(len(view)))
