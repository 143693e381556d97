"""The error of a tensor is that of its words to the float model's values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.evaluate import Evaluator
from explorer.rungs.simulation import stimulus
from explorer.spec import JobSpec, SimulationSpec
from hwgen.lowering.words import output_arrays
from hwgen.model.float_reference import apply_output_layout, evaluate
from tests.explorer.graphs import mlp

GRAPH = mlp((6, 5, 3))
SPEC = JobSpec(model="m", dataset="d", simulation=SimulationSpec(samples=4))


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    folder = tmp_path_factory.mktemp("job")
    GRAPH.save(folder / "graph")
    generator = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=generator.normal(size=(40, 6)), targets=generator.integers(0, 3, 40))
    return Evaluator(SPEC, folder / "graph", folder / "data.npz", folder / "cache")


def candidate(bits: int) -> Candidate:
    formats = {name: NodeFormats(f"int{bits}", f"int{bits}") for name in ("fc0", "fc1")}
    formats["fc1"] = replace(formats["fc1"], activation="int16")
    lanes = {"fc0": NodeLanes(1, 1), "fc1": NodeLanes(1, 1)}
    return Candidate({"x": NodeFormats(None, "int8"), **formats}, lanes, {"fc0": 0, "fc1": 0})


def errors(evaluator: Evaluator, bits: int) -> dict[str, float]:
    bench = evaluator._bench
    design = bench.builder.design(candidate(bits))
    found = bench.floats.errors(design, stimulus(bench, design)[1])
    return {one["node"]: one["error"] for one in found}


def test_the_error_of_the_last_tensor_is_that_of_the_output(evaluator: Evaluator) -> None:
    bench = evaluator._bench
    design = bench.builder.design(candidate(4))
    (made,) = output_arrays(GRAPH, design, stimulus(bench, design)[1])
    tensors = evaluate(GRAPH, bench.data.part(0, SPEC.simulation.samples))
    exact = apply_output_layout(GRAPH.outputs[0], tensors[GRAPH.outputs[0].node])
    expected = np.sqrt(((made - exact) ** 2).mean() / (exact**2).mean())
    assert errors(evaluator, 4)["fc1"] == pytest.approx(expected, rel=1e-3) and expected > 0


def test_more_bits_are_nearer_to_the_float_model(evaluator: Evaluator) -> None:
    found = [errors(evaluator, bits) for bits in (3, 5, 8)]
    assert all(set(each) == {"fc0", "fc1"} for each in found)
    for node in ("fc0", "fc1"):
        assert found[0][node] > found[1][node] > found[2][node] > 0


def test_large_models_are_judged_on_fewer_samples(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    import explorer.tensors

    bench = evaluator._bench
    monkeypatch.setattr(explorer.tensors, "_HELD_ELEMENTS", 1)
    floats = explorer.tensors.FloatTensors(GRAPH, bench.data.part(0, 4))
    design = bench.builder.design(candidate(4))
    assert {one["node"] for one in floats.errors(design, stimulus(bench, design)[1])} == {"fc0", "fc1"}
