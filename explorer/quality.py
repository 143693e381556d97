"""Quality metrics of a model's outputs: each compares outputs with targets, or with the float model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.errors import DatasetError
from hwgen.numbers.arrays import Array

# outputs and float outputs (samples, *shape), targets or None -> the metric
_Metric = Callable[[Array, Array, Array], float]


@dataclass(frozen=True)
class Metric:
    """A quality metric.

    Attributes:
        compute: the figure of a set of outputs, from outputs ``(rows, classes)`` and references.
        needs_targets: it compares with targets rather than with the float model.
        reads_scores: it ranks classes or needs logits: it reads ``hwgen.model.software.scores`` of an output. Others
            compare the numbers that the model gives.
        larger_is_better: direction.
        best: the best value that can be attained.
        worst: the worst value, None where it is unbounded.
    """

    compute: _Metric
    needs_targets: bool
    reads_scores: bool
    larger_is_better: bool
    best: float
    worst: float | None


def _top(count: int) -> _Metric:
    def share(outputs: Array, reference: Array, targets: Array) -> float:
        if outputs.shape[1] <= count and count > 1:
            return 1.0
        # The rank of the target: classes above it, and equal ones before it, as argmax would choose.
        own = np.take_along_axis(outputs, targets[:, None], axis=1)
        earlier = np.arange(outputs.shape[1])[None, :] < targets[:, None]
        rank = ((outputs > own) | ((outputs == own) & earlier)).sum(axis=1)
        return float((rank < count).mean())

    return share


def _perplexity(outputs: Array, reference: Array, targets: Array) -> float:
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    loss = np.log(np.exp(shifted).sum(axis=1)) - np.take_along_axis(shifted, targets[:, None], axis=1)[:, 0]
    return float(np.exp(min(loss.mean(), 700.0)))


def _mse(outputs: Array, reference: Array, targets: Array) -> float:
    return float(np.square(outputs.astype(np.float64) - targets).mean())


def _cosine(outputs: Array, reference: Array, targets: Array) -> float:
    a, b = outputs.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = (np.abs(a).max(axis=1, initial=0) == 0) & (np.abs(b).max(axis=1, initial=0) == 0)
    return float(np.where(both_zero, 1.0, (a * b).sum(axis=1) / np.where(norms > 0, norms, 1.0)).mean())


def _agreement(outputs: Array, reference: Array, targets: Array) -> float:
    if outputs.shape[1] == 1:
        return float(((outputs > 0) == (reference > 0)).mean())
    return float((outputs.argmax(axis=1) == reference.argmax(axis=1)).mean())


METRICS: Mapping[str, Metric] = {
    "top1": Metric(_top(1), True, True, True, 1.0, 0.0),
    "top5": Metric(_top(5), True, True, True, 1.0, 0.0),
    "perplexity": Metric(_perplexity, True, True, False, 1.0, None),
    # without targets mse and cosine compare with the float model
    "mse": Metric(_mse, False, False, False, 0.0, None),
    "cosine": Metric(_cosine, False, False, True, 1.0, -1.0),
    "agreement": Metric(_agreement, False, True, True, 1.0, 0.0),
}


def default_metric(outputs: Array, targets: Array | None) -> str:
    """``top1`` for class targets, ``mse`` for real ones, ``agreement`` with the float model without any."""
    if targets is None:
        return "agreement"
    return "top1" if targets.dtype.kind in "iub" and targets.shape != outputs.shape else "mse"


def measure(name: str, outputs: Array, reference: Array, targets: Array | None, class_axis: int | None = None) -> float:
    """A quality metric.

    Args:
        name: of ``METRICS``.
        outputs: ``(samples, *shape)`` of the candidate; classes are the last axis unless the targets say otherwise.
        reference: the float model's outputs, same shape.
        targets: ``(samples, ...)``; class metrics take one index per row of classes.
        class_axis: the axis of the classes, counted from the end, where the model itself names it.

    Raises:
        DatasetError: the metric needs targets, or they have another shape.
    """
    metric = METRICS[name]
    if name == "mse":
        wanted = reference if targets is None else _real_targets(targets, outputs)
        return metric.compute(outputs, reference, wanted)
    if not metric.needs_targets:
        rows = _rows(reference, class_axis)
        return metric.compute(_rows(outputs, class_axis), rows, rows)
    if targets is None:
        raise DatasetError(f"the metric {name} compares with targets, and the data set has none; add an array targets")
    rows, indices = _classes(outputs, targets, (outputs.ndim - 1, 1) if class_axis is None else (class_axis,))
    return metric.compute(rows, rows, indices)


def _rows(outputs: Array, class_axis: int | None) -> Array:
    """One row of classes (or features) per position: the axis given, else the last one, or axis 1 of an image."""
    if outputs.ndim == 1:  # one number a sample
        return outputs[:, None]
    if class_axis is not None or outputs.ndim == 4:
        outputs = np.moveaxis(outputs, 1 if class_axis is None else class_axis, -1)
    return outputs.reshape(-1, outputs.shape[-1])


def _real_targets(targets: Array, outputs: Array) -> Array:
    if targets.size != outputs.size:
        raise DatasetError(
            f"targets have the shape {targets.shape}, but the model gives {outputs.shape}; class indices are integers"
        )
    return targets.reshape(outputs.shape)


def _classes(outputs: Array, targets: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """Outputs as ``(rows, classes)`` and one index per row; classes lie on one of ``axes``, the first that fits."""
    for axis in axes:
        rows = np.moveaxis(outputs, axis, -1)
        if [n for n in rows.shape[:-1] if n != 1] == [n for n in targets.shape if n != 1]:
            indices = targets.reshape(-1).astype(np.int64)
            if not np.array_equal(indices, targets.reshape(-1)):
                raise DatasetError("targets hold no class indices: those are whole numbers; mse compares real ones")
            classes = rows.shape[-1]
            if indices.min() < 0 or indices.max() >= classes:
                raise DatasetError(f"targets hold class indices outside 0 .. {classes - 1}, the classes of the model")
            return rows.reshape(-1, classes), indices
    expected = np.moveaxis(outputs, axes[0], -1).shape[:-1]
    raise DatasetError(
        f"targets have the shape {targets.shape}; the model gives {outputs.shape}, so one class index for each of "
        f"{expected} is expected"
    )
