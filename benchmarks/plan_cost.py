"""(f) Memory and CPU time that one quantization plan costs for each weight, and the memory images of its design."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.clock import peak_bytes, spent
from hwgen.hardware.design import Design
from hwgen.lowering import Calibration, Lanes, Precision, lower, quantize_graph
from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.sources import Input
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.numbers.formats import Format

FEATURES = 10_000  # a linear layer of 100 M weights
IMAGE_FEATURES = 2_000  # of 4 M weights
LANES = Lanes(8, 8)
# Bytes and CPU ns a weight when all weights were one float64 array, 16 M of them.
BEFORE = {"int8": (104.0, 169.0), "int4": (104.0, 80.0), "mxint4b16": (33.0, 21.0)}


def main() -> None:
    """Print the cost of a plan by weight format, beside what it was when weights were quantized as one array."""
    graph = linear(FEATURES)
    calibration = Calibration.collect(graph, {"x": np.random.default_rng(1).normal(0, 1, (2, FEATURES))})
    print(f"(f) a plan of a linear layer of {FEATURES**2 / 1e6:.0f} M float32 weights: peak bytes and CPU ns a weight")
    for text, (old_bytes, old_ns) in BEFORE.items():
        peak, time = cost(lambda text=text: plan(graph, calibration, text), FEATURES**2)  # type: ignore[misc]
        print(f"    {text:10s} {peak:6.1f} bytes (was {old_bytes:.1f}) {time:6.1f} ns (was {old_ns:.1f})", flush=True)
    print("    whole: graph file, calibration, quantization and lowering; the most that a process of its own held")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        graph.save(path)
        for text in BEFORE:
            subprocess.run([sys.executable, "-m", "benchmarks.plan_cost", str(path), text], check=True)
    small = linear(IMAGE_FEATURES)
    calibration = Calibration.collect(small, {"x": np.random.default_rng(1).normal(0, 1, (2, IMAGE_FEATURES))})
    print(f"    memory images as text, {LANES.in_lanes} x {LANES.out_lanes} lanes")
    for text in BEFORE:
        design = plan(small, calibration, text)
        peak, time = cost(lambda design=design: texts(design), IMAGE_FEATURES**2)  # type: ignore[misc]
        print(f"    {text:10s} {peak:6.1f} bytes {time:6.1f} ns")


def linear(features: int) -> Graph:
    """A linear layer of ``features * features`` weights."""
    generator = np.random.default_rng(0)
    shape = Shape((), features)
    tensors = {
        "weight": generator.standard_normal((features, features), dtype=np.float32) / np.float32(features**0.5),
        "bias": generator.standard_normal(features, dtype=np.float32),
    }
    nodes = (Node("x", Input(shape.dims), (), shape), Node("y", Linear(), ("x",), shape, in_memory(tensors)))
    return Graph(
        nodes, (InputLayout("x", "x", shape.dims, (0,)),), (OutputLayout("y", "y", shape.dims, shape.dims, (0,)),)
    )


def plan(graph: Graph, calibration: Calibration, weight: str) -> Design:
    """Quantize with 8-bit activations, and lower."""
    eight = Format.parse("int8")
    precisions = {"x": Precision(None, eight), "y": Precision(Format.parse(weight), eight)}
    return lower(quantize_graph(graph, precisions, calibration), {"y": LANES}, {})


def whole(path: Path, weight: str) -> None:
    """Print what a plan costs from the graph file on; pages of the mapped file count as held."""
    before = peak_bytes()
    with spent() as figures:
        graph = Graph.load(path)
        calibration = Calibration.collect(graph, {"x": np.random.default_rng(1).normal(0, 1, (2, FEATURES))})
        plan(graph, calibration, weight)
    held, time = (peak_bytes() - before) / FEATURES**2, figures.cpu * 1e9 / FEATURES**2
    print(f"    {weight:10s} {held:6.1f} bytes {time:6.1f} ns", flush=True)


def texts(design: Design) -> int:
    """Characters of all memory files."""
    return sum(len(image.text()) for i in design.instances for image in i.operator.memory_images(i.contents).values())


def cost(action: Callable[[], object], weights: int) -> tuple[float, float]:
    """Peak of what ``action`` allocates (its result included) and its CPU time, in bytes and nanoseconds a weight."""
    with spent() as figures:
        action()
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / weights, figures.cpu * 1e9 / weights


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        whole(Path(sys.argv[1]), sys.argv[2])
