"""Sliding windows: odd grids, kernels, strides, dilations, uneven padding, one-dimensional grids, shared exponents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.window import Axis, Window
from hwgen.numbers.formats import Format, IntFormat, MxFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_window.sv", "col_q < write_col_q))", "col_q <= write_col_q))", "reads a beat before it is written"),
    Mutation("dse_window.sv", "space_q <= SpaceWidth'(Rows);", "space_q <= SpaceWidth'(Rows + 1);", "a row too many"),
    Mutation("dse_window.sv", "read_pad_q  <= !next_in_grid_q", "read_pad_q  <= 1'b0", "padding reads the buffer"),
    Mutation("dse_window.sv", "{Lanes{ElementWidth'(PadElement)}}", "{Lanes{ElementWidth'(0)}}", "pad element lost"),
    Mutation("dse_window.sv", "StrideW * Blocks - Blocks + 1);\n        col_first", "StrideW * Blocks - Blocks);\n"
             "        col_first", "address off by one", ),
    Mutation("dse_window.sv", "oy_end ? SampleStep : OutStep);\n        row_first", "OutStep);\n        row_first",
             "buffer not turned at the end of a sample"),
    Mutation("dse_window.sv", "rows_above(y_first_q, StrideH)", "rows_above(y_first_q, StrideH + 1)",
             "row freed early"),
    Mutation("dse_window.sv", "next_valid_q && !stall && (", "next_valid_q && (", "beats lost while stalled"),
)  # fmt: skip


def window(
    rng: np.random.Generator, rows: Axis, columns: Axis, channels: int, lanes: int, kind: Format, pad: int = 0
) -> Case:
    """A case with random words."""
    operator = Window(rows, columns, channels, lanes, kind, pad)
    return Case(operator, {}, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each kind of geometry once. Full: widths x lanes, and random geometries."""
    s8 = IntFormat(8, True)
    yield window(rng, Axis(7, 3, 1, 1, 1, 1), Axis(5, 3, 1, 1, 1, 1), 6, 3, s8)
    yield window(rng, Axis(9, 2, 2), Axis(11, 2, 2), 4, 4, s8, -128)
    yield window(rng, Axis(8, 3, 2, 2, 0, 3), Axis(6, 2, 3, 3, 2, 1), 3, 1, IntFormat(5, True), -16)
    yield window(rng, Axis(1), Axis(13, 5, 1, 1, 2, 2), 4, 2, IntFormat(16, True))
    yield window(rng, Axis(4, 4), Axis(5, 5), 2, 1, IntFormat(1, False))
    yield window(rng, Axis(5, 1, 2), Axis(4, 1, 3), 2, 2, IntFormat(3, True))
    yield window(rng, Axis(1, 3, 1, 1, 1, 1), Axis(1, 3, 1, 1, 1, 1), 7, 7, IntFormat(7, True))
    yield window(rng, Axis(5, 3, 1, 1, 1, 1), Axis(4, 3, 1, 1, 1, 1), 32, 32, MxFormat(4, 16, 3))
    if level == "full":
        for bits in WIDTHS:
            for lanes in lane_choices(15):
                yield _random(rng, IntFormat(bits, bool(rng.integers(0, 2))), 15, lanes)
        for mantissa, block in ((2, 8), (5, 16), (8, 32)):
            for lanes in (1, 8, 64):
                yield _random(rng, MxFormat(mantissa, block, int(rng.integers(1, 5))), 64, lanes)
        for _ in range(40):
            channels = int(rng.integers(1, 7))
            yield _random(rng, s8, channels, int(rng.choice([d for d in range(1, channels + 1) if channels % d == 0])))


def _random(rng: np.random.Generator, kind: Format, channels: int, lanes: int) -> Case:
    pad = int(rng.choice([0, kind.minimum]))
    rows = Axis(1) if rng.random() < 0.2 else _axis(rng)
    return window(rng, rows, _axis(rng), channels, lanes, kind, pad)


def _axis(rng: np.random.Generator) -> Axis:
    while True:
        size, kernel, stride, dilation, before, after = (int(rng.integers(*r)) for r in
                                                         ((1, 11), (1, 5), (1, 4), (1, 4), (0, 3), (0, 3)))  # fmt: skip
        axis = Axis(size, kernel, stride, dilation, before, after)
        if axis.outputs >= 1 and size + before + after >= axis.span:
            return axis
