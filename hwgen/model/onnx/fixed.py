"""Sizes for open axes, and constants for inputs, of a checked ONNX description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.model.onnx.source import Source, SourceInput, as_supported
from hwgen.numbers.arrays import Array

# Values by name: of the sizes of an input's axes. `arange` counts along the last one, as position ids do.
_NAMED: Mapping[str, Callable[[tuple[int, ...]], Array]] = {
    "ones": np.ones,
    "zeros": np.zeros,
    "arange": lambda shape: np.broadcast_to(np.arange(shape[-1]), shape),
}


class Unfit(ValueError):
    """What is to be fixed does not fit the model."""


def with_fixed(source: Source, shapes: Mapping[str, Sequence[int]], freeze: Mapping[str, Any]) -> Source:
    """The description with open axes closed and some inputs turned to constants.

    Args:
        source: a checked description.
        shapes: by input name, the whole shape; it agrees with the axes that the file fixes.
        freeze: by input name, the value in the input's whole shape, one number for all of it, or ``ones``, ``zeros``,
            ``arange``.

    Raises:
        Unfit: there is no input of that name, the shape contradicts the file, or every input is frozen.
    """
    inputs = {i.name: i for i in source.inputs}
    for name in (*shapes, *freeze):
        if name not in inputs:
            raise Unfit(f"the model has no input {name!r}; it has {', '.join(inputs)}")
    for name, shape in shapes.items():
        inputs[name] = _sized(inputs[name], shape)
    values = {name: _value(inputs.pop(name), value) for name, value in freeze.items()}
    if not inputs:
        raise Unfit("every input is frozen, so nothing is left to compute")
    return replace(source, inputs=tuple(inputs.values()), constants={**source.constants, **values})


def _sized(declared: SourceInput, shape: Sequence[int]) -> SourceInput:
    given = tuple(int(size) for size in shape)
    if any(size < 1 for size in given) or not _agrees(declared, given):
        raise Unfit(f"the input {declared.name!r} is {_text(declared)}, which {given} does not fit")
    return replace(declared, shape=given)


def _value(declared: SourceInput, value: Any) -> Array:
    array = _array(declared, value)
    if not _agrees(declared, array.shape):
        raise Unfit(f"the input {declared.name!r} is {_text(declared)}, which a value of {array.shape} does not fit")
    if declared.integer and (array != np.floor(array)).any():
        raise Unfit(f"the input {declared.name!r} holds whole numbers")
    return as_supported(array.astype(np.int64 if declared.integer else np.float32), declared.name)


def _array(declared: SourceInput, value: Any) -> Array:
    if isinstance(value, str):
        if value not in _NAMED:
            raise Unfit(f"the input {declared.name!r} cannot be {value!r}: give numbers, or one of {', '.join(_NAMED)}")
        return _NAMED[value](_closed(declared))
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Unfit(f"the value of the input {declared.name!r} is no array: its rows differ in length") from error
    if array.dtype.kind in "OUS":
        raise Unfit(f"the value of the input {declared.name!r} holds something else than numbers")
    return np.full(_closed(declared), array) if array.ndim == 0 and declared.shape else array


def _closed(declared: SourceInput) -> tuple[int, ...]:
    """The sizes of an input whose value is to fill it; an open first axis is the batch, of one sample."""
    sizes = [1 if axis == 0 and size is None else size for axis, size in enumerate(declared.shape)]
    if not sizes or None in sizes:
        raise Unfit(f"the input {declared.name!r} is {_text(declared)}: say its shape too, or give the whole value")
    return tuple(size for size in sizes if size is not None)


def _agrees(declared: SourceInput, shape: Sequence[int]) -> bool:
    sizes = zip(declared.shape, shape, strict=False)
    return len(declared.shape) == len(shape) and all(size in (None, given) for size, given in sizes)


def _text(declared: SourceInput) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in declared.shape)})"
