"""Sizes for open axes, and constants for inputs, of a checked ONNX description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hwgen.model.onnx.source import Source, SourceInput, as_supported
from hwgen.numbers.arrays import Array


def with_fixed(source: Source, shapes: Mapping[str, Sequence[int]], freeze: Mapping[str, Array]) -> Source:
    """The description with open axes closed and some inputs turned to constants.

    Args:
        source: a checked description.
        shapes: by input name, the whole shape; it agrees with the axes that the file fixes.
        freeze: by input name, the value, in the input's whole shape.

    Raises:
        ValueError: there is no input of that name, the shape contradicts the file, or every input is frozen.
    """
    inputs = {i.name: i for i in source.inputs}
    for name in (*shapes, *freeze):
        if name not in inputs:
            raise ValueError(f"the model has no input {name!r}; it has {', '.join(inputs)}")
    for name, shape in shapes.items():
        inputs[name] = _sized(inputs[name], shape)
    values = {name: _value(inputs.pop(name), np.asarray(array)) for name, array in freeze.items()}
    if not inputs:
        raise ValueError("every input is frozen, so nothing is left to compute")
    return replace(source, inputs=tuple(inputs.values()), constants={**source.constants, **values})


def _sized(declared: SourceInput, shape: Sequence[int]) -> SourceInput:
    given = tuple(int(size) for size in shape)
    if any(size < 1 for size in given) or not _agrees(declared, given):
        raise ValueError(f"the input {declared.name!r} is {_text(declared)}, which {given} does not fit")
    return replace(declared, shape=given)


def _value(declared: SourceInput, array: Array) -> Array:
    if not _agrees(declared, array.shape):
        raise ValueError(
            f"the input {declared.name!r} is {_text(declared)}, which a value of {array.shape} does not fit"
        )
    if declared.integer and (array != np.floor(array)).any():
        raise ValueError(f"the input {declared.name!r} holds whole numbers")
    return as_supported(array.astype(np.int64 if declared.integer else np.float32), declared.name)


def _agrees(declared: SourceInput, shape: Sequence[int]) -> bool:
    sizes = zip(declared.shape, shape, strict=False)
    return len(declared.shape) == len(shape) and all(size in (None, given) for size, given in sizes)


def _text(declared: SourceInput) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in declared.shape)})"
