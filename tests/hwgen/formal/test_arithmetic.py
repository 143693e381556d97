"""The arithmetic that synthesis reads equals the arithmetic that simulation runs, for all inputs: proved by SAT.

Where a module is simulated as a loop in a function and synthesised as a structure, the structure is a module of its
own. Each is compared with the function (``rtl/formal/fv_*.sv``), registers included: what comes out of a pipeline that
never stops depends on as many cycles as it has registers, so that a proof over one more than that holds for ever.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hwgen.hardware.library import RTL_DIRECTORY
from tests.hwgen.formal.prove import Fault
from tests.hwgen.yosys import yosys


@dataclass(frozen=True)
class Equality:
    """A module of the library and its specification, at one size, with a planted bug or without."""

    module: str
    parameters: Mapping[str, int]
    fault: Fault | None = None

    @property
    def name(self) -> str:
        size = "_".join(f"{key}{value}" for key, value in self.parameters.items())
        return f"{self.module}_{size}{'_fault' if self.fault else ''}".replace("-", "m")

    def script(self, directory: Path) -> list[str]:
        """The commands that end with an error unless both are equal."""
        library = directory / self.name
        library.mkdir()
        specification = self.module.replace("dse_", "fv_")
        for source in (*RTL_DIRECTORY.glob("*.sv*"), *RTL_DIRECTORY.glob("formal/fv_*.sv")):
            text = source.read_text()
            if self.fault and self.fault.file == source.name:
                assert text.count(self.fault.old) == 1
                text = text.replace(self.fault.old, self.fault.new)
            (library / source.name).write_text(text)
        cycles = self.parameters.get("Registers", 0).bit_count()
        parameters = " ".join(f"-G {key}={value}" for key, value in self.parameters.items())
        return [
            "design -reset",
            *(
                line
                for module in (self.module, specification)
                for line in (
                    f"read_slang -j 1 -DSYNTHESIS -I {library.name} --top {module} {parameters} "
                    f"{library.name}/{module}.sv {library.name}/dse_delay.sv",
                    f"hierarchy -top {module}",
                    "proc",
                    "flatten",
                    "opt_clean",
                    f"design -stash {module}",
                )
            ),
            f"design -copy-from {self.module} -as gate {self.module}",
            f"design -copy-from {specification} -as gold {specification}",
            "miter -equiv -flatten gold gate both",
            "hierarchy -top both",
            "memory_map",
            "opt -full",
            f"sat -verify -seq {cycles + 1} -prove-skip {cycles} -prove trigger 0 both",
        ]


REQUANTIZERS = tuple(
    Equality(
        "dse_requantizer",
        {
            "Width": width, "ShiftWidth": shift, "OutWidth": out, "Rounding": rounding, "Overflow": overflow,
            "ClampLow": low, "ClampHigh": high, "Registers": registers,
        },
    )
    for (width, shift, out, low, high), rounding, (overflow, registers) in itertools.product(
        ((12, 3, 5, -16, 15), (7, 3, 7, 0, 100), (16, 4, 8, -128, 127), (5, 2, 8, -128, 127)),
        (0, 1, 2),
        ((0, 0), (1, 3), (1, 2)),
    )
)  # fmt: skip
TREES = tuple(
    Equality("dse_adder_tree", {"Count": count, "Width": width, "SumWidth": total, "Registers": registers})
    for count, width, total, registers in (
        (1, 4, 6, 0), (2, 5, 6, 1), (3, 4, 6, 3), (5, 3, 6, 5), (7, 4, 5, 0), (8, 3, 6, 7), (11, 3, 7, 10),
    )
)  # fmt: skip
PRODUCTS = tuple(
    Equality("dse_product", {"AWidth": a, "ASigned": a_signed, "BWidth": b, "BSigned": b_signed})
    for (a, b), a_signed, b_signed in itertools.product(
        ((1, 1), (1, 6), (5, 1), (2, 3), (4, 4), (3, 5)), (0, 1), (0, 1)
    )
)
FAULTS = (
    Equality(
        "dse_requantizer",
        {"Width": 12, "ShiftWidth": 3, "OutWidth": 5, "Rounding": 2, "Registers": 3, "ClampLow": -16, "ClampHigh": 15},
        Fault("dse_requantizer.sv", "(below || floor[0])", "(below || !floor[0])"),
    ),
    Equality(
        "dse_adder_tree",
        {"Count": 5, "Width": 3, "SumWidth": 6, "Registers": 2},
        Fault("dse_adder_tree.sv", "= levels[k][(Words-1)*SumWidth+:SumWidth]", "= '0"),
    ),
    Equality(
        "dse_product",
        {"AWidth": 2, "ASigned": 1, "BWidth": 3, "BSigned": 0},
        Fault("dse_product.sv", "result[entry] = value[bit_index]", "result[entry] = value[bit_index] && entry != 31"),
    ),
)


@pytest.mark.parametrize("module", ["dse_requantizer", "dse_adder_tree", "dse_product"])
def test_structures_equal_functions(module: str, tmp_path: Path) -> None:
    wanted = [equality for equality in (*REQUANTIZERS, *TREES, *PRODUCTS) if equality.module == module]
    log = yosys([line for equality in wanted for line in equality.script(tmp_path)], tmp_path)
    assert log.count("SAT proof finished - no model found: SUCCESS!") == len(wanted)


@pytest.mark.parametrize("equality", FAULTS, ids=[fault.module for fault in FAULTS])
def test_planted_bug_is_refuted(equality: Equality, tmp_path: Path) -> None:
    *before, proof = equality.script(tmp_path)
    log = yosys([*before, proof.replace("-verify ", "")], tmp_path)
    assert log.count("SAT proof finished - model found: FAIL!") == 1
