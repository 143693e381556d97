"""The model fixtures: they import, and the graph agrees with onnxruntime and with the figures known of each model.

Fetching packages and training takes a minute the first time; afterwards the cache answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hwgen.model.float_reference import run
from hwgen.model.kinds.arithmetic import Multiply
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.kinds.softmax import Softmax
from hwgen.model.load import Imported, import_file
from hwgen.numbers.arrays import Array
from tests.models.cache import ModelFixture
from tests.models.char_transformer import char_transformer
from tests.models.digits import digits_cnn, digits_mlp
from tests.models.mnist_conv import mnist_conv, reference_pair
from tests.models.tinyml import ds_cnn, resnet8

pytestmark = pytest.mark.slow


def _load(fixture: ModelFixture, samples: int) -> tuple[Imported, Array, Array, Array]:
    """The import, inputs, targets and the graph's outputs."""
    imported = import_file(fixture.onnx)
    data = np.load(fixture.dataset)
    inputs, targets = data["inputs"][:samples], data["targets"][:samples]
    (outputs,) = run(imported.graph, {imported.graph.inputs[0].source: inputs})
    return imported, inputs, targets, outputs


def _onnxruntime(path: Path, inputs: Array) -> Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    fixed = session.get_inputs()[0].shape[0] == 1
    batches = inputs[:, None] if fixed else inputs[None]
    return np.concatenate([session.run(None, {name: b})[0] for b in batches])


@pytest.mark.parametrize(
    ("make", "parameters", "accuracy"),
    [(digits_mlp, 6570, 0.95), (digits_cnn, 1898 + 48, 0.95), (mnist_conv, 5998, 0.99)],
)
def test_classifiers(make: Callable[[], ModelFixture], parameters: int, accuracy: float) -> None:
    fixture = make()
    imported, inputs, targets, outputs = _load(fixture, 1000)
    assert (outputs.argmax(axis=1) == targets).mean() >= accuracy
    np.testing.assert_allclose(outputs[:50], _onnxruntime(fixture.onnx, inputs[:50]), rtol=1e-3, atol=1e-2)
    assert imported.parameters <= parameters


def test_mnist_conv_gives_its_own_reference_output() -> None:
    imported = import_file(mnist_conv().onnx)
    inputs, expected = reference_pair()
    (outputs,) = run(imported.graph, {imported.graph.inputs[0].source: inputs})
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-2)
    assert imported.parameters == 5998


@pytest.mark.parametrize(("make", "parameters"), [(resnet8, 78_666), (ds_cnn, 24_908)])
def test_mlperf_tiny(make: Callable[[], ModelFixture], parameters: int) -> None:
    fixture = make()
    imported, inputs, targets, outputs = _load(fixture, 32)
    assert imported.parameters == parameters
    assert (outputs.argmax(axis=1) == targets).all()
    assert len(np.unique(np.load(fixture.dataset)["targets"])) >= 6
    np.testing.assert_allclose(outputs, _onnxruntime(fixture.onnx, inputs), atol=1e-4)
    graph = imported.graph
    assert [s["operator"] for s in graph.software] == ["Softmax"]
    # channels-last inputs cost nothing, every batch norm is folded
    assert not [n for n in graph.nodes if isinstance(n.kind, Permute | Reshape | Multiply)]


def test_char_transformer() -> None:
    fixture = char_transformer()
    imported, inputs, targets, outputs = _load(fixture, 64)
    expected = _onnxruntime(fixture.onnx, inputs[:16])
    np.testing.assert_allclose(outputs[:16], expected, rtol=1e-3, atol=1e-3)
    shifted = outputs - outputs.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    perplexity = float(np.exp(-np.take_along_axis(logs, targets[..., None], axis=-1).mean()))
    assert perplexity < 8
    counts = Counter(n.kind.name for n in imported.graph.nodes)
    assert (counts["matmul"], counts["softmax"], counts["layer_norm"]) == (4, 2, 5)
    assert all(n.kind.causal for n in imported.graph.nodes if isinstance(n.kind, Softmax))
    assert all(n.kind.heads == 4 for n in imported.graph.nodes if isinstance(n.kind, MatMul))
    assert not [n for n in imported.graph.nodes if isinstance(n.kind, Permute | Reshape | Multiply)]
