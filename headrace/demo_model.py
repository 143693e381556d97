"""The demo's model: a small CNN on scikit-learn's handwritten digits, trained in seconds, the same every time.

``python -m headrace.demo_model`` writes what ``headrace.demo_files`` ships for machines without torch.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from headrace import demo_digits
from headrace.demo_digits import Trained

_TEST = 500
_EPOCHS = 25
_BATCH = 128


def train(seed: int = 0) -> Trained:
    """Train on 1,297 digits and test on the other 500. Takes about a second on one core."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    images = (digits.images[order] / 16).astype(np.float32)[:, None]
    labels = digits.target[order].astype(np.int64)
    x_train, y_train = torch.from_numpy(images[:-_TEST]), torch.from_numpy(labels[:-_TEST])
    x_test, y_test = torch.from_numpy(images[-_TEST:]), torch.from_numpy(labels[-_TEST:])
    # One thread: sums in one order, so that the weights are the same on every machine of a kind.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    try:
        module = DigitsCnn()
        _fit(module, x_train, y_train)
        with torch.no_grad():
            accuracy = (module(x_test).argmax(1) == y_test).float().mean().item()
    finally:
        torch.set_num_threads(threads)
    dataset = {"inputs": x_test.numpy(), "targets": y_test.numpy()}
    return Trained(module, dataset, len(y_test), float(accuracy), sum(p.numel() for p in module.parameters()))


class DigitsCnn(torch.nn.Sequential):
    """Two 3×3 convolutions with batch norm, ReLU and pooling, and a linear layer."""

    def __init__(self) -> None:
        super().__init__(
            torch.nn.Conv2d(1, 8, 3, padding=1),
            torch.nn.BatchNorm2d(8),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(8, 8, 3, padding=1),
            torch.nn.BatchNorm2d(8),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(32, 10),
        )


def _fit(module: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    batches = -(-len(inputs) // _BATCH)
    optimiser = torch.optim.Adam(module.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=_EPOCHS * batches)
    module.train()
    for _ in range(_EPOCHS):
        for batch in torch.split(torch.randperm(len(inputs)), _BATCH):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(module(inputs[batch]), targets[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    module.eval()


def _store() -> None:
    trained = train()
    example = torch.from_numpy(trained.dataset["inputs"][:1])
    program: Any = torch.onnx.export(trained.model, (example,), dynamo=True, verbose=False)
    for node in program.model.graph:
        node.metadata_props.clear()  # traces with this machine's paths
    program.save(demo_digits.MODEL, external_data=False)
    np.savez_compressed(demo_digits.DATASET, **trained.dataset)
    figures = {name: value for name, value in asdict(trained).items() if name in demo_digits.FIGURES}
    demo_digits.ABOUT.write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    _store()
