"""Synthesise random configurations of operators with Yosys and append the cell counts to hwgen/resource_data.

Usage: python -m benchmarks.resource_grid OPERATOR... [--train 32] [--held-out 8]

Each row holds the RTL parameters, the counted resources, and whether the row is held out from the fit. A row that is
already in the file is not synthesised again, so an interrupted run continues.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import IllegalParameters, ToolError
from hwgen.formats import Format, IntFormat, MxFormat, Overflow, Rounding
from hwgen.operators.base import Operator, accumulator_bits
from hwgen.operators.matvec import Matvec
from hwgen.operators.requantize import Requantize
from hwgen.streams import Array
from hwgen.synthesis import synthesize_operators
from tests.hwgen.conformance.registry import OPERATORS, cases

DATA = Path(__file__).parents[1] / "hwgen" / "resource_data"
CONSTANTS = 1024  # elements: Yosys takes minutes to unroll a larger memory of constants that is no block RAM
POOLS = 40  # sets of conformance cases that a split is drawn from: few operators have that many distinct ones
Sample = tuple[Operator, dict[str, Array]]


def matvecs(rng: np.random.Generator) -> Iterator[Sample]:
    """Matrix-vector products as lowering makes them: widths, lanes, blocks and formats mixed."""
    while True:
        in_lanes, out_lanes = (int(n) for n in rng.choice([1, 2, 3, 4, 5, 6, 8], 2))
        in_blocks, out_blocks = (int(n) for n in rng.choice([1, 2, 3, 4, 8, 12, 32], 2))
        groups = int(rng.choice([1, 1, 1, 2, 4]))
        if in_lanes * out_lanes > 16 or in_blocks * out_blocks * groups > 2048:
            continue
        source: Format = IntFormat(int(rng.choice([1, 2, 3, 4, 5, 6, 8, 8, 12, 16])), bool(rng.integers(0, 2)))
        weight: Format = IntFormat(int(rng.choice([1, 2, 3, 4, 5, 6, 8, 8, 12])), True)
        if rng.random() < 0.2:
            weight = MxFormat(int(rng.integers(2, 9)), 16, int(rng.integers(1, 4)))
            if rng.random() < 0.5:
                source = MxFormat(int(rng.integers(2, 9)), 16, int(rng.integers(1, 4)))
        # A memory of constants that is too small for block RAM takes Yosys minutes, so most are smaller still.
        if in_lanes * out_lanes * in_blocks * out_blocks * groups * _element_bits(weight) > 3000 and rng.random() < 0.7:
            continue
        features = in_lanes * in_blocks, out_lanes * out_blocks
        yield from _matvec(rng, groups, features, (in_lanes, out_lanes), source, weight)


def _matvec(
    rng: np.random.Generator,
    groups: int,
    features: tuple[int, int],
    lanes: tuple[int, int],
    source: Format,
    weight: Format,
) -> Iterator[Sample]:
    bound = _magnitude(source) * _magnitude(weight) * features[0]
    shared = bool(rng.integers(0, 2))
    target = IntFormat(int(rng.integers(2, 9)), bool(rng.integers(0, 2)))
    rounding = Rounding.HALF_UP if rng.random() < 0.8 else Rounding(int(rng.integers(0, 3)))
    acc_bits = max(accumulator_bits(-bound, bound), target.bits + 1)
    try:
        operator = Matvec(
            1, groups, *features, *lanes, source, weight, acc_bits, Requantize(target, rounding, Overflow.SATURATE),
            acc_bits.bit_length(), shared,
        )  # fmt: skip
    except IllegalParameters:
        return
    shape = (groups, features[1], features[0])
    shift_shape = () if shared else shape[:2]
    yield (
        operator,
        {
            "weight": rng.integers(-(1 << 15), 1 << 15, shape),
            "weight_exponent": rng.integers(0, 16, shape),
            "bias": rng.integers(-bound, bound + 1, shape[:2]),
            "shift": rng.integers(max(0, acc_bits - target.bits - 4), acc_bits - target.bits + 1, shift_shape),
        },
    )


def _element_bits(kind: Format) -> int:
    return kind.mantissa_bits if isinstance(kind, MxFormat) else kind.bits


def _magnitude(kind: Format) -> int:
    if isinstance(kind, MxFormat):
        return -kind.minimum << kind.max_exponent
    return max(-kind.minimum, kind.maximum)


def draws(name: str, held_out: bool) -> Iterator[Sample]:
    """Random configurations of an operator, the same ones on every machine; the splits are independent."""
    if name == "matvec":
        yield from matvecs(np.random.default_rng([held_out, 0]))
    for seed in range(POOLS):
        rng = np.random.default_rng([held_out, seed])
        pool = list(cases(name, "full", rng))
        for index in rng.permutation(len(pool)):
            yield pool[index].operator, dict(pool[index].contents)


def plan(name: str, wanted: Mapping[bool, int], payload_bits: int) -> list[tuple[str, bool, Sample]]:
    """The grid of one operator: the first distinct configurations of the fit (False), then those held out (True)."""
    seen: set[str] = set()
    return [
        (name, held_out, sample)
        for held_out, count in sorted(wanted.items())
        for sample in itertools.islice(_unseen(draws(name, held_out), seen, payload_bits), count)
    ]


def collect(
    names: Sequence[str], wanted: Mapping[bool, int], payload_bits: int, seconds: float, directory: Path
) -> None:
    """Synthesise the rows of the grid that the files of the operators lack; one that takes too long is left out."""
    missing = []
    for name in names:
        present = {json.dumps(row["parameters"]) for row in read_rows(directory / f"{name}.json")}
        grid = plan(name, wanted, payload_bits)
        missing += [(n, h, s) for n, h, s in grid if json.dumps(s[0].describe()["parameters"]) not in present]
    for name, held_out, (operator, contents) in missing:
        try:
            found = synthesize_operators([(operator, contents)], seconds)[0].resources
        except ToolError as error:
            print(name, "left out:", error, operator.describe()["parameters"], flush=True)
            continue
        counts = {"lut": found.lut, "ff": found.ff, "dsp": found.dsp, "bram18": found.bram18}
        path = directory / f"{name}.json"
        rows = [*read_rows(path), {**operator.describe(), "held_out": held_out, **counts}]
        path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        print(name, "held out" if held_out else "fit", found, flush=True)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of one operator's file; none if there is no file yet."""
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return rows


