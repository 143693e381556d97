"""Operators as JSON and back: the class and its fields, so that a stored row survives a change of the bill."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, get_type_hints

from hwgen.hardware import operators, streams
from hwgen.hardware.operator import Operator
from hwgen.hardware.operators import window
from hwgen.numbers import formats, rescale


def encode(value: Any) -> Any:
    """Plain JSON types of an operator, or of a field of one."""
    if is_dataclass(value):
        own = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return {"class": type(value).__name__, **own}
    return int(value) if isinstance(value, IntEnum) else value


def decode(data: Any) -> Any:
    """The operator (or field) that ``encode`` wrote.

    Raises:
        KeyError: a class that does not exist any more.
        TypeError: fields that changed.
    """
    if not isinstance(data, dict):
        return data
    kind = _classes()[data["class"]]
    hints = get_type_hints(kind)
    found = {name: decode(value) for name, value in data.items() if name != "class"}
    return kind(**{name: _enum(hints[name], value) for name, value in found.items()})


def _enum(hint: Any, value: Any) -> Any:
    return hint(value) if isinstance(hint, type) and issubclass(hint, IntEnum) else value


@cache
def _classes() -> dict[str, Any]:
    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")
    values = [*_subclasses(formats.Format), streams.StreamType, rescale.Requantize, window.Axis]
    return {kind.__name__: kind for kind in [*values, *_subclasses(Operator)]}


def _subclasses(kind: type) -> list[type]:
    found: list[type] = kind.__subclasses__()
    return found + [deeper for subclass in found for deeper in _subclasses(subclass)]
