"""(g) A decoder layer of OPT-6.7B size, from an ONNX file to an exact simulation: CPU-seconds by stage, and memory.

Width 4096, 32 heads, feed-forward 16384, 16 tokens, 2 samples; 4-bit weights, 8-bit activations, 64 x 64 lanes. The
weights are random and the same in every run. The layer runs in a process of its own, so that its peak memory is its
own; making the file is not counted. Compiling the operators is: the cache is empty.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, HEADS, HIDDEN, TOKENS, SAMPLES, LANES = 4096, 32, 16384, 16, 2, 64
GOAL_CPU, GOAL_GIB = 60.0, 4.0
BEFORE_CPU, BEFORE_GB = 75.0, 8.2  # measured on an earlier commit, from outside


def layer(path: Path, width: int = WIDTH, heads: int = HEADS, hidden: int = HIDDEN) -> None:
    """Write a pre-norm decoder layer with a causal mask: about 0.8 GB of float32 weights at full size."""
    rng = np.random.default_rng(0)
    stored: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, values: Any) -> str:
        stored.append(numpy_helper.from_array(values, name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def linear(x: str, inputs: int, outputs: int, name: str) -> str:
        weight = rng.standard_normal((inputs, outputs), np.float32)
        weight *= np.float32(inputs**-0.5)
        made = node("MatMul", [x, constant(f"{name}.weight", weight)], f"{name}.product")
        return node("Add", [made, constant(f"{name}.bias", rng.standard_normal(outputs, np.float32))], name)

    def norm(x: str, name: str) -> str:
        scale, shift = (constant(f"{name}.{n}", np.full(width, v, np.float32)) for n, v in (("scale", 1), ("shift", 0)))
        return node("LayerNormalization", [x, scale, shift], name, axis=-1)

    def split(x: str, name: str, order: list[int]) -> str:
        return node("Transpose", [node("Reshape", [x, "split"], f"{name}.heads")], name, perm=order)

    constant("split", np.array([1, TOKENS, heads, width // heads]))
    constant("merge", np.array([1, TOKENS, width]))
    constant("root", np.array((width // heads) ** -0.5, np.float32))
    constant("mask", np.triu(np.full((TOKENS, TOKENS), -1e4, np.float32), 1))
    x = norm("x", "norm1")
    q, k, v = (linear(x, width, width, name) for name in "qkv")
    scaled = node(
        "Mul", [node("MatMul", [split(q, "q4", [0, 2, 1, 3]), split(k, "k4", [0, 2, 3, 1])], "qk"), "root"], "s"
    )
    attention = node("Softmax", [node("Add", [scaled, "mask"], "masked")], "attention", axis=-1)
    mixed = node("MatMul", [attention, split(v, "v4", [0, 2, 1, 3])], "mixed")
    joined = node("Reshape", [node("Transpose", [mixed], "moved", perm=[0, 2, 1, 3]), "merge"], "joined")
    middle = node("Add", ["x", linear(joined, width, width, "o")], "middle")
    wide = node("Relu", [linear(norm(middle, "norm2"), width, hidden, "up")], "relu")
    node("Add", [middle, linear(wide, hidden, width, "down")], "y")
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, TOKENS, width]) for n in "xy"]
    graph = helper.make_graph(nodes, "layer", values[:1], values[1:], stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def run(path: Path, cache: Path) -> dict[str, Any]:
    """Every stage in this process: CPU-seconds with children, the peak of resident memory behind it, what came out."""
    from hwgen.hardware.design import run_reference
    from hwgen.lowering import Calibration, Precision, QuantizeOptions, lower, precision_choices, quantize_graph
    from hwgen.lowering.uniform import lanes_of
    from hwgen.lowering.words import words_in
    from hwgen.model.feeds import tensors_of
    from hwgen.model.load import import_file
    from hwgen.numbers.formats import Format
    from hwgen.simulation.build import BuildCache
    from hwgen.simulation.simulate import SimulationOptions, simulate

    stages: dict[str, tuple[float, float]] = {}
    last = _cpu()

    def done(stage: str) -> None:
        nonlocal last
        stages[stage], last = (_cpu() - last, _peak_gib()), _cpu()

    graph = import_file(path).graph
    done("import")
    shape = graph.inputs[0].shape
    x = np.random.default_rng(1).standard_normal((SAMPLES, *shape)).astype(np.float32)
    tensors = tensors_of(graph, {"x": x})
    seen = Calibration.collect(graph, tensors)
    done("calibrate")
    choices = precision_choices(graph)
    four = Format.parse("int4")
    precisions = {
        n: Precision(four if c.has_weight else None, Format.parse(c.fixed_activation or "int8"))
        for n, c in choices.items()
    }
    quantized = quantize_graph(graph, precisions, seen, QuantizeOptions())
    done("quantize")
    design = lower(quantized, lanes_of(graph, LANES, ()), {})
    words = words_in(design, tensors)
    done("lower")
    expected = run_reference(design, words)
    done("reference")
    operators = BuildCache(cache)
    operators.operators([i.operator for i in design.instances])
    operators.simulator()
    done("build")
    slowest = max(max(c.interval, c.latency) for c in (i.operator.cycles() for i in design.instances))
    measured = simulate(design, words, operators, SimulationOptions(quiet_cycles=10_000 + 4 * slowest), expected)
    done("simulate")
    return {
        "stages": stages,
        "exact": measured.exact,
        "words": measured.compared_words + measured.internal_words,
        "wrong": measured.mismatched_words + measured.internal_mismatched_words,
        "cycles": [measured.latency_cycles, measured.interval_cycles],
    }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _peak_gib() -> float:
    """Of this process or of its largest child, whichever is more."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in whose) / (1 << 20)


def main() -> None:
    """Make the layer, run it in a process of its own, print what it took."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "layer.onnx"
        subprocess.run([sys.executable, "-m", "benchmarks.opt_layer", "--write", path], check=True)
        command = [sys.executable, "-m", "benchmarks.opt_layer", "--run", str(path), scratch]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    cpu = sum(seconds for seconds, _ in found["stages"].values())
    peak = max(gib for _, gib in found["stages"].values())
    print(
        f"(g) OPT-6.7B-size decoder layer: {WIDTH}, {HIDDEN}, {TOKENS} tokens x {SAMPLES}, W4A8, {LANES}x{LANES} lanes"
    )
    for stage, (seconds, gib) in found["stages"].items():
        print(f"    {stage:10} {seconds:6.1f} CPU-s   peak so far {gib:5.2f} GiB")
    print(f"    together   {cpu:6.1f} CPU-s (goal {GOAL_CPU:g}, before {BEFORE_CPU:g})   peak {peak:.2f} GiB "
          f"(goal {GOAL_GIB:g}, before {BEFORE_GB} GB)")  # fmt: skip
    print(f"    {found['words']} words compared, {found['wrong']} wrong; latency and interval {found['cycles']} cycles")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--write", file]:
            layer(Path(file))
        case ["--run", file, directory]:
            print(json.dumps(run(Path(file), Path(directory))))
        case []:
            main()
        case other:
            sys.exit(f"usage: python -m benchmarks.opt_layer, without {other}")
