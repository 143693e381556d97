"""Sliding window over a grid of feature vectors: the line buffer in front of convolution and pooling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format
from hwgen.technology.memories import Memory, WordRegister
from hwgen.technology.parts import Adders, Bill, Handshake, PositionCounter, Registers, SpillRegister, bits, counters


@dataclass(frozen=True)
class Axis:
    """One axis of a window.

    Attributes:
        size: grid positions.
        kernel: kernel positions.
        stride, dilation: steps of the window and within it.
        before, after: padding positions.
    """

    size: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self) -> int:
        """Grid positions from the first to the last kernel position."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        """Output positions."""
        return (self.size + self.before + self.after - self.span) // self.stride + 1

    @property
    def positions(self) -> Array:
        """``(outputs, kernel)`` grid positions read; outside ``[0, size)`` they are padding."""
        first = np.arange(self.outputs)[:, None] * self.stride - self.before
        positions: Array = first + np.arange(self.kernel) * self.dilation
        return positions

    @property
    def released(self) -> Array:
        """``(outputs + 1,)`` grid positions that are needed no more when an output position begins."""
        first = np.clip(np.arange(self.outputs) * self.stride - self.before, 0, self.size)
        return np.append(first, self.size)

    @property
    def live(self) -> int:
        """Most grid positions that one output position keeps in the buffer."""
        last = np.where(self.positions < self.size, self.positions, -1).max(axis=1)
        return max(1, int((last - self.released[:-1] + 1).max()))


@dataclass(frozen=True)
class Window(Operator):
    """Every output pixel's kernel window as one vector of ``channels * kernel_h * kernel_w`` features.

    The features are in the order (channel block, kernel row, kernel column, lane): channel ``block * lanes + lane``.
    Groups of channels therefore stay together where the lanes divide a group. Positions outside the grid hold
    ``pad_element`` (and exponents 0). ``matvec_weights`` brings convolution weights into the same order.

    Attributes:
        rows, columns: the grid and how the window moves; a one-dimensional grid has one row.
        channels: features of a pixel.
        lanes: elements per beat; they divide the channels.
        format: of the elements; shared exponents travel with each beat.
        pad_element: word outside the grid: 0, or the format's minimum before a maximum.
    """

    rows: Axis
    columns: Axis
    channels: int
    lanes: int
    format: Format
    pad_element: int = 0

    module = "dse_window"

    def __post_init__(self) -> None:
        self.require(self.channels % self.lanes == 0, f"lanes {self.lanes} divide the {self.channels} channels")
        low, high = self.format.minimum, self.format.maximum
        self.require(low <= self.pad_element <= high, f"the pad element {self.pad_element} is a word of the format")
        for axis in (self.rows, self.columns):
            least = min(axis.size, axis.kernel, axis.stride, axis.dilation, axis.before + 1, axis.after + 1)
            self.require(least >= 1, f"sizes and steps are positive, padding is not negative in {axis}")
            self.require(axis.size + axis.before + axis.after >= axis.span, f"the kernel fits into the grid in {axis}")

    @property
    def blocks(self) -> int:
        """Beats per grid position."""
        return self.channels // self.lanes

    @property
    def kernel_positions(self) -> int:
        """Beats per channel block of an output pixel."""
        return self.rows.kernel * self.columns.kernel

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.rows.size * self.columns.size, self.channels, self.lanes, self.format)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        features = self.channels * self.kernel_positions
        return {"out": StreamType(self.rows.outputs * self.columns.outputs, features, self.lanes, self.format)}

    @property
    def _buffered(self) -> tuple[Axis, Axis]:
        """The axes as the buffer sees them: a single row is a column of one-beat rows, so that it need not all fit."""
        flat = self.rows.size == self.rows.kernel == self.rows.outputs == 1
        return (self.columns, self.rows) if flat else (self.rows, self.columns)

    @property
    def buffer_rows(self) -> int:
        """Grid rows that the buffer holds: the fewest with which neither side waits for the other in steady state."""
        return _buffer_rows(*self._buffered, self.blocks)

    def rtl_parameters(self) -> Mapping[str, int]:
        rows, columns = self._buffered
        stream = self.inputs["in"]
        return {
            "GridRows": rows.size,
            "GridColumns": columns.size,
            "Blocks": self.blocks,
            "Lanes": self.lanes,
            "ElementWidth": stream.element_bits,
            "ExpWidth": stream.exponents_per_beat * stream.exponent_bits,
            "KernelH": rows.kernel,
            "KernelW": columns.kernel,
            "StrideH": rows.stride,
            "StrideW": columns.stride,
            "DilationH": rows.dilation,
            "DilationW": columns.dilation,
            "PadTop": rows.before,
            "PadLeft": columns.before,
            "OutRows": rows.outputs,
            "OutColumns": columns.outputs,
            "Rows": self.buffer_rows,
            "PadElement": self.pad_element,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        words = inputs["in"]
        elements = self._gather(words.elements, self.lanes, self.pad_element)
        if words.exponents is None:
            return {"out": Words(elements.reshape(words.samples, self.outputs["out"].tokens, -1))}
        exponents = self._gather(words.exponents, words.exponents.shape[-1], 0)
        shape = (words.samples, self.outputs["out"].tokens)
        return {"out": Words(elements.reshape(*shape, -1), exponents.reshape(*shape, -1, exponents.shape[-1]))}

    def _gather(self, values: Array, per_beat: int, pad: int) -> Array:
        """Beats in output order, ``(samples, rows, columns, blocks, kernel_h, kernel_w, per_beat)``."""
        rows, columns = self.rows, self.columns
        grid = values.reshape(values.shape[0], rows.size, columns.size, self.blocks, per_beat)
        margins = ((0, 0), (rows.before, _margin(rows)), (columns.before, _margin(columns)), (0, 0), (0, 0))
        padded = np.pad(grid, margins, constant_values=pad)
        shape = (len(grid), rows.outputs, columns.outputs, self.blocks, rows.kernel, columns.kernel, per_beat)
        windows = np.empty(shape, dtype=values.dtype)
        for ky in range(rows.kernel):
            for kx in range(columns.kernel):
                windows[:, :, :, :, ky, kx] = padded[:, _reads(rows, ky), _reads(columns, kx)]
        return windows

    def cycles(self) -> Cycles:
        rows, columns = self._buffered
        ends = _ends(rows, columns, self.blocks, self.buffer_rows)
        return Cycles(latency=ends[0] + 1, interval=ends[-1] - ends[-2])

    def bill(self) -> Bill:
        rows, columns = self._buffered
        payload = self.inputs["in"].payload_bits
        depth = self.buffer_rows * columns.size * self.blocks
        y, x = bits(_reach(rows)) + 1, bits(_reach(columns)) + 1
        column, address = bits(_reach(columns) * self.blocks) + 1, bits(2 * depth)
        grid = self.buffer_rows + rows.size
        memory = Memory(depth, payload, apart=True)
        return (
            memory,
            WordRegister(memory),
            *counters([rows.kernel, columns.kernel, self.blocks, rows.outputs, columns.outputs, grid]),
            *[PositionCounter(y)] * 3,
            *[PositionCounter(x)] * 2,
            *[PositionCounter(column)] * 3,
            Adders(6, address),
            # Where the next beat lies, and the rows that are free behind it.
            Registers(2 * address + y + column + bits(grid) + 3),
            SpillRegister(payload),
            Handshake(),
        )

    def held(self, port: str) -> Fraction:
        rows = self._buffered[0]
        # When output row r begins, the rows released so far and a full buffer have been taken in.
        taken = [Fraction(int(released) + self.buffer_rows, rows.size) for released in rows.released[:-1]]
        return max(t - Fraction(r, rows.outputs) for r, t in enumerate(taken)) + Fraction(3, self.outputs["out"].beats)


def _reads(axis: Axis, position: int) -> slice:
    """What one kernel position reads of the padded axis, over all outputs."""
    first = position * axis.dilation
    return slice(first, first + (axis.outputs - 1) * axis.stride + 1, axis.stride)


def _margin(axis: Axis) -> int:
    """Padding after the grid that is really read."""
    return max(0, int(axis.positions.max()) + 1 - axis.size)


def matvec_weights(weight: Array, groups: int, lanes: int) -> Array:
    """Convolution weights in the feature order of a ``Window`` of ``lanes``.

    Args:
        weight: ``(out_channels, kernel_h, kernel_w, in_channels // groups)``.
        groups: groups of channels.
        lanes: lanes of the window; they divide ``in_channels // groups``.

    Returns:
        ``(groups, out_channels // groups, in_features)``, the weights of a ``Matvec`` behind the window.
    """
    outputs, kernel_h, kernel_w, inputs = weight.shape
    split = weight.reshape(groups, outputs // groups, kernel_h, kernel_w, inputs // lanes, lanes)
    return split.transpose(0, 1, 4, 2, 3, 5).reshape(groups, outputs // groups, -1)


# ---- The exact schedule, row by row. Within one grid row the writer takes a beat every cycle, and the reader issues a
# beat at the latest of: the previous beat plus one, and the write of the beat that it reads plus one.


@cache
def _buffer_rows(rows: Axis, columns: Axis, blocks: int) -> int:
    beats = columns.outputs * blocks * columns.kernel * rows.kernel
    ideal = max(rows.size * columns.size * blocks, rows.outputs * beats)
    # A kernel as large as the grid needs a second sample's rows. A freed row is written, and read, cycles later, so
    # short rows need more of them in reserve.
    most = rows.live + max(rows.stride, rows.size) + -(-4 // (columns.size * blocks))
    found: dict[int, int] = {}
    for buffer_rows in range(rows.live, most + 1):
        ends = _ends(rows, columns, blocks, buffer_rows)
        found[buffer_rows] = max(b - a for a, b in zip(ends[-3:], ends[-2:], strict=False))
        if found[buffer_rows] == ideal:
            break
    return min(found, key=lambda r: (found[r], r))


@cache
def _ends(rows: Axis, columns: Axis, blocks: int, buffer_rows: int) -> tuple[int, ...]:
    """Cycle of the last output beat of some samples, the first input beat in cycle 0; the last samples are steady."""
    samples = 6 + 2 * -(-buffer_rows // rows.size)
    return tuple(_schedule(rows, columns, blocks, buffer_rows, samples))


def _schedule(rows: Axis, columns: Axis, blocks: int, buffer_rows: int, samples: int) -> Iterator[int]:
    row_beats = columns.size * blocks
    beats = columns.outputs * blocks * columns.kernel * rows.kernel
    lead = _lead(rows, columns, blocks)
    positions, released = rows.positions.tolist(), rows.released.tolist()
    written: list[int] = []  # cycle in which the first beat of each grid row enters, over all samples
    freed: list[tuple[int, int]] = [(buffer_rows, 0)]  # rows that may be written, and from which cycle on
    turn, end = 0, -1  # first entry of `freed` that admits the next row; cycle in which the last beat was issued

    def write_until(row: int) -> None:
        nonlocal turn
        while len(written) <= row:
            while freed[turn][0] <= len(written):
                turn += 1
            after = written[-1] + row_beats if written else 0
            written.append(max(after, freed[turn][1]))

    for sample in range(samples):
        first = sample * rows.size
        for output in range(rows.outputs):
            end += beats
            if output == 0:
                write_until(first)
                end = max(end, written[first] + beats)
            for ky, y in enumerate(positions[output]):
                if lead is not None and 0 <= y < rows.size:
                    write_until(first + y)
                    end = max(end, written[first + y] + lead - ky * columns.kernel + beats)
            freed.append((first + released[output + 1] + buffer_rows, end + 1))
        yield end + 2


def _lead(rows: Axis, columns: Axis, blocks: int) -> int | None:
    """Largest (beat within the grid row) - (beat within the output row) over the reads of the first kernel row."""
    x = columns.positions
    inside = (x >= 0) & (x < columns.size)
    if not inside.any():
        return None
    pixel, kx = np.indices(x.shape)
    per_pixel = blocks * rows.kernel * columns.kernel
    leads = [
        (x * blocks + block) - (pixel * per_pixel + block * rows.kernel * columns.kernel + kx)
        for block in (0, blocks - 1)
    ]
    return int(max(lead[inside].max() for lead in leads))


def _reach(axis: Axis) -> int:
    """Bound of the positions that the counters of an axis hold."""
    return axis.outputs * axis.stride + axis.kernel * axis.dilation + axis.before + axis.size
