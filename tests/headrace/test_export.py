"""A live module becomes an ONNX file: in silence, the same bytes in every kernel, with a readable reason where not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import headrace
from headrace.export import export
from headrace.upload import model_bytes

ROOT = Path(__file__).parents[2]
PROGRAM = """
import hashlib, torch
from headrace.export import export
torch.manual_seed(0)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.linear = torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(8, 3)
    def forward(self, x):
        return self.linear(torch.relu(self.conv(x)).flatten(1))
print(hashlib.sha256(export(Net(), torch.zeros(1, 1, 4, 4))).hexdigest())
"""


class Answer(dict):
    """As of transformers: a mapping with attributes, that holds what no file can."""

    @property
    def logits(self) -> torch.Tensor:
        return self["logits"]


class Cache:
    """Of a type that torch.export does not know."""


class LanguageModel(torch.nn.Module):
    """Has the call of a language model of transformers: without ``use_cache=False`` it gives a cache too."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = torch.nn.Embedding(7, 4), torch.nn.Linear(4, 7)

    def forward(self, input_ids: torch.Tensor, use_cache: bool = True) -> object:
        scores = self.head(self.embed(input_ids))
        return Answer(logits=scores, past_key_values=Cache()) if use_cache else Answer(logits=scores)


class DependsOnData(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.sum() > 0 else x


def test_two_kernels_make_the_same_bytes_in_silence(tmp_path: Path) -> None:
    """Nothing is printed, and where the source lies does not show: running a cell again is the same upload."""
    digests = set()
    for name in ("first.py", "second_with_another_name.py"):
        (tmp_path / name).write_text("\n" * len(digests) + PROGRAM)
        done = subprocess.run(
            [sys.executable, str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=300,
            env={"PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0 and done.stderr == ""
        digests.add(done.stdout)
    assert len(digests) == 1


def test_a_module_is_exported_in_evaluation_mode_and_left_as_it_was() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.9)).train()
    x = np.random.default_rng(0).normal(size=(1, 4)).astype(np.float32)
    session = onnxruntime.InferenceSession(export(module, x))
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    assert module.training
    np.testing.assert_allclose(found, module.eval()(torch.from_numpy(x)).detach(), rtol=1e-4, atol=1e-6)


def test_a_bare_language_model_gives_its_scores() -> None:
    module = LanguageModel().eval()
    ids = torch.tensor([[1, 5, 2]])
    data = export(module, ids)
    session = onnxruntime.InferenceSession(data)
    (found,) = session.run(None, {session.get_inputs()[0].name: ids.numpy()})
    np.testing.assert_allclose(found, module(ids).logits.detach(), rtol=1e-4, atol=1e-6)
    assert len(onnx.load_from_string(data).graph.output) == 1


def test_what_cannot_be_exported_says_why_in_plain_text() -> None:
    with pytest.raises(headrace.HeadraceError, match="could not export") as caught:
        export(DependsOnData(), torch.zeros(1, 4))
    text = str(caught.value)
    assert "\x1b" not in text and "PyTorch GitHub" not in text and len(text.splitlines()) < 40
    with pytest.raises(headrace.HeadraceError, match="example"):
        export(DependsOnData(), None)


def test_notes_of_the_exporter_are_left_out() -> None:
    graph = onnx.load_from_string(export(torch.nn.Linear(4, 3), torch.zeros(1, 4))).graph
    assert not [prop for node in graph.node for prop in node.metadata_props]
    assert str(ROOT).encode() not in graph.SerializeToString()


def test_weights_beside_the_file_are_taken_in(tmp_path: Path) -> None:
    """As torch.onnx.export writes them by default; the service reads one file only."""
    whole = export(torch.nn.Linear(40, 30), torch.zeros(1, 40))
    options = {"save_as_external_data": True, "location": "m.onnx.data", "size_threshold": 0}
    onnx.save(onnx.load_from_string(whole), tmp_path / "m.onnx", **options)
    name, sent = model_bytes(tmp_path / "m.onnx", None)
    assert name == "m.onnx" and len(sent) > 40 * 30 * 4 > (tmp_path / "m.onnx").stat().st_size
    assert sent == model_bytes(tmp_path / "m.onnx", None)[1]
    x = np.random.default_rng(0).normal(size=(1, 40)).astype(np.float32)
    sessions = [onnxruntime.InferenceSession(data) for data in (sent, whole)]
    found, expected = (session.run(None, {session.get_inputs()[0].name: x})[0] for session in sessions)
    np.testing.assert_array_equal(found, expected)
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(headrace.HeadraceError, match=r"m\.onnx\.data cannot be put into the model"):
        model_bytes(tmp_path / "m.onnx", None)
