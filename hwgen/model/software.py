"""What a source model computes behind its hardware: the tail of each of its outputs, as data and as one function.

Arrays here are ``(samples, *shape)`` with ``shape`` the source model's, its batch axis of size 1 included; axes count
from the end, so that the samples in front never shift them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hwgen.model.outputs import ModelOutput, SoftwareStep
from hwgen.model.pointwise import POINTWISE
from hwgen.numbers.arrays import Array

DISTRIBUTIONS = frozenset({"softmax", "log_softmax"})
DECISIONS = frozenset({"argmax", "hardmax"})
SHAPES = frozenset({"squeeze", "unsqueeze"})
_Step = Callable[[SoftwareStep, Array], Array]


def apply_tail(output: ModelOutput, array: Array) -> Array:
    """The model's own output from the array that its hardware gives.

    Args:
        output: the output and its tail.
        array: ``(samples, *shape)``, ``shape`` with or without the batch axis of size 1.

    Returns:
        ``(samples, *shape)`` without the batch axis; float32, or what the tail casts to.
    """
    if not output.steps:
        return array
    x = array.reshape(len(array), *output.shape)
    for step in output.steps:
        x = STEPS[step.kind](step, x)
    return _without_batch(x)


def scores(output: ModelOutput, array: Array) -> tuple[Array, int | None]:
    """The array in which every class has a score of the order that the model ranks classes by: logits.

    It is the input of the first Softmax, LogSoftmax, Hardmax or ArgMax of the tail (of the last one, where they work on
    different axes), or the whole output where there is none; Sigmoid and Cast keep the order and are left out.

    Returns:
        ``(samples, *shape)`` without the batch axis, and the axis of the classes (counted from the end) where the tail
        names one.
    """
    if not output.steps:
        return array, None
    place = _class_step(output)
    steps = output.steps[:place]
    if not any(step.kind in DISTRIBUTIONS | DECISIONS for step in steps):
        steps = tuple(step for step in steps if step.kind in SHAPES)
    x = array.reshape(len(array), *output.shape)
    for step in steps:
        x = STEPS[step.kind](step, x)
    x = _without_batch(x)
    axes = () if place is None else output.steps[place].axes
    return x, axes[0] if len(axes) == 1 and -axes[0] < x.ndim else None


def _class_step(output: ModelOutput) -> int | None:
    """The place of the operator whose input ranks the classes; None where the tail has none."""
    places = [i for i, step in enumerate(output.steps) if step.kind in DISTRIBUTIONS | DECISIONS]
    if len({output.steps[i].axes for i in places}) > 1:
        return places[-1]
    return places[0] if places else None


def is_distribution(output: ModelOutput) -> bool:
    """Whether a softmax of the scores over the classes is what the model means by probabilities.

    That holds for raw logits, and behind one Softmax or LogSoftmax over one axis; not behind a Sigmoid, whose
    probabilities do not add up to one.
    """
    if len({step.axes for step in output.steps if step.kind in DISTRIBUTIONS | DECISIONS}) > 1:
        return False
    curves = [s for s in output.steps if s.kind not in SHAPES | DECISIONS | {"cast"}]
    return not curves or (len(curves) == 1 and curves[0].kind in DISTRIBUTIONS and len(curves[0].axes) == 1)


def _without_batch(x: Array) -> Array:
    return x[:, 0] if x.ndim > 1 and x.shape[1] == 1 else x


def _softmax(step: SoftwareStep, x: Array) -> Array:
    powers = np.exp(x - x.max(axis=step.axes, keepdims=True))
    return np.asarray(powers / powers.sum(axis=step.axes, keepdims=True))


def _log_softmax(step: SoftwareStep, x: Array) -> Array:
    shifted = x - x.max(axis=step.axes, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=step.axes, keepdims=True)))


def _argmax(step: SoftwareStep, x: Array) -> Array:
    (axis,) = step.axes
    keepdims = bool(step.parameters["keepdims"])
    if not step.parameters["last"]:
        return np.asarray(np.argmax(x, axis=axis, keepdims=keepdims))
    return np.asarray(x.shape[axis] - 1 - np.argmax(np.flip(x, axis), axis=axis, keepdims=keepdims))


def _hardmax(step: SoftwareStep, x: Array) -> Array:
    """One at the first largest element over ``step.axes`` (the last axes of ``x``, where there are several)."""
    axes = sorted(step.axes)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    flat = moved.reshape(*moved.shape[: moved.ndim - len(axes)], -1)
    ones = np.zeros_like(flat)
    np.put_along_axis(ones, flat.argmax(axis=-1, keepdims=True), 1, axis=-1)
    return np.moveaxis(ones.reshape(moved.shape), range(-len(axes), 0), axes)


STEPS: Mapping[str, _Step] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "hardmax": _hardmax,
    "argmax": _argmax,
    "sigmoid": lambda step, x: POINTWISE["sigmoid"](x, 0.0),
    "cast": lambda step, x: x.astype(str(step.parameters["to"])),
    "squeeze": lambda step, x: np.squeeze(x, axis=step.axes),
    # axes of the result, which has one axis more for each
    "unsqueeze": lambda step, x: np.expand_dims(x, step.axes),
}
