"""``python -m tests.models.export_architecture NAME FILE``: one architecture of the list as ONNX, with random weights.

A process of its own, because it puts unpacked wheels on the path and names torchvision's operators to torch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from tests.models.cache import wheel

WHEELS = ("torchvision==0.29.1", "timm==1.0.31", "huggingface_hub==2.4.0", "safetensors==0.8.0")
OPSET = 17


def build(name: str, library: str, options: dict[str, Any]) -> torch.nn.Module:
    """An architecture from the pinned packages, in evaluation mode, with random weights of a fixed seed."""
    sys.path[:0] = [str(wheel(requirement)) for requirement in WHEELS]
    # PyPI's torchvision is compiled for another torch build: its Python imports once the two names that it annotates
    # exist, and no classifier calls them
    operators = torch.library.Library("torchvision", "FRAGMENT")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.manual_seed(0)
    if library == "timm":
        import timm

        model = timm.create_model(name, pretrained=False, **options)
    else:
        import torchvision

        model = torchvision.models.get_model(name, weights=None, **options)
    scatter_constants(model)
    return model.eval()


@torch.no_grad()
def scatter_constants(model: torch.nn.Module) -> None:
    """Give what initialisation leaves constant a spread, so that a dropped bias, scale or statistic changes the output.

    Fresh weights hide errors: residual branches end in a scale of 0, layer scales are 1e-6, statistics are 0 and 1.
    """
    for parameter in model.parameters():
        if parameter.min() == parameter.max():
            base = 1.0 if parameter.max() == 1 else 0.0
            parameter.copy_(base + 0.2 * torch.randn_like(parameter))
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)


class _FirstOutput(torch.nn.Module):
    """Segmentation models answer with a dictionary; its ``out`` is the map at full size."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        answer = self.model(images)
        return answer["out"] if isinstance(answer, dict) else answer


def export(name: str, library: str, shape: list[int], options: dict[str, Any], file: Path) -> None:
    """Write the ONNX file: batch 1, the given input shape ``(channels, …)``."""
    model = _FirstOutput(build(name, library, options))
    # the exporter by tracing: a second for each model, where the one by capture takes ten
    torch.onnx.export(model, (torch.randn(1, *shape),), str(file), dynamo=False, opset_version=OPSET)


if __name__ == "__main__":
    from tests.models.architectures import by_name

    chosen = by_name(sys.argv[1])
    export(chosen.name, chosen.library, list(chosen.input), dict(chosen.options), Path(sys.argv[2]))
