"""(e) The jet-tagging MLP 16-64-32-32-5: model to RTL, build, 1,000 exact predictions, cycles, beside other generators.

The model is that of the comparison in the literature of these tools: dense random weights, 8 bits with 7 fraction bits;
inputs 8 bits with 5; hidden layers ReLU to 8 unsigned bits with 4, rounding half up, saturating; the last layer exact.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.clock import spent
from benchmarks.peers import run_peers
from hwgen.hardware.design import run_reference
from hwgen.hardware.emit.text import emit
from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.lowering import Lanes, Part, QuantizedGraph, QuantizedNode, lower
from hwgen.lowering.shifts import shift_bits
from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.sources import Input
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.compile import compile_runtime
from hwgen.simulation.simulate import simulate

WIDTHS = (16, 64, 32, 32, 5)
SAMPLES = 1000
LANES = (Lanes(16, 8), Lanes(16, 8), Lanes(16, 4), Lanes(16, 5))


def jet_weights() -> list[Array]:
    """Integer weights ``(out, in)`` with 7 fraction bits; normal with standard deviation 0.25, seed 0."""
    generator = np.random.default_rng(0)
    pairs = pairwise(WIDTHS)
    return [np.clip(np.rint(generator.normal(0, 0.25, (o, i)) * 128), -128, 127).astype(np.int32) for i, o in pairs]


def jet_inputs() -> Array:
    """``(1000, 16)`` integers with 5 fraction bits."""
    return np.random.default_rng(1).integers(-128, 128, (SAMPLES, WIDTHS[0])).astype(np.int32)


def jet_reference(weights: list[Array], inputs: Array) -> Array:
    """The same model in float64, written independently: ``(1000, 5)`` real values."""
    x = inputs / 32.0
    for weight in weights[:-1]:
        x = np.clip(np.floor((x @ (weight / 128.0).T) * 16 + 0.5), 0, 255) / 16.0
    return np.asarray(x @ (weights[-1] / 128.0).T)


def jet_graph(weights: list[Array]) -> QuantizedGraph:
    """The model with exactly its own formats, without calibration."""
    source = IntFormat(8, True, 5)
    nodes = [QuantizedNode(Node("x", Input((WIDTHS[0],)), (), Shape((), WIDTHS[0])), (), source)]
    for index, weight in enumerate(weights):
        last = index == len(weights) - 1
        largest = max(source.maximum, -source.minimum)
        bound = int(np.abs(weight).sum(axis=1).max()) * largest
        bits = accumulator_bits(-bound, bound)
        fraction = source.fraction_bits + 7
        target = IntFormat(bits, True, fraction) if last else IntFormat(8, False, 4)
        shift = np.array(fraction - target.fraction_bits)
        operator = Matvec(
            1, 1, weight.shape[1], len(weight), 1, 1, source, IntFormat(8, True), bits, Requantize(target),
            shift_bits(shift), True, DEEPEST,
        )  # fmt: skip
        contents = {"weight": weight[None], "bias": np.zeros((1, len(weight)), dtype=np.int64), "shift": shift}
        tensors = in_memory({"weight": weight})
        node = Node(f"fc{index}", Linear(), (nodes[-1].name,), Shape((), len(weight)), tensors)
        nodes.append(QuantizedNode(node, node.inputs, target, parts=(Part("", operator, contents),)))
        source = target
    graph = Graph(
        tuple(n.node for n in nodes),
        (InputLayout("x", "x", (WIDTHS[0],), (0,)),),
        (OutputLayout(nodes[-1].name, "y", (WIDTHS[-1],), (WIDTHS[-1],), (0,)),),
    )
    return QuantizedGraph(graph, tuple(nodes), (nodes[-1].name,))


def main(peers: bool = True) -> None:
    """Print our figures, then those of the peers measured in the same run."""
    weights, inputs = jet_weights(), jet_inputs()
    words = Words(inputs[:, None, :])
    with tempfile.TemporaryDirectory() as scratch:
        cache = BuildCache(Path(scratch))
        with spent() as once:
            cache.simulator()
            cache.artefact("runtime", lambda target: compile_runtime(cache.toolchain, target))
        with spent() as generate:
            design = lower(jet_graph(weights), {f"fc{i}": lanes for i, lanes in enumerate(LANES)}, {}, name="jet")
            text = emit(design)
        with spent() as build:
            cache.operators([i.operator for i in design.instances])
        with spent() as predict:
            result = simulate(design, {"x": words}, cache)
    outputs = design.outputs[0]
    ours = run_reference(design, {"x": words})[outputs.name].elements[:, 0] * 2.0**-11
    wrong = int((ours != jet_reference(weights, inputs)).sum()) + result.mismatched_words
    lines = sum(t.count("\n") for t in text.files().values())
    print("(e) jet MLP 16-64-32-32-5, 8 bits, 1,000 predictions in simulated RTL")
    print(f"    Headrace  model to RTL {generate.wall:6.2f} s (goal < 1)   build {build.cpu:6.1f} CPU-s (goal < 6)   "
          f"1,000 predictions {predict.wall:5.2f} s   mismatches {wrong}")  # fmt: skip
    print(f"              latency {result.latency_cycles} cycles, interval {result.interval_cycles} cycles, {lines} "
          f"lines; the simulator's runtime, once per machine: {once.cpu:.1f} CPU-s")  # fmt: skip
    if peers:
        run_peers(weights, inputs, build.cpu + once.cpu)  # theirs compile the runtime every time


if __name__ == "__main__":
    main("--no-peers" not in sys.argv)
