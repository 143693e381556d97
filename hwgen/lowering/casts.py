"""Casts: from one integer format to another, between operators that disagree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.hardware.operators.cast import Cast
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType
from hwgen.lowering.parts import Part
from hwgen.lowering.shifts import shift_bits
from hwgen.model.shape import Shape
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize


def cast_part(suffix: str, shape: Shape, source: IntFormat, result: Requantize, feed: int | str) -> Part:
    """Requantize a tensor of ``source`` words into ``result.target``, which may have another scale and width."""
    shift = source.fraction_bits - result.target.fraction_bits
    left, right = max(0, -shift), max(0, shift)
    acc_bits = max(Cast.acc_bits_for(source, result.target, left), right)
    stream = StreamType(shape.tokens, shape.features, 1, source)
    operator = Cast(stream, acc_bits, result, shift_bits(np.array([left, right])), DEEPEST)
    return Part(suffix, operator, {"left": np.array(left), "shift": np.array(right)}, {"in": feed})


def widened_cast(part: Part, lanes: int, feed: int | str) -> Part:
    """A ``cast_part`` at ``lanes``, reading ``feed``."""
    assert isinstance(part.operator, Cast)
    source = replace(part.operator.source, lanes=lanes)
    return replace(part, operator=replace(part.operator, source=source), feeds={"in": feed})


def narrowed_cast(part: Part, features: int) -> Part:
    """A ``cast_part`` for other features."""
    assert isinstance(part.operator, Cast)
    return replace(part, operator=replace(part.operator, source=replace(part.operator.source, features=features)))
