"""Handwritten digits of scikit-learn (8×8): an MLP and a CNN, trained in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from tests.models.cache import ModelFixture, cached
from tests.models.training import export, fit, seeded

_TEST_SAMPLES = 360


def _split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = (images[order] / 16.0).astype(np.float32), labels[order].astype(np.int64)
    return images[_TEST_SAMPLES:], labels[_TEST_SAMPLES:], images[:_TEST_SAMPLES], labels[:_TEST_SAMPLES]


def _make(module: nn.Module, shape: tuple[int, ...], epochs: int, folder: Path) -> None:
    inputs, targets, test_inputs, test_targets = _split()
    fit(module, torch.from_numpy(inputs.reshape(-1, *shape)), torch.from_numpy(targets), epochs, 3e-3)
    folder.mkdir()
    export(module, torch.zeros(1, *shape), folder / "model.onnx")
    np.savez(folder / "data.npz", inputs=test_inputs.reshape(-1, *shape), targets=test_targets)


def digits_mlp() -> ModelFixture:
    """64-64-32-10 with ReLU, 6,570 parameters; inputs (samples, 64), targets (samples,)."""

    def make(folder: Path) -> None:
        with seeded(0):
            layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)]
            _make(nn.Sequential(*layers), (64,), 60, folder)

    folder = cached("digits-mlp", make)
    return ModelFixture(folder / "model.onnx", folder / "data.npz", "top1")


def digits_cnn() -> ModelFixture:
    """Two convolutions with batch norm and pooling, 1,898 parameters; inputs (samples, 1, 8, 8), targets (samples,)."""

    def make(folder: Path) -> None:
        with seeded(0):
            layers = [
                nn.Conv2d(1, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(8, 16, 3, padding=1),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(64, 10),
            ]
            _make(nn.Sequential(*layers), (1, 8, 8), 30, folder)

    folder = cached("digits-cnn", make)
    return ModelFixture(folder / "model.onnx", folder / "data.npz", "top1")
