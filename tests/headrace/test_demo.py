"""The demo's model: trained here, or taken as it was trained beforehand."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from headrace import demo, demo_digits, demo_model


def test_the_stored_model_is_the_one_that_training_gives() -> None:
    trained, stored = demo_model.train(), demo_digits.stored()
    assert (stored.samples, stored.parameters) == (trained.samples, trained.parameters)
    assert stored.accuracy == pytest.approx(trained.accuracy, abs=0.005)
    with np.load(stored.dataset) as arrays:
        assert all(np.array_equal(arrays[name], trained.dataset[name]) for name in ("inputs", "targets"))
        inputs, targets = arrays["inputs"], arrays["targets"]
    session = onnxruntime.InferenceSession(str(stored.model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    logits = np.concatenate([session.run(None, {name: inputs[i : i + 1]})[0] for i in range(len(inputs))])
    assert np.sum(logits.argmax(1) == targets) == round(stored.accuracy * stored.samples)
    with torch.no_grad():
        expected = trained.model(torch.from_numpy(inputs)).numpy()
    # Another processor rounds sums differently, and 275 steps of training carry that along.
    np.testing.assert_allclose(logits, expected, atol=0.5)


def test_the_stored_model_names_no_path_of_the_machine_that_trained_it() -> None:
    model = onnx.load(demo_digits.MODEL)
    assert not any(prop.value for node in model.graph.node for prop in node.metadata_props)


def test_without_torch_the_stored_model_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(demo._trained().model, torch.nn.Module)
    monkeypatch.setattr(demo_digits, "missing", lambda: ["torch"])
    assert demo._trained().model == demo_digits.MODEL
