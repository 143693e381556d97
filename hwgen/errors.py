"""Errors of hardware generation.

HwgenError
├── ModelError            the upload cannot be used; carries one issue per offending node
├── IllegalGraph          a graph breaks the legality table of its stage
├── IllegalParameters     an operator was asked for parameters outside its legal range
├── Misfit                no lanes make a design that fits its target
├── NotExact              a simulation differs from the integer reference, or blocks itself
└── ToolError             Verilator, the C++ compiler or Yosys failed on text that we generated
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class HwgenError(Exception):
    """Base of all errors raised by ``hwgen``."""


@dataclass(frozen=True)
class NodeIssue:
    """Why one node of an uploaded model cannot become hardware, and what to do about it."""

    node: str
    operator: str
    reason: str


class ModelError(HwgenError):
    """The uploaded model is refused.

    Attributes:
        kind: the problem type of the HTTP contract.
        issues: every offending node, not only the first.
    """

    def __init__(
        self,
        detail: str,
        kind: Literal["unsupported-model", "unsafe-model", "invalid-model"] = "invalid-model",
        issues: Sequence[NodeIssue] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind
        self.issues = tuple(issues)


class IllegalGraph(HwgenError):
    """A graph breaks a rule of its stage; the message names the node and the rule."""


class IllegalParameters(HwgenError):
    """An operator's parameters are outside their legal range; the message names the parameter and the range."""


class Misfit(HwgenError):
    """A design does not fit its target; the message has the resource of which it needs too much."""


class NotExact(HwgenError):
    """Simulated RTL differs from the integer reference; the message names the first wrong word, or what blocks what."""


class ToolError(HwgenError):
    """A native tool failed. ``log`` holds the end of its output."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(f"{message}\n{log}" if log else message)
        self.log = log
