"""Training and export shared by the models that are trained here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Everything random in torch from one seed and in one thread, the global state restored afterwards.

    One thread gives the same sums everywhere, and is the fastest for models this small on a busy machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def fit(module: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, epochs: int, learning_rate: float) -> None:
    """Train a classifier on everything given, in shuffled batches of 64."""
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    module.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(inputs[batch]), targets[batch]).backward()
            optimizer.step()
        schedule.step()
    module.eval()


def export(module: nn.Module, example: torch.Tensor, path: Path) -> None:
    """Write an ONNX file with a dynamic batch axis."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (example,),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        )
