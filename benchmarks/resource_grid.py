"""Synthesise configurations of operators with Yosys and append the cell counts to hwgen/resource_data.

Usage: python -m benchmarks.resource_grid OPERATOR... designs [--rows 40]

An operator's name draws random configurations of it, all for the fit. ``designs`` draws operators of whole designs with
random formats, lanes and cuts, some for the fit, others held out. A row that is already in its file is not synthesised
again, so an interrupted run continues.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import IllegalParameters, ToolError
from hwgen.hardware.operator import Operator, accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.platform import Platform
from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.model.load import import_file
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, MxFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from hwgen.synthesis.yosys import synthesize_operators
from tests.hwgen.conformance.registry import OPERATORS, cases
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.networks import random_candidate, random_network
from tests.models.cache import ModelFixture
from tests.models.digits import digits_cnn
from tests.models.mnist_conv import mnist_conv

DATA = Path(__file__).parents[1] / "hwgen" / "resource_data"
CONSTANTS = 1024  # elements: Yosys takes minutes to unroll a larger memory of constants that is no block RAM
POOLS = 40  # sets of conformance cases that a split is drawn from: few operators have that many distinct ones
DRAWN_OF_A_DESIGN = 3
# First seed of designs, rows, held out. The second one was held out too, until it had shown what the terms lacked.
DESIGN_STREAMS = ((0, 100, False), (1, 70, False), (1001, 60, True))
PLATFORM = Platform.connected("chain", ("left", "right"), bandwidth_gbps=10, latency_ns=40, clock_mhz=300)
Sample = tuple[Operator, dict[str, Array]]
Row = tuple[str, bool, Sample]  # operator's name, held out, configuration


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
        if in_lanes * out_lanes * in_blocks * out_blocks * groups * weight.element_bits > 3000 and rng.random() < 0.7:
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
    bound = source.largest_magnitude * weight.largest_magnitude * features[0]
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


def draws(name: str, stream: int) -> Iterator[Sample]:
    """Random configurations of an operator, the same ones on every machine; streams are independent of one another."""
    if name == "matvec":
        yield from matvecs(np.random.default_rng([stream, 0]))
    for seed in range(POOLS):
        rng = np.random.default_rng([stream, seed])
        pool = list(cases(name, "full", rng))
        for index in rng.permutation(len(pool)):
            yield pool[index].operator, dict(pool[index].contents)


def design_draws(first: int) -> Iterator[tuple[str, Sample]]:
    """A few operators of each of many designs with random formats, lanes and cuts."""
    names = {next(iter(cases(name, "quick"))).operator.module: name for name in OPERATORS}
    names |= {"dse_fork2": "fork", "dse_fork3": "fork", "dse_fork4": "fork"}
    for seed in itertools.count(first, 2):
        rng = np.random.default_rng(seed)
        graph = _GRAPHS[seed // 2 % len(_GRAPHS)](seed)
        weight = str(rng.choice(["int1", "int2", "int3", "int4", "int5", "int6", "int8"]))
        sample = random_candidate(graph, seed, devices=1 + seed // 2 % 2, weight=weight)
        instances = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM).instances
        for index in rng.permutation(len(instances))[:DRAWN_OF_A_DESIGN]:
            yield names[instances[index].operator.module], (instances[index].operator, dict(instances[index].contents))


def _imported(fixture: Callable[[], ModelFixture]) -> Callable[[int], Graph]:
    return lambda seed: import_file(fixture().onnx).graph


_GRAPHS: tuple[Callable[[int], Graph], ...] = (
    random_network,
    _imported(digits_cnn),
    lambda seed: transformer(seed, 8 + seed % 9, 1 + seed % 2),
    _imported(mnist_conv),
)


def plan(names: Sequence[str], count: int, payload_bits: int) -> list[Row]:
    """The first distinct configurations of each operator: four of five from one stream, the rest from a second one."""
    rows: list[Row] = []
    for name in names:
        seen: set[str] = set()
        for stream, share in enumerate((count * 4 // 5, count - count * 4 // 5)):
            samples = ((name, sample) for sample in draws(name, stream))
            rows += [(n, False, s) for n, s in itertools.islice(_unseen(samples, seen, payload_bits), share)]
    return rows


def plan_designs(payload_bits: int) -> list[Row]:
    """Distinct operators of designs; of one kind at most a tenth of a stream, matrix-vector products as they come."""
    rows: list[Row] = []
    seen: set[str] = set()
    for first, count, held_out in DESIGN_STREAMS:
        found: Counter[str] = Counter()
        for name, sample in _unseen(design_draws(first), seen, payload_bits):
            if found[name] < count // 10 or name == "matvec":
                found[name] += 1
                rows.append((name, held_out, sample))
            if found.total() == count:
                break
    return rows


def collect(wanted: Sequence[Row], seconds: float, directory: Path) -> None:
    """Synthesise the wanted rows that the files of the operators lack; one that takes too long is left out."""
    for name, held_out, (operator, contents) in wanted:
        path = directory / f"{name}.json"
        parameters = operator.describe()["parameters"]
        if any(row["parameters"] == parameters for row in read_rows(path)):
            continue
        try:
            found = synthesize_operators([(operator, contents)], seconds)[0].resources
        except ToolError as error:
            print(name, "left out:", error, parameters, flush=True)
            continue
        counts = {"lut": found.lut, "ff": found.ff, "dsp": found.dsp, "bram18": found.bram18}
        rows = [*read_rows(path), {**operator.describe(), "held_out": held_out, **counts}]
        path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        print(name, "held out" if held_out else "fit", found, flush=True)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of one operator's file; none if there is no file yet."""
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return rows


def _unseen(samples: Iterator[tuple[str, Sample]], seen: set[str], payload_bits: int) -> Iterator[tuple[str, Sample]]:
    """The samples with new RTL parameters, at most ``payload_bits`` in all streams, few constants, and saturation."""
    for name, (operator, contents) in samples:
        key = json.dumps([operator.module, operator.describe()["parameters"]])
        size = sum(stream.payload_bits for stream in (*operator.inputs.values(), *operator.outputs.values()))
        constants = sum(np.size(value) for value in contents.values())
        # An accumulator whose sum wraps is trimmed to the bits that a constant shift leaves: no parameter tells.
        wraps = operator.rtl_parameters().get("Overflow") == Overflow.WRAP
        if key not in seen and size <= payload_bits and constants <= CONSTANTS and not wraps:
            seen.add(key)
            yield name, (operator, contents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="+", choices=[*OPERATORS, "designs"])
    parser.add_argument("--rows", type=int, default=40, help="rows of each operator")
    parser.add_argument("--payload-bits", type=int, default=1000, help="largest sum of the payloads of all streams")
    parser.add_argument("--seconds", type=float, default=300.0, help="longest mapping of one configuration")
    parser.add_argument("--directory", type=Path, default=DATA)
    arguments = parser.parse_args()
    names = [name for name in arguments.operators if name != "designs"]
    grid = plan(names, arguments.rows, arguments.payload_bits)
    if "designs" in arguments.operators:
        grid += plan_designs(arguments.payload_bits)
    collect(grid, arguments.seconds, arguments.directory)


if __name__ == "__main__":
    main()
