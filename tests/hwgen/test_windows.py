"""Convolutions and pools in integers against the definitions of torch, exactly or within the documented bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from hwgen.errors import IllegalParameters
from hwgen.hardware.design import Design, Endpoint, Instance, Stream, run_reference, verify_design
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.reduce import AveragePool, Depthwise, MaxPool, average_contents, pool_divisors
from hwgen.hardware.operators.window import Axis, Window, matvec_weights
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import simulate

S5 = IntFormat(5, True)
WIDE = Requantize(IntFormat(24, True))
SAMPLES = 3

# rows, columns, channels, outputs, groups, lanes
CONVOLUTIONS = [
    (Axis(6, 3, 1, 1, 1, 1), Axis(5, 3, 1, 1, 1, 1), 4, 6, 1, 2),
    (Axis(9, 3, 2, 2, 2, 1), Axis(8, 2, 3, 3, 0, 2), 6, 4, 2, 3),
    (Axis(7, 1, 2, 1, 0, 0), Axis(7, 5, 1, 1, 3, 0), 6, 9, 3, 1),
    (Axis(1), Axis(17, 4, 2, 3, 5, 1), 3, 2, 1, 3),
    (Axis(4, 4), Axis(3, 3), 8, 5, 1, 4),
]


def random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(S5.minimum, S5.maximum + 1, shape)


def image(pixels: np.ndarray) -> torch.Tensor:
    """(samples, rows, columns, channels) integers as a batch of exact float images."""
    return torch.from_numpy(pixels.astype(np.float64)).permute(0, 3, 1, 2)


def stream(images: torch.Tensor) -> np.ndarray:
    """A batch of images as (samples, tokens, channels)."""
    return images.permute(0, 2, 3, 1).flatten(1, 2).numpy()


def padded(pixels: np.ndarray, rows: Axis, columns: Axis, value: float = 0.0) -> torch.Tensor:
    return functional.pad(image(pixels), (columns.before, columns.after, rows.before, rows.after), value=value)


def convolution(
    rng: np.random.Generator, case: tuple[Axis, Axis, int, int, int, int]
) -> tuple[Design, Words, np.ndarray]:
    """Window and product as a design, its input, and what torch makes of it."""
    rows, columns, channels, outputs, groups, lanes = case
    weight = random(rng, outputs, rows.kernel, columns.kernel, channels // groups)
    bias = rng.integers(-100, 101, outputs)
    window = Window(rows, columns, channels, lanes, S5)
    features = window.kernel_positions * channels // groups
    product = Matvec(
        window.outputs["out"].tokens, groups, features, outputs // groups, lanes, 1, S5, S5, 24, WIDE, 1, True, DEEPEST
    )
    contents = {
        "weight": matvec_weights(weight, groups, lanes), "bias": bias.reshape(groups, -1), "shift": np.array(0),
    }  # fmt: skip
    design = Design(
        "convolution",
        (Instance("u_window", window), Instance("u_product", product, contents)),
        (
            Stream("x", window.inputs["in"], None, Endpoint("u_window", "in")),
            Stream("w", window.outputs["out"], Endpoint("u_window", "out"), Endpoint("u_product", "in")),
            Stream("y", product.outputs["out"], Endpoint("u_product", "out"), None),
        ),
    )
    verify_design(design)
    pixels = random(rng, SAMPLES, rows.size, columns.size, channels)
    expected = functional.conv2d(
        padded(pixels, rows, columns),
        image(weight),
        torch.from_numpy(bias.astype(np.float64)),
        (rows.stride, columns.stride),
        0,
        (rows.dilation, columns.dilation),
        groups,
    )
    return design, Words(pixels.reshape(SAMPLES, -1, channels)), stream(expected)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_window_and_product_are_a_convolution(case: tuple[Axis, Axis, int, int, int, int]) -> None:
    design, words, expected = convolution(np.random.default_rng(1), case)
    assert np.array_equal(run_reference(design, {"x": words})["y"].elements, expected)


def test_the_simulated_hardware_is_a_convolution(build_cache: BuildCache) -> None:
    design, words, expected = convolution(np.random.default_rng(2), CONVOLUTIONS[1])
    result = simulate(design, {"x": words}, build_cache)
    assert result.exact
    assert result.compared_words == expected.size


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_depthwise_convolution(case: tuple[Axis, Axis, int, int, int, int]) -> None:
    rows, columns, channels, _, _, lanes = case
    rng = np.random.default_rng(3)
    weight, bias = random(rng, channels, rows.kernel, columns.kernel), rng.integers(-100, 101, channels)
    window = Window(rows, columns, channels, lanes, S5)
    depthwise = Depthwise(
        window.outputs["out"].tokens, window.kernel_positions, channels, lanes, S5, False, WIDE, 1, DEEPEST,
        weight=S5, sum_bits=24, one_shift=True,
    )  # fmt: skip
    pixels = random(rng, SAMPLES, rows.size, columns.size, channels)
    windows = window.reference({"in": Words(pixels.reshape(SAMPLES, -1, channels))}, {})["out"]
    contents = {"weight": weight.reshape(channels, -1), "bias": bias, "shift": np.array(0)}
    expected = functional.conv2d(
        padded(pixels, rows, columns), torch.from_numpy(weight[:, None].astype(np.float64)),
        torch.from_numpy(bias.astype(np.float64)), (rows.stride, columns.stride), 0,
        (rows.dilation, columns.dilation), channels,
    )  # fmt: skip
    assert np.array_equal(depthwise.reference({"in": windows}, contents)["out"].elements, stream(expected))


def test_max_pool_pads_with_the_minimum() -> None:
    rows, columns = Axis(7, 3, 2, 1, 1, 1), Axis(6, 2, 1, 2, 1, 0)
    pixels = random(np.random.default_rng(4), SAMPLES, 7, 6, 4) - 8
    words = Words(np.clip(pixels, -16, 15).reshape(SAMPLES, -1, 4))
    window = Window(rows, columns, 4, 2, S5, S5.minimum)
    pool = MaxPool(window.outputs["out"].tokens, 6, 4, 2, S5, False, Requantize(S5), 1, DEEPEST)
    got = pool.reference({"in": window.reference({"in": words}, {})["out"]}, {"shift": np.array(0)})["out"]
    images = padded(np.clip(pixels, -16, 15), rows, columns, -np.inf)
    expected = functional.max_pool2d(images, (3, 2), (2, 1), 0, (1, 2))
    assert np.array_equal(got.elements, stream(expected))


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("include_pad", [False, True])
@pytest.mark.parametrize(("bits", "gain"), [(8, 0), (12, 3), (16, -1)])
def test_average_pool_is_within_its_bound(ceil_mode: bool, include_pad: bool, bits: int, gain: int) -> None:
    pixels = random(np.random.default_rng(5), SAMPLES, 8, 9, 2)
    expected = functional.avg_pool2d(image(pixels), (3, 2), (2, 3), (1, 1), ceil_mode, include_pad)
    rows, columns = (
        Axis(size, kernel, stride, 1, 1, (outputs - 1) * stride + kernel - size - 1)
        for size, kernel, stride, outputs in zip((8, 9), (3, 2), (2, 3), expected.shape[2:], strict=True)
    )
    divisors = np.multiply.outer(*(pool_divisors(axis, 1, include_pad) for axis in (rows, columns))).ravel()
    contents = average_contents(divisors, bits, gain)
    window = Window(rows, columns, 2, 1, S5)
    pool = AveragePool(
        window.outputs["out"].tokens, 6, 2, 1, S5, False, Requantize(IntFormat(12, True)), 5, DEEPEST,
        multiplier_bits=bits, per_token=True,
    )  # fmt: skip
    windows = window.reference({"in": Words(pixels.reshape(SAMPLES, -1, 2))}, {})["out"]
    got = pool.reference({"in": windows}, contents)["out"].elements
    exact = stream(expected) * 2.0**gain
    bound = 0.5 + np.abs(exact) / (2 * contents["multiplier"].min())
    assert contents["multiplier"].max() >= 2 ** (bits - 1)
    assert (np.abs(got - exact) <= bound + 1e-9).all()


def test_a_whole_sample_is_averaged_without_a_window() -> None:
    pixels = random(np.random.default_rng(6), SAMPLES, 4, 4, 6)
    pool = AveragePool(
        1, 16, 6, 3, S5, True, Requantize(IntFormat(9, True)), 5, DEEPEST, multiplier_bits=8, per_token=False
    )  # fmt: skip
    contents = average_contents(np.array(16), 8, 4)
    got = pool.reference({"in": Words(pixels.reshape(SAMPLES, 16, 6))}, contents)["out"].elements
    assert np.array_equal(got[:, 0], pixels.sum(axis=(1, 2)))  # a divisor that is a power of two is exact


def test_a_gain_beyond_the_multiplier_is_refused() -> None:
    with pytest.raises(ValueError, match="bits"):
        average_contents(np.array(1), 4, 9)


def test_the_buffer_holds_no_more_rows_than_it_needs() -> None:
    kernel = Axis(56, 3, 1, 1, 1, 1)
    assert Window(kernel, kernel, 64, 8, S5).buffer_rows <= 4
    half = Axis(112, 2, 2)
    assert Window(half, half, 64, 16, S5).buffer_rows <= 4
    # A one-dimensional grid is buffered by positions, not as one long row.
    assert Window(Axis(1), Axis(1000, 3, 1, 1, 1, 1), 4, 4, S5).buffer_rows <= 8


@pytest.mark.parametrize(
    ("rows", "channels", "lanes", "pad"),
    [(Axis(3, 5), 4, 2, 0), (Axis(3), 4, 3, 0), (Axis(3), 4, 2, 16), (Axis(3, stride=0), 4, 2, 0)],
)
def test_illegal_windows_are_refused(rows: Axis, channels: int, lanes: int, pad: int) -> None:
    with pytest.raises(IllegalParameters):
        Window(rows, Axis(3), channels, lanes, S5, pad)
