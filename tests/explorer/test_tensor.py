"""Tensor parallelism in the search: part of the space, of points, of candidates, and of trials."""

import random
from dataclasses import replace

import numpy as np
import pytest

from explorer.candidate import Candidate
from explorer.choices import build_encoding
from explorer.encoding import LEVEL
from explorer.evaluate import Evaluator
from explorer.pareto import pareto_front
from explorer.search import Search
from explorer.spec import Constraint, JobSpec, PlatformDevice, PlatformSpec, SearchParameters, SpaceSpec
from explorer.starts import starting_points
from tests.explorer.graphs import mlp
from tests.hwgen.lowering.test_buffers import transformer_layers

GRAPH = mlp((4, 4, 2))
SPACE = SpaceSpec(weight_bits=(4,), activation_bits=(8,), partition=("pipeline", "tensor"))
SPEC = JobSpec(model="m", dataset="d", platform=PlatformSpec((PlatformDevice("pynq-z2", 2),)), space=SPACE)


@pytest.fixture(scope="module")
def encoding():
    return build_encoding(SPEC, GRAPH)


def test_points_with_shards_come_back_and_lie_in_the_space(encoding):
    for level in range(len(encoding.levels)):
        candidate = encoding.decode({LEVEL: level, "tensor": 1})
        assert candidate.structure == {"tensor": 2}
        assert encoding.space.contains(candidate) is None
        assert Candidate.from_json(candidate.to_json()) == candidate
        point = encoding.encode(candidate)
        assert point is not None and encoding.decode(point) == candidate


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_every_point_with_shards_of_repeated_blocks_lies_in_the_space(layers):
    made = build_encoding(SPEC, transformer_layers(layers))
    draw = random.Random(1)
    for _ in range(40):
        point = {name: draw.randint(low, high) for name, (low, high) in made.box.items()} | {"tensor": 1}
        candidate = made.decode(point)
        assert candidate.structure == {"tensor": 2}
        assert made.space.contains(candidate) is None
        found = made.encode(candidate)
        assert found is not None and made.decode(found) == candidate


def test_every_number_is_a_different_design_of_the_space(encoding):
    space = encoding.space
    designs = [space.design(index) for index in range(space.size)]
    assert len({design.digest() for design in designs}) == space.size
    assert {space.contains(design) for design in designs} == {None}
    assert {bool(design.structure) for design in designs} == {False, True}


def test_tensor_alone_on_one_device_is_the_design_of_one_device():
    alone = replace(SPEC, platform=PlatformSpec((PlatformDevice("pynq-z2", 1),)))
    pipeline, tensor = (
        build_encoding(replace(alone, space=replace(SPACE, partition=(kind,))), GRAPH)
        for kind in ("pipeline", "tensor")
    )
    assert tensor.box == pipeline.box and tensor.space.size == pipeline.space.size
    assert tensor.decode({}) == pipeline.decode({})


def test_one_start_is_split(encoding):
    assert sum(bool(encoding.decode(p).structure) for p in starting_points(encoding)) == 1


def test_candidates_without_shards_have_no_structure_in_their_json(encoding):
    assert "structure" not in encoding.decode({}).to_json()


def test_both_partitions_complete_with_the_same_accuracy(encoding, tmp_path, cache_directory):
    GRAPH.save(tmp_path / "graph")
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", inputs=generator.normal(size=(40, 4)), targets=generator.integers(0, 2, 40))
    evaluator = Evaluator(SPEC, tmp_path / "graph", tmp_path / "data.npz", cache_directory)
    pipeline = evaluator.evaluate(encoding.decode({"cut:1": 1}))
    tensor = evaluator.evaluate(encoding.decode({"tensor": 1}))
    assert pipeline.state == tensor.state == "complete"
    assert pipeline.metrics["accuracy"] == tensor.metrics["accuracy"]
    assert pipeline.metrics["devices_used"] == tensor.metrics["devices_used"] == 2


def kind_of(candidate):
    """How a candidate uses the devices."""
    if candidate.structure:
        return "tensor"
    return "cut" if len(set(candidate.partition.values())) > 1 else "single"


def exhausted(spec, graph, folder, cache):
    """Every design of a job's space with its result, in the order of the search."""
    graph.save(folder / "graph")
    search, evaluator = Search(spec, folder / "graph"), Evaluator(spec, folder / "graph", None, cache)
    done = []
    while (candidate := search.ask()) is not None:
        done.append((candidate, evaluator.evaluate(candidate)))
        search.tell(*done[-1])
    assert len(done) == search.encoding.space.size
    return done


def front_of(spec, done):
    return {kind_of(done[index][0]) for index in pareto_front(spec, [result for _, result in done])}


def test_an_exhausted_space_of_both_partitions_is_complete_and_shards_are_on_the_front(tmp_path, cache_directory):
    spec = replace(
        SPEC, dataset=None, space=replace(SPACE, max_lanes=2), search=SearchParameters(sampler="exhaustive", trials=100)
    )
    done = exhausted(spec, GRAPH, tmp_path, cache_directory)
    assert {(kind_of(c), r.state) for c, r in done} == {(k, "complete") for k in ("single", "cut", "tensor")}
    assert len({r.metrics["accuracy"] for _, r in done}) == 1, "one plan of formats, one accuracy"
    assert front_of(spec, done) == {"single", "tensor"}


def test_cuts_and_shards_are_on_one_front_of_a_job_that_has_to_use_both_devices(tmp_path, cache_directory):
    spec = replace(
        SPEC,
        dataset=None,
        space=replace(SPACE, max_lanes=2),
        constraints=(Constraint("devices_used", min=2.0),),
        search=SearchParameters(sampler="exhaustive", trials=100),
    )
    done = exhausted(spec, GRAPH, tmp_path, cache_directory)
    assert front_of(spec, done) == {"cut", "tensor"}, "a cut is cheaper, shards are faster"


def test_shards_of_a_model_with_repeated_blocks_are_simulated(tmp_path, cache_directory):
    graph = transformer_layers(2)
    graph.save(tmp_path / "graph")
    spec = replace(SPEC, dataset=None)
    made = build_encoding(spec, graph)
    evaluator = Evaluator(spec, tmp_path / "graph", None, cache_directory)
    single, tensor = (
        evaluator.evaluate(made.decode({LEVEL: 0, "tensor": way, "cut:1": len(made.space.units)})) for way in (0, 1)
    )
    assert (single.state, tensor.state) == ("complete", "complete"), tensor.reason
    assert tensor.exact is not None and tensor.exact.mismatched_words == 0 < tensor.exact.compared_words
    assert single.metrics["accuracy"] == tensor.metrics["accuracy"]
    assert (single.metrics["devices_used"], tensor.metrics["devices_used"]) == (1, 2)
