"""``reference/operators.md``: every hardware operator with its parameters, cycles and bill of materials."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import textwrap
from collections import Counter
from typing import Any

import hwgen.hardware.operators
from docs.generate.markdown import attributes, code, line, page, prose, table
from hwgen.hardware.operator import Operator
from hwgen.technology import FABRICS, technology
from tests.hwgen.conformance.case import Case
from tests.hwgen.conformance.registry import OPERATORS, cases


def operators() -> list[type[Operator]]:
    """Every operator class of ``hwgen/hardware/operators``, by module name."""
    package = hwgen.hardware.operators
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    # Tests define operators of their own.
    found = {kind for kind in _below(Operator) if kind.__module__.startswith(package.__name__)}
    return sorted(found, key=lambda kind: kind.__name__)


def _below(kind: type[Any]) -> set[type[Operator]]:
    """The subclasses that are operators themselves, however deep."""
    found: set[type[Operator]] = set()
    for below in kind.__subclasses__():
        own = not inspect.isabstract(below) and not below.__name__.startswith("_")
        found |= _below(below) | ({below} if own else set())
    return found


def write() -> str:
    """The page."""
    examples: dict[type[Operator], Case] = {}
    for name in OPERATORS:
        for case in cases(name, "quick"):
            examples.setdefault(type(case.operator), case)
    kinds = operators()
    index = [(f"[{kind.__name__}](#{kind.__name__.lower()})", line(inspect.getdoc(kind))) for kind in kinds]
    return page(
        "Operators",
        "the classes of `hwgen/hardware/operators` and their first conformance case",
        "A layer of a model becomes one or more of these. Parameters are those of the Python class; lanes are elements "
        "per cycle. *Example* is the operator's first conformance case: its cycles are simulated in `make test`, its "
        "area is the estimate for each family. The cycle model is exact: conformance compares it with the simulation.",
        table(["operator", "computes"], index),
        *(_operator(kind, examples.get(kind)) for kind in kinds),
    )


def _operator(kind: type[Operator], example: Case | None) -> str:
    parts = [f"## {kind.__name__}", prose(inspect.getdoc(kind)), f"RTL: {_rtl(kind)}", _parameters(kind)]
    parts += [f"Cycles:\n\n```python\n{textwrap.dedent(inspect.getsource(kind.cycles)).strip()}\n```"]
    return "\n\n".join(parts if example is None else [*parts, _example(example.operator)])


def _rtl(kind: type[Operator]) -> str:
    return f"{code(kind.module)}, with {code(*kind.uses)}" if kind.uses else code(kind.module)


def _parameters(kind: type[Operator]) -> str:
    assert dataclasses.is_dataclass(kind)
    texts = attributes(inspect.getdoc(kind))
    rows = [(code(f.name), code(f.type), texts.get(f.name, "")) for f in dataclasses.fields(kind)]
    return table(["parameter", "type", "meaning"], rows)


def _example(operator: Operator) -> str:
    cycles = operator.cycles()
    parts = Counter(type(part).__name__ for part in operator.bill())
    made_of = ", ".join(f"{count} × {name}" if count > 1 else name for name, count in sorted(parts.items()))
    rows = []
    for family in FABRICS:
        area = technology(family).area(operator.bill())
        rows.append((code(family), round(area.lut), round(area.ff), round(area.dsp), round(area.bram)))
    return "\n\n".join(
        [
            f"Example: `{operator}`",
            f"Latency {cycles.latency} cycles, interval {cycles.interval} cycles. Bill: {made_of}.",
            table(["family", "LUT", "flip-flops", "DSP", "block RAM, units of 18 Kbit"], rows),
        ]
    )
