"""The outputs of a source model as data: what the hardware gives, and the operators behind it that stay in software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SoftwareStep:
    """One operator of the source model that runs in software, behind the hardware.

    Attributes:
        kind: a name of ``hwgen.model.software.STEPS``, which says what it computes.
        node, operator: the source model's names, for messages only.
        axes: the axes it works on, counted from the end; none for an operator that takes element by element.
        parameters: what else its kind needs.
        reason: why it needs no hardware; empty for one that only changes the shape or type of such a result.
    """

    kind: str
    node: str
    operator: str
    axes: tuple[int, ...] = ()
    parameters: Mapping[str, bool | str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class ModelOutput:
    """An output of the source model: an output of the hardware and what software does with it.

    Attributes:
        name: the source model's own name of the output (``target_<name>`` in a data set).
        index: of the output of the hardware, in ``Graph.outputs``.
        shape: the source model's shape of the tensor that the hardware gives, batch axis included.
        steps: the software tail, in order.
    """

    name: str
    index: int
    shape: tuple[int, ...]
    steps: tuple[SoftwareStep, ...] = ()
