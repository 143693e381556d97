"""What torch's exporters make of common modules imports, without layout operators that cost hardware."""

from __future__ import annotations

import importlib.util
import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.errors import ModelError
from hwgen.model.graph import Graph
from hwgen.model.kinds.softmax import Softmax
from hwgen.model.load import import_bytes
from hwgen.model.sniff import FileKind
from tests.hwgen.importer.support import compare, ops


def _exported(module: nn.Module, example: torch.Tensor, dynamo: bool, tmp_path: Path) -> onnx.ModelProto:
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            program = torch.onnx.export(module.eval(), (example,), dynamo=True, verbose=False)
            assert program is not None
            program.save(path, external_data=False)
        else:
            torch.onnx.export(module.eval(), (example,), str(path), dynamo=False, opset_version=17)
    return onnx.load(path)


def _compared(module: nn.Module, example: torch.Tensor, dynamo: bool, tmp_path: Path) -> Graph:
    proto = _exported(module, example, dynamo, tmp_path)
    return compare(proto, 1e-3, {proto.graph.input[0].name: example.numpy()})


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8)
        self.shortcut, self.head = nn.Conv2d(3, 8, 1), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self.norm1(self.stem(x)))
        y = F.relu(self.norm2(self.conv(y)) + self.shortcut(x))
        return self.head(y.mean((2, 3)))


class CausalBlock(nn.Module):
    """GPT-2 style: one fused projection, a registered mask."""

    def __init__(self, width: int = 16, heads: int = 4, context: int = 8) -> None:
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))
        self.register_buffer("mask", torch.tril(torch.ones(context, context))[None, None])

    def attend(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        length = q.shape[2]
        return F.softmax(scores.masked_fill(self.mask[:, :, :length, :length] == 0, -math.inf), -1) @ v

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        samples, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).split(width, 2)
        q, k, v = (p.view(samples, tokens, self.heads, -1).transpose(1, 2) for p in parts)
        x = x + self.out(self.attend(q, k, v).transpose(1, 2).contiguous().view(samples, tokens, width))
        return x + self.mlp(self.norm2(x))


class BuiltInAttentionBlock(CausalBlock):
    """timm style: a five-dimensional projection and torch's own attention."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        samples, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(samples, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(samples, tokens, width))
        return x + self.mlp(self.norm2(x))


class Decoder(nn.Module):
    def __init__(self, block: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, 16), nn.Embedding(8, 16)
        self.blocks, self.head = nn.Sequential(block(), block()), nn.Linear(16, 50, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        return self.head(self.blocks(x))


class Attention(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=batch_first)
        self.batch_first = batch_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.batch_first else x.transpose(0, 1)
        y = self.attention(x, x, x, need_weights=False)[0]
        return y if self.batch_first else y.transpose(0, 1)


def _sequential() -> nn.Module:
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
    layers += [nn.Conv2d(8, 6, 3, stride=2), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)]
    return nn.Sequential(*layers)


def _audio() -> nn.Module:
    layers = [nn.Conv1d(2, 4, 5, stride=2, padding=2), nn.ELU(), nn.MaxPool1d(2), nn.Conv1d(4, 6, 3, dilation=2)]
    return nn.Sequential(*layers, nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(24, 3))


_IMAGE, _TOKENS = torch.zeros(1, 3, 9, 11).normal_(), torch.zeros(1, 5, 16).normal_()
_IDS = torch.arange(8)[None] * 5
_MODELS = {
    "sequential": (_sequential, _IMAGE, ["conv", "relu", "max_pool", "conv", "pointwise", "average_pool", "linear"]),
    "audio": (_audio, torch.zeros(1, 2, 31).normal_(), None),
    "residual": (Residual, _IMAGE, ["conv", "clip", "conv", "conv", "add", "relu", "average_pool", "linear"]),
    "attention": (
        lambda: Attention(True),
        _TOKENS,
        ["linear", *["slice"] * 3, "matmul", "softmax", "matmul", "linear"],
    ),
    "attention, tokens first": (
        lambda: Attention(False),
        _TOKENS,
        ["linear", *["slice"] * 3, "matmul", "softmax", "matmul", "linear"],
    ),
    "decoder": (lambda: Decoder(CausalBlock), _IDS, None),
    "decoder, built-in attention": (lambda: Decoder(BuiltInAttentionBlock), _IDS, None),
}


@pytest.mark.parametrize("dynamo", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", list(_MODELS))
def test_exported_modules(name: str, dynamo: bool, tmp_path: Path) -> None:
    make, example, expected = _MODELS[name]
    graph = _compared(make(), example, dynamo, tmp_path)
    found = [o for o in ops(graph) if o != "reshape"]
    assert "permute" not in found
    assert "mul" not in found
    if expected is not None:
        assert sorted(found) == sorted(expected)
    if "decoder" in name:
        assert [n.kind.causal for n in graph.nodes if isinstance(n.kind, Softmax)] == [True, True]
        assert found.count("pointwise") == 2


@pytest.mark.slow
@pytest.mark.parametrize("norm_first", [False, True])
def test_transformer_encoder_layer(norm_first: bool, tmp_path: Path) -> None:
    module = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, activation="gelu", norm_first=norm_first)
    graph = _compared(module, _TOKENS, True, tmp_path)
    assert not {"permute", "mul", "reshape"} & set(ops(graph))


@pytest.mark.slow
def test_torch_export_archive() -> None:
    module = _sequential().eval()
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(module, (_IMAGE,)), buffer)
    imported = import_bytes(buffer.getvalue())
    assert imported.kind is FileKind.TORCH_EXPORT
    from hwgen.model.float_reference import run

    (outputs,) = run(imported.graph, {imported.graph.inputs[0].source: _IMAGE.numpy()})
    np.testing.assert_allclose(outputs, module(_IMAGE).detach().numpy(), rtol=1e-4, atol=1e-4)


def test_torch_export_archive_on_a_machine_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(nn.Linear(4, 2).eval(), (torch.zeros(1, 4),)), buffer)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"no torch.*torch\.onnx\.export.*pip install torch"):
        import_bytes(buffer.getvalue())


def test_recurrent_network_is_refused_by_name(tmp_path: Path) -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(16, 8, batch_first=True), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.lstm(x)[0][:, -1])

    proto = _exported(Recurrent(), _TOKENS, False, tmp_path)
    with pytest.raises(ModelError, match="LSTM") as caught:
        import_bytes(proto.SerializeToString())
    assert [i.operator for i in caught.value.issues] == ["LSTM"]