def _unseen(samples: Iterator[Sample], seen: set[str], payload_bits: int) -> Iterator[Sample]:
    """The samples with new RTL parameters, at most ``payload_bits`` in all streams, few constants, and saturation."""
    for operator, contents in samples:
        key = json.dumps(operator.describe()["parameters"])
        size = sum(stream.payload_bits for stream in (*operator.inputs.values(), *operator.outputs.values()))
        constants = sum(np.size(value) for value in contents.values())
        # An accumulator whose sum wraps is trimmed to the bits that a constant shift leaves: no parameter tells.
        wraps = operator.rtl_parameters().get("Overflow") == Overflow.WRAP
        if key not in seen and size <= payload_bits and constants <= CONSTANTS and not wraps:
            seen.add(key)
            yield operator, contents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="+", choices=OPERATORS)
    parser.add_argument("--train", type=int, default=32)
    parser.add_argument("--held-out", type=int, default=8)
    parser.add_argument("--payload-bits", type=int, default=1000, help="largest sum of the payloads of all streams")
    parser.add_argument("--seconds", type=float, default=300.0, help="longest mapping of one configuration")
    parser.add_argument("--directory", type=Path, default=DATA)
    arguments = parser.parse_args()
    wanted = {False: arguments.train, True: arguments.held_out}
    collect(arguments.operators, wanted, arguments.payload_bits, arguments.seconds, arguments.directory)


if __name__ == "__main__":
    main()
