"""Acceptance line 9 with the real tools: a worker killed while it compiles, a job cancelled while it compiles."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from db import migrate
from db.artefacts import Artefacts, content_id
from db.rows import JobRow, NewJob
from explorer.result import TrialResult
from explorer.spec import JobSpec, SearchParameters, SpaceSpec
from tests.workers.service import ROOT, Service, gone

COMPILERS = {"cc1plus", "verilator_bin", "g++", "c++", "ld", "as", "collect2", "make"}
pytestmark = pytest.mark.slow


def perceptron(path: Path) -> None:
    random = np.random.default_rng(0)
    shapes = {"w0": (8, 12), "b0": (12,), "w1": (12, 4), "b1": (4,)}
    weights = [numpy_helper.from_array(random.normal(size=s).astype(np.float32), n) for n, s in shapes.items()]
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], "first"),
        helper.make_node("Relu", ["h"], ["r"], "relu"),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["y"], "second"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 8))]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4))]
    graph = helper.make_graph(nodes, "mlp", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'headrace.db'}"
    home.mkdir()
    migrate.upgrade(url)
    real = {"HEADRACE_EVALUATOR": "explorer.evaluate:Evaluator", "HEADRACE_SEARCH": "explorer.search:Search"}
    running = Service(home, url, **real)
    yield running.start()
    running.close()


def submit(service: Service, tmp_path: Path, trials: int) -> JobRow:
    upload = tmp_path / "mlp.onnx"
    perceptron(upload)
    model = content_id(upload)
    graph = Artefacts(service.home).graph(model)
    command = [sys.executable, "-m", "workers.inspect", "model", str(upload), str(graph)]
    done = subprocess.run(command, cwd=ROOT, env=service.environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ok"], done.stdout
    spec = JobSpec(
        model,
        space=SpaceSpec(weight_bits=(3, 4, 6), activation_bits=(4, 6), max_lanes=8),
        search=SearchParameters(trials=trials, parallel_trials=2, sampler="random"),
    )
    return service.store.jobs.create(NewJob(model, None, spec.to_json(), trials, 1800.0, 2, {})).job


def compilers(service: Service) -> list[psutil.Process]:
    return [p for p in service.tree() if p.is_running() and p.name() in COMPILERS]


def test_worker_killed_while_it_compiles(service: Service, tmp_path: Path) -> None:
    job = submit(service, tmp_path, 6)
    service.wait_for(lambda: bool(compilers(service)), 90, "a compiler runs")
    running = compilers(service)
    service.worker("evaluate").send_signal(signal.SIGKILL)
    assert gone(running, 10) == []
    ended = service.finish(job, 900)
    assert ended.state == "succeeded"
    service.check_history(ended, trials=6)
    for trial in service.store.trials.history(job.id):
        assert trial.result is not None
        exact = TrialResult.from_json(trial.result).exact
        assert trial.state != "complete" or (exact and exact.compared_words > 0 and exact.mismatched_words == 0)
    assert any(t.attempts == 2 for t in service.store.trials.history(job.id))
    assert all(
        t.sign_off_result and t.sign_off_result["equal"] for t in service.store.trials.history(job.id) if t.sign_off
    )
    tree = service.tree()
    service.close()
    assert gone(tree, 10) == []


def test_cancelled_while_it_compiles(service: Service, tmp_path: Path) -> None:
    job = submit(service, tmp_path, 50)
    service.wait_for(lambda: bool(compilers(service)), 90, "a compiler runs")
    running = compilers(service)
    began = time.monotonic()
    service.store.jobs.cancel(job.id)
    ended = service.finish(job, 10)
    assert time.monotonic() - began < 10
    assert ended.state == "cancelled"
    assert gone(running, 0.1) == []
    time.sleep(1)
    assert compilers(service) == []
    service.check_history(ended)
