"""Why one ONNX node cannot be imported."""

from __future__ import annotations


class Refused(Exception):
    """One ONNX node cannot be imported; the text says why and what to do."""
