"""What the demo submits: the model trained here where torch is installed, else the one that was trained beforehand."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = Path(__file__).parent / "demo_files"
MODEL, DATASET, ABOUT = _FILES / "digits.onnx", _FILES / "digits.npz", _FILES / "digits.json"
FIGURES = ("samples", "accuracy", "parameters")
_TRAINING = ("torch", "onnxscript", "sklearn")


@dataclass(frozen=True)
class Trained:
    """A trained model and the digits it never saw, each as ``Client.submit`` takes it.

    Attributes:
        model: takes (batch, 1, 8, 8) float32 in [0, 1], gives (batch, 10) logits.
        dataset: inputs (samples, 1, 8, 8) float32 and targets (samples,) int64.
        samples: of the dataset.
        accuracy: share of the held-out digits that the float model gets right.
        parameters: trainable parameters.
    """

    model: Any
    dataset: Any
    samples: int
    accuracy: float
    parameters: int


def missing() -> list[str]:
    """Packages that training needs and that are not installed."""
    return [package for package in _TRAINING if importlib.util.find_spec(package) is None]


def stored() -> Trained:
    """The model and the digits that come with this package."""
    return Trained(MODEL, DATASET, **json.loads(ABOUT.read_text("utf-8")))
