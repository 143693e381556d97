"""Common architectures from torch to words: imported, quantized to 8 bits, lowered, and close to the float model."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.hardware.design import run_reference
from hwgen.lowering import Calibration, Lanes, Precision, lane_choices, lower, precision_choices, quantize_graph
from hwgen.lowering.words import output_arrays, words_in
from hwgen.model.float_reference import apply_input_layout, apply_output_layout, evaluate
from hwgen.model.graph import Graph
from hwgen.model.load import import_bytes
from hwgen.numbers.formats import Format, IntFormat


class VisionTransformer(nn.Module):
    """Patches, a class token, one attention block."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm, self.head = nn.Conv2d(3, 16, 4, 4), nn.LayerNorm(16), nn.Linear(16, 10)
        self.token, self.places = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16))
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(len(x), -1, -1), x), 1) + self.places
        y = self.norm(x)
        return self.head((x + self.attention(y, y, y, need_weights=False)[0])[:, 0])


class SqueezeAndExcite(nn.Module):
    """A MobileNetV3 block: depthwise, hard swish, a gate for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.widen, self.norm = nn.Conv2d(3, 16, 1), nn.BatchNorm2d(16)
        self.depthwise = nn.Conv2d(16, 16, 5, 2, 2, groups=16)
        self.down, self.up, self.head = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 16, 1), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.hardswish(self.depthwise(F.hardswish(self.norm(self.widen(x)))))
        gate = F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x * gate, 1), 1))


class DenseBlock(nn.Module):
    """Concatenation, and batch norm before the activation."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(128, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        x = torch.cat((x, self.second(F.relu(self.norm(x)))), 1)
        return self.head(F.avg_pool2d(x, 2).flatten(1))


class Mixer(nn.Module):
    """Patches by reshaping, and a matrix product over tokens: data really moves."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm, self.head = nn.Linear(12, 8), nn.LayerNorm(8), nn.Linear(8, 3)
        self.tokens = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.view(-1, 3, 4, 2, 4, 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, 16, 12)
        x = self.embed(x)
        x = x + self.tokens(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return self.head(x.mean(1))


class ChannelsLastNorm(nn.Module):
    """A ConvNeXt block: layer norm and linear layers on a transposed image, a scale for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.depthwise = nn.Conv2d(3, 8, 2, 2), nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm, self.wide, self.narrow = nn.LayerNorm(8), nn.Linear(8, 32), nn.Linear(32, 8)
        self.scale, self.head = nn.Parameter(torch.randn(8)), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = self.narrow(F.gelu(self.wide(self.norm(self.depthwise(x).permute(0, 2, 3, 1))))) * self.scale
        return self.head((x + y.permute(0, 3, 1, 2)).mean((-2, -1)))


def _graph(module: nn.Module, example: torch.Tensor) -> Graph:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (example,), buffer, dynamo=False, opset_version=17)
    return import_bytes(buffer.getvalue()).graph


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (VisionTransformer, (3, 16, 16)),
        (SqueezeAndExcite, (3, 9, 9)),
        (DenseBlock, (3, 8, 8)),
        (Mixer, (3, 8, 8)),
        (ChannelsLastNorm, (3, 16, 12)),
    ],
)
def test_eight_bits_follow_the_float_model(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    graph = _graph(make(), torch.randn(1, *shape))
    layout = graph.inputs[0]
    samples = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
    data = {layout.node: apply_input_layout(layout, graph.node(layout.node), samples)}
    eight = IntFormat(8, True)
    precisions = {
        name: Precision(eight if c.has_weight else None, Format.parse(c.fixed_activation or "int8"))
        for name, c in precision_choices(graph).items()
    }
    quantized = quantize_graph(graph, precisions, Calibration.collect(graph, data))
    design = lower(quantized, {name: Lanes(1, 1) for name in lane_choices(graph)}, {})
    (values,) = output_arrays(graph, design, run_reference(design, words_in(design, data)))
    expected = apply_output_layout(graph.outputs[0], evaluate(graph, data)[graph.outputs[0].node])
    assert np.corrcoef(values.ravel(), expected.ravel())[0, 1] > 0.999
