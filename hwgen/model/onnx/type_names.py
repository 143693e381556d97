"""ONNX's names of element types, such as ``int64``."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

_NAMES: Mapping[int, str] = {number: name.lower() for name, number in onnx.TensorProto.DataType.items()}


def type_name(number: int) -> str:
    """The name of a ``TensorProto.DataType``, ``undefined`` where there is none."""
    return _NAMES.get(number, "undefined")
