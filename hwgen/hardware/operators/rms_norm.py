"""Root mean square normalisation over the features of each token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log2, sqrt

import numpy as np

from hwgen.hardware.normalization import USES, Normalization
from hwgen.hardware.operator import Cycles, MemoryImage, Operator, accumulator_bits
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import FloatArray, IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.technology.parts import Bill
from hwgen.technology.products import Multipliers

GUARD_BITS = 3  # of the result, kept by the normalised value
ROOT_GUARD_BITS = 5
GAMMA_GUARD_BITS = 4
MAX_ROOT_BITS = 24


@dataclass(frozen=True)
class RmsNorm(Operator):
    """``out[t] = gamma * x / sqrt(mean(x*x) + epsilon)`` over the ``n`` features of token ``t``.

    Integer definition; the ``1/n`` of the mean is a factor ``sqrt(n)`` of gamma, so that ``z`` is at most 1::

        w = sum(x*x) * 4**guard + epsilon
        k = leading zero bit pairs of w in 2*half_bits bits, at most half_bits - 1 - guard
        s = isqrt(the upper 2*root_bits bits of w << 2*k)                2**(root_bits-1) <= s < 2**root_bits
        r = floor(2**(2*root_bits-1) / s)
        z = round(x * r * 2**-(root_bits-1 + half_bits - guard - k - fraction_bits))  half up
        out = requantize(z * gamma, shift)

    Contents: ``gamma`` ``(features,)``; ``epsilon`` ``()`` at the scale of ``w``; ``shift`` ``()``.

    Error of ``design`` against the real function of the same input words, while ``fraction_bits`` is below
    ``MAX_ROOT_BITS``: the root and the division lose a relative ``1.5 * 2**-(root_bits-1)``, ``z`` half a unit of its
    own, ``gamma`` half a unit of a format four bits wider than the result, ``epsilon`` half a unit of ``w``. Together
    with its own rounding below 0.75 units of the result, for results of 4 to 16 bits.

    Attributes:
        tokens: tokens per sample.
        features: elements per token, ``n``.
        lanes: elements per cycle; divides ``features``.
        source: format of the input.
        half_bits: half the width of ``w``, ``root_bits`` to 31.
        guard: zero bit pairs below the sum, so that epsilon has a fraction.
        root_bits: width of the root, 4 to 24.
        fraction_bits: of ``z``, at most ``root_bits``.
        gamma_bits: width of gamma, two's complement.
        acc_bits: width of ``z * gamma``.
        result: requantisation.
        shift_bits: width of the shift amount.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    tokens: int
    features: int
    lanes: int
    source: IntFormat
    half_bits: int
    guard: int
    root_bits: int
    fraction_bits: int
    gamma_bits: int
    acc_bits: int
    result: Requantize
    shift_bits: int
    stages: int

    module = "dse_rms_norm"
    uses = USES

    def __post_init__(self) -> None:
        self.require(self.features % self.lanes == 0, f"lanes {self.lanes} divide {self.features}")
        self.require(4 <= self.root_bits <= MAX_ROOT_BITS, f"the root has 4 to {MAX_ROOT_BITS} bits")
        self.require(
            self.root_bits <= self.half_bits <= 31,
            f"the squares of {self.features} words of {self.source.bits} bits take {2 * self.half_bits} bits, not 62",
        )
        self.require(0 <= self.guard < self.half_bits, f"guard pairs are 0 to {self.half_bits - 1}")
        self.require(0 <= self.fraction_bits <= self.root_bits, f"fraction bits are 0 to {self.root_bits}")
        widest = max(self.acc_bits, self.source.bits + self.root_bits + 3)
        self.require(widest <= 62, f"products have at most 62 bits, not {widest}")

    @staticmethod
    def design(
        tokens: int, lanes: int, gamma: FloatArray, epsilon: float, source: IntFormat, result: Requantize
    ) -> tuple[RmsNorm, dict[str, Array]]:
        """The operator whose result is within one unit of the real function, and its constants.

        Args:
            tokens: tokens per sample.
            lanes: elements per cycle.
            gamma: ``(features,)`` real factors.
            epsilon: added to the mean square of the real input.
            source: format of the input.
            result: requantisation.

        Raises:
            IllegalParameters: the lanes do not divide the features, or the widths are out of range.
        """
        n, target = gamma.size, result.target
        factors = gamma.astype(np.float64) * sqrt(n)
        gamma_bits = target.bits + GAMMA_GUARD_BITS
        largest = float(np.abs(factors).max(initial=0.0)) or 1.0
        gamma_fraction = floor(log2(((1 << (gamma_bits - 1)) - 1) / largest))
        fraction = min(max(ceil(target.fraction_bits + log2(largest)) + GUARD_BITS, 0), MAX_ROOT_BITS)
        root_bits = min(max(target.bits + ROOT_GUARD_BITS, fraction, 4), MAX_ROOT_BITS)
        shift = fraction + gamma_fraction - target.fraction_bits
        guard = ceil(target.bits / 2)  # the least sum is 1: epsilon is exact enough when that is many units of w
        words = {
            "gamma": np.rint(factors * 2.0**gamma_fraction).astype(np.int64),
            "epsilon": np.array(round(epsilon * n * 4.0 ** (source.fraction_bits + guard))),
            "shift": np.array(shift),
        }
        w_bits = ((_largest_sum(n, source) << 2 * guard) + int(words["epsilon"])).bit_length()
        bound = _largest_z(root_bits, fraction) << (gamma_bits - 1)
        acc_bits = max(accumulator_bits(-bound, bound), shift)
        operator = RmsNorm(
            tokens, n, lanes, source, max(-(-w_bits // 2), root_bits), guard, root_bits, fraction, gamma_bits, acc_bits,
            result, max(1, acc_bits.bit_length()), DEEPEST,
        )  # fmt: skip
        operator.require(
            shift >= 0, f"a result with {target.fraction_bits} fraction bits is finer than its exact value"
        )
        return operator, words

    @property
    def blocks(self) -> int:
        """Beats per token."""
        return self.features // self.lanes

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, self.features, self.lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.features, self.lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {**self._widths, "Stages": self._steps.registers}

    @property
    def _widths(self) -> Mapping[str, int]:
        largest_z = _largest_z(self.root_bits, self.fraction_bits)
        return {
            "Lanes": self.lanes,
            "Blocks": self.blocks,
            "InWidth": self.source.bits,
            "InSigned": int(self.source.signed),
            "SquareWidth": _largest_sum(self.features, self.source).bit_length(),
            "HalfWidth": self.half_bits,
            "Guard": self.guard,
            "RootBits": self.root_bits,
            "Fraction": self.fraction_bits,
            "ZWidth": accumulator_bits(-largest_z, largest_z),
            "GammaWidth": self.gamma_bits,
            "AccWidth": self.acc_bits,
            "ShiftWidth": self.shift_bits,
            **self.result.rtl_parameters(),
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        x = inputs["in"].elements.astype(np.int64)
        half, root = self.half_bits, self.root_bits
        w = ((x * x).sum(axis=-1, keepdims=True) << (2 * self.guard)) + contents["epsilon"]
        zero_pairs = np.full(w.shape, half - 1 - self.guard)
        for pair in range(self.guard + 1, half):
            zero_pairs -= (w >> (2 * pair)) != 0
        # Below 2**48 the float64 root never rounds up to an integer: its floor is exact.
        s = np.sqrt(((w << (2 * zero_pairs)) >> (2 * (half - root))).astype(np.float64)).astype(np.int64)
        s = np.maximum(s, 1)  # 0 only where all elements are, and the factor does not matter
        factor = (1 << (2 * root - 1)) // s
        shift = root - 1 + half - self.guard - zero_pairs - self.fraction_bits
        z = (x * factor + np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)) >> shift
        return {"out": Words(self.result.apply(z * contents["gamma"], contents["shift"]))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {
            "gamma": MemoryImage(contents["gamma"].reshape(-1, self.lanes), self.gamma_bits),
            "epsilon": MemoryImage(contents["epsilon"].reshape(1, 1), 2 * self.half_bits),
            "shift": MemoryImage(contents["shift"].reshape(1, 1), self.shift_bits),
        }

    def cycles(self) -> Cycles:
        return self._steps.cycles(self.tokens)

    def bill(self) -> Bill:
        p, lanes, x = self.rtl_parameters(), self.lanes, self.source.bits
        # Words of one bit only gate the factor.
        x = 1 if x == 1 else x + (not self.source.signed)
        products = (
            Multipliers(lanes, x, x),
            Multipliers(lanes, x, self.root_bits + 2),
            Multipliers(lanes, p["ZWidth"], self.gamma_bits),
        )
        return self._steps.bill(products)

    @property
    def _steps(self) -> Normalization:
        parameters = {"SumWidth": 1, "NumWidth": self.source.bits + 1, **self._widths}
        return Normalization(False, self.lanes, self.blocks, parameters, self.result, self.stages)

    def held(self, port: str) -> Fraction:
        return self._steps.held() / self.tokens


def _largest_sum(n: int, source: IntFormat) -> int:
    """The largest ``sum(x*x)``."""
    return n * max(source.minimum**2, source.maximum**2)


def _largest_z(root_bits: int, fraction_bits: int) -> int:
    """Bound of ``|z|``: no element is larger than the root of the sum; the root errs downwards."""
    return ceil((1.0 + 4.0 * 2.0**-root_bits) * 2.0**fraction_bits) + 1
