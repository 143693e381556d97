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
    """Evaluation data that cannot be used; ``issues`` names every offending array."""

    def __init__(self, detail: str, issues: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.issues = issues


class SamplerUnavailable(ExplorerError):
    """The chosen sampler needs a package that is not installed; the message names it."""


class DesignDefect(ExplorerError):
    """The simulated RTL differs from the integer reference, or blocks itself: a defect of the generator."""
