"""Packages that only some calls need, each with the extra of this distribution that brings it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from headrace.errors import HeadraceError

# Package -> what it is for, and what pip installs.
_EXTRAS: Mapping[str, tuple[str, str]] = {
    "matplotlib": ("plots need", "headrace[plots]"),
    "numpy": ("arrays need", "numpy"),
    "onnxscript": ("live modules need", "headrace[torch]"),
    "pandas": ("data frames need", "headrace[frames]"),
}


class MissingPackage(HeadraceError):
    """A call needs a package that the client does without; the message holds the command that installs it."""


def require(package: str) -> None:
    """Return when ``package`` can be imported.

    Raises:
        MissingPackage: it is not installed.
    """
    if importlib.util.find_spec(package) is None:
        use, wanted = _EXTRAS[package]
        raise MissingPackage(f"{use} {package}, which is not installed: pip install '{wanted}'")
