"""What is kept of a tensor's values on calibration data, batch by batch: the extremes and a bounded sample.

How many values there will be is known before the first, so the places of the sample are drawn at once: what is kept
does not depend on how the data is cut into batches.
"""

from __future__ import annotations

import numpy as np

from hwgen.numbers.arrays import Array

VALUES_PER_TENSOR = 16384


class Statistics:
    """Float32 values of one tensor.

    Args:
        size: how many there will be.
        generator: draws the sample where there are more than ``VALUES_PER_TENSOR``.
    """

    def __init__(self, size: int, generator: np.random.Generator) -> None:
        sampled = size > VALUES_PER_TENSOR
        places = generator.choice(size, VALUES_PER_TENSOR - 2, replace=False) if sampled else np.arange(size)
        self._order = np.argsort(places, kind="stable")
        self._places = places[self._order]
        self._kept = np.empty(len(places), np.float32)
        self._extremes: tuple[np.float32, np.float32] | None = None
        self._sampled, self._seen = sampled, 0

    def add(self, values: Array) -> None:
        """The next values, flat."""
        first, after = np.searchsorted(self._places, (self._seen, self._seen + values.size))
        self._kept[self._order[first:after]] = values[self._places[first:after] - self._seen]
        self._seen += values.size
        if self._sampled:
            low, high = values.min(), values.max()
            known = self._extremes or (low, high)
            self._extremes = np.minimum(low, known[0]), np.maximum(high, known[1])

    @property
    def values(self) -> Array:
        """At most ``VALUES_PER_TENSOR`` values in the order of the draw; of a sample the extremes last."""
        return self._kept if self._extremes is None else np.concatenate([self._kept, self._extremes])
