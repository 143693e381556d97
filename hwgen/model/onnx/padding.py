"""Constants around a tensor, which the next convolution or pool may take over."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import Deferred
from hwgen.model.onnx.view import View


@dataclass(frozen=True)
class Padded(Deferred):
    """A view with constant padding.

    Attributes:
        view: the data.
        pads: (before, after) per ONNX axis.
        value: the padding value.
    """

    view: View
    pads: tuple[tuple[int, int], ...]
    value: float

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX shape, padding included."""
        return tuple(size + before + after for size, (before, after) in zip(self.view.shape, self.pads, strict=True))

    def build(self, builder: Builder) -> View:
        """Never: there is no operator that pads.

        Raises:
            Refused: always.
        """
        raise Refused("padding is taken over by a convolution or a pool only; put the Pad directly before one")
