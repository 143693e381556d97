"""Packages that only some calls need: imported when they are, and named with the command that brings them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from headrace.errors import HeadraceError


class MissingPackage(HeadraceError, ImportError):
    """A call needs a package that is not installed; the message has the command that installs it."""


def need(module: str, purpose: str) -> Any:
    """Import a module.

    Args:
        module: dotted name; its first part is also the name of its package on PyPI.
        purpose: what for, as the end of a sentence: ``for data frames``.

    Raises:
        MissingPackage: it is not installed.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingPackage(f"{package} is needed {purpose}: pip install {package}") from error
