"""A model is judged by its own outputs: behind the software tail, all of them or the one that the job names."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

import explorer.check
from explorer.accuracy import Judge, evaluation_data
from explorer.candidate import Candidate
from explorer.check import check, smallest_candidate
from explorer.choices import build_encoding
from explorer.errors import DatasetError, SpecError
from explorer.hardware import Builder
from explorer.quality import measure
from explorer.spec import JobSpec, SpaceSpec
from hwgen.hardware.design import run_reference
from hwgen.lowering.words import output_arrays, words_in
from hwgen.model.float_reference import run
from tests.hwgen.importer.support import N, imported, model, weights

SPACE = SpaceSpec(weight_bits=(4,), activation_bits=(6,), max_lanes=2)
SPEC = JobSpec(model="m", dataset="d", space=SPACE, objectives=())
INPUTS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) * 3


def network(tails, outputs=("y",)):
    nodes = [N("MatMul", ["x", "w"], ["h"]), *tails]
    return model(nodes, {"x": ["n", 6]}, outputs, {"w": weights(6, 4), "c": np.float32(1000)})


def saved(folder, **arrays):
    np.savez(folder / "data.npz", inputs=INPUTS, **arrays)
    return folder / "data.npz"


def own_outputs(graph):
    return {r.name: array for r, array in zip(graph.results, run(graph, {"x": INPUTS}), strict=True)}


def judged(graph, folder, spec=SPEC, **arrays):
    data = evaluation_data(spec, graph, saved(folder, **arrays))
    return Judge(spec, graph, data), data


SIGMOID = network([N("Sigmoid", ["h"], ["y"])])


def test_a_perfect_model_that_ends_in_sigmoid_has_no_error(tmp_path):
    graph = imported(SIGMOID)
    targets = own_outputs(graph)["y"]
    assert targets.min() > 0 and targets.max() < 1
    answer = check(SPEC, graph, saved(tmp_path, targets=targets))
    assert answer["ok"] and (answer["metric"], answer["float_accuracy"]) == ("mse", 0.0)


def test_targets_of_another_runtime_differ_by_rounding_only(tmp_path):
    session = onnxruntime.InferenceSession(SIGMOID.SerializeToString(), providers=["CPUExecutionProvider"])
    (targets,) = session.run(None, {"x": INPUTS})
    judge, _ = judged(imported(SIGMOID), tmp_path, targets=targets)
    assert judge.float_accuracy < 1e-12


def test_integer_outputs_pass_through_the_same_tail(tmp_path):
    graph = imported(SIGMOID)
    targets = own_outputs(graph)["y"]
    judge, data = judged(graph, tmp_path, targets=targets)
    encoding = build_encoding(SPEC, graph)
    candidate: Candidate = smallest_candidate(encoding)
    design = Builder(SPEC, graph, data).design(candidate)
    (logits,) = output_arrays(graph, design, run_reference(design, words_in(design, data.inputs)))
    expected = np.square(1 / (1 + np.exp(-logits.astype(np.float64))) - targets).mean()
    figures = judge.figures(design)
    assert 0 < figures["y"] < 0.01 and figures["y"] == pytest.approx(expected, rel=1e-4)


def test_class_metrics_rank_logits_that_softmax_would_round_together(tmp_path):
    graph = imported(network([N("Mul", ["h", "c"], ["s"]), N("Softmax", ["s"], ["y"])]))
    second = np.argsort(INPUTS @ weights(6, 4), axis=1)[:, -2]
    probabilities = own_outputs(graph)["y"]
    assert (np.sort(probabilities, axis=1)[:, :-1] == 0).sum() > 100  # ties, if anybody ranked them
    judge, _ = judged(graph, tmp_path, targets=second)
    assert judge.metric == "top1" and judge.float_accuracy == 0.0


@pytest.mark.parametrize("tail", ["Softmax", "LogSoftmax"])
def test_perplexity_is_that_of_the_models_distribution(tail, tmp_path):
    graph = imported(network([N(tail, ["h"], ["y"])]))
    targets = np.arange(40) % 4
    probabilities = own_outputs(graph)["y"] if tail == "Softmax" else np.exp(own_outputs(graph)["y"])
    judge, _ = judged(graph, tmp_path, replace(SPEC, metric="perplexity"), targets=targets)
    expected = np.exp(-np.log(probabilities[np.arange(40), targets]).mean())
    assert judge.float_accuracy == pytest.approx(expected, rel=1e-5)


def test_perplexity_of_a_sigmoid_is_refused(tmp_path):
    answer = check(replace(SPEC, metric="perplexity"), imported(SIGMOID), saved(tmp_path, targets=np.arange(40) % 4))
    assert not answer["ok"] and answer["errors"][0]["pointer"] == "/metric" and "Sigmoid" in answer["detail"]


def test_a_model_that_answers_with_the_class_itself(tmp_path):
    graph = imported(network([N("ArgMax", ["h"], ["y"], axis=-1, keepdims=0)]))
    judge, _ = judged(graph, tmp_path, targets=(INPUTS @ weights(6, 4)).argmax(1))
    assert (judge.metric, judge.float_accuracy) == ("top1", 1.0)


def test_the_axis_that_softmax_names_holds_the_classes():
    outputs = np.random.default_rng(0).normal(size=(5, 3, 3))
    targets = outputs.argmax(axis=1)
    assert measure("top1", outputs, outputs, targets, class_axis=-2) == 1.0
    assert measure("top1", outputs, outputs, targets) < 1.0


TWO = network([N("Sigmoid", ["h"], ["p"]), N("Relu", ["h"], ["r"])], ["p", "r"])


def test_every_output_is_judged_and_the_worst_figure_counts(tmp_path):
    graph = imported(TWO)
    own = own_outputs(graph)
    judge, _ = judged(graph, tmp_path, target_p=own["p"], target_r=own["r"] + 2)
    assert judge.float_figures == {"p": 0.0, "r": pytest.approx(4.0)} and judge.float_accuracy == pytest.approx(4.0)
    assert judge.worst({"p": 0.5, "r": 0.1}) == 0.5
    share, _ = judged(graph, tmp_path, replace(SPEC, metric="agreement"))
    assert share.worst({"p": 0.5, "r": 0.1}) == 0.1


@pytest.mark.parametrize("array", ["target_p", "targets"])
def test_a_job_names_the_output_it_means(array, tmp_path):
    graph = imported(TWO)
    spec = replace(SPEC, output="p")
    answer = check(spec, graph, saved(tmp_path, **{array: own_outputs(graph)["p"]}))
    assert answer["ok"] and answer["float_accuracy"] == 0.0
    judge, _ = judged(graph, tmp_path, spec, **{array: own_outputs(graph)["p"]})
    assert set(judge.float_figures) == {"p"}


def test_an_unknown_output_is_refused_with_the_names(tmp_path):
    answer = check(replace(SPEC, output="logits"), imported(TWO), None)
    assert not answer["ok"] and answer["errors"] == [
        {"pointer": "/output", "detail": "the model has no output 'logits'; use one of p, r, or leave it out for all"}
    ]


@pytest.mark.parametrize(("arrays", "missing"), [(["targets"], ["target_p", "target_r"]), (["target_p"], ["target_r"])])
def test_targets_for_some_outputs_are_refused(arrays, missing, tmp_path):
    graph = imported(TWO)
    with pytest.raises(DatasetError, match="name one output of the model in the job's `output`") as refused:
        judged(graph, tmp_path, **dict.fromkeys(arrays, own_outputs(graph)["p"]))
    assert [issue["array"] for issue in refused.value.issues] == missing


def test_an_output_whose_name_is_no_identifier_goes_by_its_position(tmp_path):
    graph = imported(network([N("Sigmoid", ["h"], ["p.1"]), N("Relu", ["h"], ["r"])], ["p.1", "r"]))
    own = own_outputs(graph)
    judge, _ = judged(graph, tmp_path, target_0=own["p.1"], target_r=own["r"])
    assert judge.float_figures == {"p.1": 0.0, "r": 0.0}


def test_outputs_that_ask_for_different_metrics_need_a_name(tmp_path):
    graph = imported(TWO)
    with pytest.raises(SpecError, match="p top1, r mse") as refused:
        judged(graph, tmp_path, target_p=np.zeros(40, np.int64), target_r=own_outputs(graph)["r"])
    assert refused.value.pointer == "/metric"


def test_a_model_of_the_first_release_is_refused_as_a_model(tmp_path, capsys, monkeypatch):
    np.savez(tmp_path / "graph.npz", header=np.frombuffer(b"{}", np.uint8))
    (tmp_path / "spec.json").write_text(json.dumps(SPEC.to_json()))
    explorer.check.main([str(tmp_path / "spec.json"), str(tmp_path / "graph.npz")])
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["pointer"] == "/model" and "upload its file again" in error["detail"]
