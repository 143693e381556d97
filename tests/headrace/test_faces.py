"""The engine's face and the client's look alike: what one calls by a name, the other takes under that name."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np

import headrace
import hwgen
from headrace.service import LocalService
from tests.e2e.test_real_faults import perceptron


def test_same_names_for_the_same_things() -> None:
    engine = {
        headrace.Model: (hwgen.Model, {"inputs"}),
        headrace.Trial: (hwgen.Simulation, {"latency_cycles", "interval_cycles", "compared_words"}),
    }
    for record, (face, names) in engine.items():
        fields = set(vars(face)) | set(getattr(face, "__dataclass_fields__", ()))
        assert names <= fields and names <= set(dir(record))
    assert {"weights", "activations"} <= set(inspect.signature(hwgen.Model.quantize).parameters)
    assert {"lanes", "devices"} <= set(inspect.signature(hwgen.Plan.design).parameters)
    assert {"weights", "activations", "lanes", "devices"} <= set(dir(headrace.Trial))
    assert "path" in inspect.signature(hwgen.Design.write_bundle).parameters
    assert "path" in inspect.signature(headrace.Trial.write_bundle).parameters
    upload, load = (inspect.signature(f).parameters for f in (headrace.Client.upload_model, hwgen.load))
    assert {"shapes", "freeze"} <= set(upload) & set(load)


def test_a_trial_goes_into_the_engine_as_it_is(tmp_path: Path) -> None:
    """The choices of a trial of the service, handed to the engine under the same names, take the same cycles."""
    perceptron(tmp_path / "mlp.onnx")
    x = np.random.default_rng(1).uniform(-1, 1, (8, 8)).astype(np.float32)
    with LocalService(tmp_path / "home") as service, headrace.connect(service.url) as client:
        job = client.submit(
            tmp_path / "mlp.onnx", dataset={"inputs": x, "targets": np.zeros((8, 4), np.float32)}, metric="mse",
            space={"weight_bits": [6], "activation_bits": [6], "max_lanes": 4}, search={"trials": 1},
        )  # fmt: skip
        trial = job.wait(check=False).best()
        shown = client.model(job.document["model"]).inputs
        frame = trial.operators()
        assert {"module", "busy_share"} <= set(frame.columns) and frame.busy_cycles.sum() > 0
    model = hwgen.load(tmp_path / "mlp.onnx")
    assert model.inputs == shown
    plan = model.quantize(weights=trial.weights, activations=trial.activations, calibration={"x": x})
    measured = plan.design(lanes=trial.lanes, devices=trial.devices).simulate({"x": x[:2]})
    assert (measured.latency_cycles, measured.interval_cycles) == (trial.latency_cycles, trial.interval_cycles)
