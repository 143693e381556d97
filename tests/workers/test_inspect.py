"""Uploads are parsed in the sandbox; what the parser cannot do is an answer, what kills it is an exit status."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from tests.e2e.test_real_faults import perceptron
from tests.hwgen.importer.test_fixed import two_inputs
from tests.workers.service import ROOT


def inspect(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workers.inspect", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


class Payload:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.place}",)


def test_a_model_becomes_a_graph(tmp_path: Path) -> None:
    perceptron(tmp_path / "mlp.onnx")
    done = inspect("model", tmp_path / "mlp.onnx", tmp_path / "graph")
    answer = json.loads(done.stdout)
    assert answer["ok"] and answer["format"] == "onnx" and answer["graph"]["parameters"] == 8 * 12 + 12 + 12 * 4 + 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph", "mlp.onnx"]
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"model": "sha256:" + "a" * 64}))
    assert json.loads(inspect("check", spec, tmp_path / "graph").stdout)["ok"]


def test_inputs_and_open_axes_are_fixed(tmp_path: Path) -> None:
    model, graph, fixed = two_inputs(tmp_path), tmp_path / "graph", tmp_path / "fixed.json"
    fixed.write_text(json.dumps({"shapes": {"x": [1, 5, 4], "mask": [1, 5, 4]}, "freeze": {"mask": "zeros"}}))
    answer = json.loads(inspect("model", model, graph, fixed).stdout)
    assert answer["graph"]["inputs"] == [{"name": "x", "shape": [5, 4], "type": "float32"}]
    fixed.write_text(json.dumps({"shapes": {"z": [1]}}))
    answer = json.loads(inspect("model", model, tmp_path / "none", fixed).stdout)
    assert answer["type"] == "invalid-body" and "no input 'z'; it has x, mask" in answer["detail"]
    assert not (tmp_path / "none").exists()


def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    upload, trace = tmp_path / "model.onnx", tmp_path / "ran"
    upload.write_bytes(pickle.dumps(Payload(trace)))
    answer = json.loads(inspect("model", upload, tmp_path / "graph").stdout)
    assert not answer["ok"] and answer["type"] == "unsafe-model"
    assert not trace.exists() and not (tmp_path / "graph").exists()


def test_a_dataset_is_described(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, inputs=np.zeros((7, 8), np.float32), targets=np.zeros(7, np.int64))
    answer = json.loads(inspect("dataset", path).stdout)
    assert answer["ok"] and answer["samples"] == 7


def test_a_parser_over_its_limits_is_no_answer(tmp_path: Path) -> None:
    perceptron(tmp_path / "mlp.onnx")
    done = inspect("model", tmp_path / "mlp.onnx", tmp_path / "graph", HEADRACE_PARSE_SECONDS="0.05")
    assert (done.returncode, done.stdout) == (1, "")
    assert "longer than 0.05 s" in done.stderr
    done = inspect("model", tmp_path / "mlp.onnx", tmp_path / "graph", HEADRACE_PARSE_MEMORY_BYTES="60000000")
    assert (done.returncode, done.stdout) == (1, "")
    assert [p.name for p in tmp_path.iterdir()] == ["mlp.onnx"]


def test_torch_archives_need_isolation(tmp_path: Path) -> None:
    program = torch.export.export(torch.nn.Linear(4, 2), (torch.zeros(1, 4),))
    torch.export.save(program, tmp_path / "linear.pt2")
    done = inspect("model", tmp_path / "linear.pt2", tmp_path / "graph", HEADRACE_BWRAP="/bin/false")
    answer = json.loads(done.stdout)
    assert not answer["ok"] and answer["type"] == "unsafe-model" and "user namespaces" in answer["detail"]
    perceptron(tmp_path / "mlp.onnx")
    done = inspect("model", tmp_path / "mlp.onnx", tmp_path / "graph", HEADRACE_BWRAP="/bin/false")
    assert json.loads(done.stdout)["ok"], "ONNX runs nothing and is still accepted"
