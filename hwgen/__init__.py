"""Hardware generation: a trained model and a candidate in, simulated and compared RTL out.

The engine's public face, from a model file to measured hardware::

    model = hwgen.load("model.onnx")
    plan = model.quantize(calibration={"x": samples})
    design = plan.design(lanes=16)
    measured = design.simulate({"x": samples[:2]})
    design.write_bundle("out.zip")

Names are loaded when they are first used: ``import hwgen`` itself reads neither onnx nor torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hwgen.engine import Design, Model, Plan, Simulation, load
    from hwgen.errors import HwgenError, IllegalGraph, IllegalParameters, Misfit, ModelError, NotExact, ToolError
    from hwgen.hardware.report import Operation, Report

__all__ = [
    "Design",
    "HwgenError",
    "IllegalGraph",
    "IllegalParameters",
    "Misfit",
    "Model",
    "ModelError",
    "NotExact",
    "Operation",
    "Plan",
    "Report",
    "Simulation",
    "ToolError",
    "load",
]

_HOME = dict.fromkeys(("Design", "Model", "Plan", "Simulation", "load"), "hwgen.engine")
_HOME |= dict.fromkeys(("Operation", "Report"), "hwgen.hardware.report")
_HOME |= dict.fromkeys(set(__all__) - set(_HOME), "hwgen.errors")

if not TYPE_CHECKING:  # a type checker sees the names above and no others

    def __getattr__(name: str) -> object:
        """Load a public name (PEP 562)."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)

    def __dir__() -> list[str]:
        """The public names."""
        return sorted(__all__)
