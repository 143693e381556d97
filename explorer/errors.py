"""Errors of the explorer. A bad design is never one of them: that is a result (``infeasible``)."""

from __future__ import annotations


class ExplorerError(Exception):
    """Base of all errors raised by ``explorer``."""


class SpecError(ExplorerError):
    """A job body that no candidate can satisfy, or that names something unknown.

    Attributes:
        pointer: JSON pointer to the offending member of the body.
        detail: what is wrong and what to do.
    """

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail


class DatasetError(ExplorerError):
    """Evaluation data that cannot be used.

    Attributes:
        detail: what is wrong and what to do, with every issue.
        issues: per offending array its name (``array``, ``*`` for all together) and what is wrong (``detail``).
    """

    def __init__(self, detail: str, issues: tuple[dict[str, str], ...] = ()) -> None:
        texts = "; ".join(i["detail"] if i["array"] == "*" else f"{i['array']} {i['detail']}" for i in issues)
        self.detail = f"{detail}: {texts}" if texts else detail
        self.issues = issues
        super().__init__(self.detail)


class SamplerUnavailable(ExplorerError):
    """The chosen sampler needs a package that is not installed; the message names it."""


class DesignDefect(ExplorerError):
    """The simulated RTL differs from the integer reference, or blocks itself: a defect of the generator."""
