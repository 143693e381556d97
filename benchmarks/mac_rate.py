"""(c) Simulated multiply-accumulates per second at 64 x 64 lanes, beside the usual RTL style and plain C++."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.clock import spent
from benchmarks.operator_cost import OPERATOR
from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.streams import Words
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import simulate
from hwgen.simulation.toolchain import CXX_FLAGS, find_toolchain
from hwgen.tools.process import run_tool

HERE = Path(__file__).parent
SAMPLES = 20_000


def main() -> None:
    """Print the three rates."""
    with tempfile.TemporaryDirectory() as scratch:
        ours = _operator_rate(Path(scratch), lanes=64)
        naive, build = _naive_rate(Path(scratch))
        ceiling = _ceiling(Path(scratch))
    print("(c) simulated multiply-accumulates per second and core, 8-bit inputs, 4-bit weights")
    print(
        f"    Headrace operator, 64x64 lanes   {ours / 1e6:8.0f} M/s (goal >= 500), {ours / naive:.1f}x the usual style"
    )
    print(f"    usual RTL style, 16x16 lanes     {naive / 1e6:8.0f} M/s, {build:.1f} CPU-s to build")
    print(f"    plain C++ loop, 64x64 (ceiling)  {ceiling / 1e6:8.0f} M/s")


def _operator_rate(scratch: Path, lanes: int) -> float:
    size = 4 * lanes
    operator = replace(OPERATOR, in_features=size, out_features=size, in_lanes=lanes, out_lanes=lanes)
    generator = np.random.default_rng(0)
    contents = {
        "weight": generator.integers(-8, 8, (1, size, size)),
        "bias": generator.integers(-99, 99, (1, size)),
        "shift": np.array(6),
    }
    ends = operator.inputs["in"], operator.outputs["out"]
    streams = (
        Stream("x", ends[0], None, Endpoint("u", "in")),
        Stream("y", ends[1], Endpoint("u", "out"), None),
    )
    design = Design("mac_rate", (Instance("u", operator, contents),), streams)
    cache = BuildCache(scratch / "cache")
    words = Words(generator.integers(-128, 128, (SAMPLES, 1, size)).astype(np.int32))
    simulate(design, {"x": Words(words.elements[:2])}, cache)
    expected = {"x": words, "y": operator.reference({"in": words}, contents)["out"]}
    with spent() as figures:
        result = simulate(design, {"x": words}, cache, expected=expected)
    if not result.exact:
        raise AssertionError(result.first_wrong)
    return SAMPLES * size * size / figures.cpu


def _naive_rate(scratch: Path) -> tuple[float, float]:
    """The usual style under plain Verilator options, which unroll its loops; returns the rate and the build's CPU-s."""
    tools = find_toolchain()
    work = scratch / "naive"
    sources = [tools.verilator_root / "include" / name for name in ("verilated.cpp", "verilated_threads.cpp")]
    with spent() as figures:
        run_tool(
            [
                tools.verilator,
                "--cc",
                "-O3",
                "--Mdir",
                work,
                "--prefix",
                "Vnaive",
                "-Wno-fatal",
                HERE / "naive_matvec.sv",
            ],
            scratch,
            {"VERILATOR_ROOT": str(tools.verilator_root)},
        )
        generated = sorted(work.glob("Vnaive*.cpp"))
        program = scratch / "naive_program"
        flags = [*CXX_FLAGS, "-w", f"-I{work}", *tools.include_flags, "-pthread"]
        run_tool([tools.cxx, *flags, HERE / "naive_main.cpp", *generated, *sources, "-o", program], scratch)
    return float(run_tool([program], scratch)), figures.cpu


def _ceiling(scratch: Path) -> float:
    tools = find_toolchain()
    program = scratch / "ceiling"
    run_tool([tools.cxx, *CXX_FLAGS, "-O3", HERE / "ceiling.cpp", "-o", program], scratch)
    return float(run_tool([program], scratch))


if __name__ == "__main__":
    main()
