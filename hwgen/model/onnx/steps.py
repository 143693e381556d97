"""ONNX operators of a software tail to steps that ``hwgen.model.software`` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx

from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import SourceNode, shown
from hwgen.model.onnx.tail import REASONS
from hwgen.model.outputs import SoftwareStep
from hwgen.model.software import STEPS
from hwgen.numbers.arrays import Array

_Rule = Callable[[SourceNode, tuple[int, ...], int, Mapping[str, Array]], SoftwareStep | None]


class RefusedStep(Refused):
    """A node of a tail that software cannot run either."""

    def __init__(self, node: SourceNode, reason: str) -> None:
        super().__init__(reason)
        self.node = node


def software_steps(
    nodes: Sequence[SourceNode], shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]
) -> tuple[SoftwareStep, ...]:
    """The steps of a tail, each tried on one sample of zeros.

    Args:
        nodes: the operators, in order.
        shape: ONNX shape of the tensor in front of them, batch axis included.
        opset: decides what softmax means.
        constants: the model's constants by name.

    Raises:
        RefusedStep: an operator has attributes that it cannot have, or none that say what it does.
    """
    steps = []
    x = np.zeros((1, *shape), np.float32)
    for node in nodes:
        try:
            step = _RULES[node.operator](node, x.shape[1:], opset, constants)
            if step is not None:
                step = replace(step, reason=REASONS.get(node.operator, ""))
                x = STEPS[step.kind](step, x)
                steps.append(step)
        except (ValueError, TypeError, KeyError, Refused) as error:
            raise RefusedStep(node, f"its attributes do not fit its input of shape {x.shape[1:]}: {error}") from error
    return tuple(steps)


def _step(node: SourceNode, kind: str, axes: tuple[int, ...] = (), **parameters: bool | str) -> SoftwareStep:
    return SoftwareStep(kind, shown(node.name), shown(node.operator), axes, parameters)


def _from_end(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"there is no axis {axis}")
    return tuple(sorted(axis % rank - rank for axis in axes))


def _softmax(kind: str) -> _Rule:
    def rule(node: SourceNode, shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]) -> SoftwareStep:
        rank = len(shape)
        (axis,) = _from_end([int(node.attributes.get("axis", -1 if opset >= 13 else 1))], rank)
        # before opset 13 it covers all axes from `axis` on; those of size 1 hold nothing to compare
        axes = (axis,) if opset >= 13 else tuple(a for a in range(axis, 0) if shape[a] > 1) or (axis,)
        return _step(node, kind, axes)

    return rule


def _argmax(node: SourceNode, shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]) -> SoftwareStep:
    axes = _from_end([int(node.attributes.get("axis", 0))], len(shape))
    flags = {"keepdims": node.attributes.get("keepdims", 1), "last": node.attributes.get("select_last_index", 0)}
    return _step(node, "argmax", axes, **{name: bool(flag) for name, flag in flags.items()})


def _cast(node: SourceNode, shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]) -> SoftwareStep:
    kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(int(node.attributes["to"])))
    if kind.kind not in "fiub":
        raise ValueError(f"it casts to {kind}, which is no real number")
    # the model computes in float32, whatever it stores
    return _step(node, "cast", to="float32" if kind == np.float16 else kind.name)


def _axes(node: SourceNode, constants: Mapping[str, Array]) -> list[int] | None:
    """The axes of Squeeze and Unsqueeze: an attribute, from opset 13 on a constant input."""
    if len(node.inputs) > 1 and node.inputs[1]:
        return [int(a) for a in constants[node.inputs[1]].reshape(-1)]
    axes = node.attributes.get("axes")
    return None if axes is None else [int(a) for a in axes]


def _squeeze(node: SourceNode, shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]) -> SoftwareStep:
    axes = _axes(node, constants)
    axes = [a for a, size in enumerate(shape) if size == 1] if axes is None else axes
    return _step(node, "squeeze", _from_end(axes, len(shape)))


def _unsqueeze(node: SourceNode, shape: tuple[int, ...], opset: int, constants: Mapping[str, Array]) -> SoftwareStep:
    axes = _axes(node, constants)
    if axes is None:
        raise ValueError("it names no axes")
    return _step(node, "unsqueeze", _from_end(axes, len(shape) + len(axes)))


_RULES: Mapping[str, _Rule] = {
    "Softmax": _softmax("softmax"),
    "LogSoftmax": _softmax("log_softmax"),
    "Hardmax": _softmax("hardmax"),
    "ArgMax": _argmax,
    "Sigmoid": lambda node, shape, opset, constants: _step(node, "sigmoid"),
    "Identity": lambda node, shape, opset, constants: None,
    "Cast": _cast,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
}
