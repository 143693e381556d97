"""The resource model: LUT, flip-flops, DSP slices and block RAM of an operator from its RTL parameters.

Every operator has terms with a physical meaning (``hwgen/resource_models.py``), each as large as the part would be
alone. The estimate is their sum, weighted by coefficients that ``benchmarks/fit_resources.py`` fits to Yosys results.
DSP and block RAM follow Yosys' own thresholds and have no coefficient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hwgen.hardware.operator import Operator, Resources
from hwgen.resource_models import MODELS, stream_only
from hwgen.resource_terms import Terms

DATA_DIRECTORY = Path(__file__).parent / "resource_data"
COEFFICIENTS = DATA_DIRECTORY / "coefficients.json"


def estimate(operator: Operator) -> Resources:
    """Resources of an operator; the model's error is in ``docs/resource_model.md``."""
    return estimate_parameters(operator.module, operator.rtl_parameters())


def estimate_parameters(module: str, parameters: Mapping[str, int]) -> Resources:
    """Resources of a library module with RTL parameters."""
    found = terms(module, parameters)
    weights = coefficients().get(family(module), {})
    lut, ff = (
        sum(value * weights.get(kind, {}).get(name, 1.0) for name, value in part.items())
        for kind, part in (("lut", found.lut), ("ff", found.ff))
    )
    return Resources(lut, ff, found.dsp, found.bram18)


def family(module: str) -> str:
    """The module without the number of its variant: the forks share their coefficients."""
    return module.rstrip("0123456789")


def terms(module: str, parameters: Mapping[str, int]) -> Terms:
    """The terms of a library module; a module without a description of its own is a spill register of its payload."""
    result = Terms()
    MODELS.get(module, stream_only)(dict(parameters), result)
    return result


@cache
def coefficients() -> dict[str, dict[str, dict[str, float]]]:
    """Fitted weights: module to ``lut`` or ``ff`` to term to factor."""
    read: dict[str, dict[str, dict[str, float]]] = json.loads(COEFFICIENTS.read_text())
    return read
