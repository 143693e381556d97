"""Which operators are mapped: of whole designs, at random, and large ones."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from calibration.rows import key
from hwgen.hardware.operator import Operator, accumulator_bits
from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.platform import Platform
from hwgen.hardware.streams import StreamType
from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.model.load import import_file
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, Overflow
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.registry import OPERATORS, cases
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.networks import random_candidate, random_network
from tests.models.cache import ModelFixture
from tests.models.digits import digits_cnn
from tests.models.mnist_conv import mnist_conv

CONSTANTS = 1024  # elements: Yosys takes minutes to unroll a larger memory of constants that is no block RAM
PAYLOAD_BITS = 1000  # of all streams of a small operator
DRAWN_OF_A_DESIGN = 3
PLATFORM = Platform.connected("chain", ("a", "b"), bandwidth_gbps=10, latency_ns=40, clock_mhz=300)


class Draw(NamedTuple):
    """An operator to map and its constants; see ``rows.Row``."""

    operator: Operator
    contents: dict[str, Array]
    source: str
    held_out: bool


def plan() -> Iterator[list[Draw]]:
    """All draws in groups that are mapped together, the most informative ones first."""
    seen: set[str] = set()
    fit, shown, held = _designs(0, False, seen), _designs(2001, False, seen), _designs(3001, True, seen)
    adapters, large, drawn = _adapters(), _large(), _random(seen)
    yield from _groups(fit, 5, 8)
    yield from _groups(shown, 4, 8)  # were held out, until they had shown what the terms lacked
    yield from _groups(drawn, 4, 8)
    yield from _groups(held, 4, 8)
    yield from _groups(large, 7, 1)
    for _ in range(12):
        yield from _groups(adapters, 2, 6)
        yield from _groups(large, 2, 1)
        yield from _groups(fit, 1, 8)
        yield from _groups(held, 1, 8)
        yield from _groups(drawn, 1, 8)
    yield from _groups(adapters, 99, 8)
    yield from _groups(large, 99, 1)


def _groups(source: Iterator[Draw], count: int, size: int) -> Iterator[list[Draw]]:
    for _ in range(count):
        if group := list(itertools.islice(source, size)):
            yield group


def _designs(first: int, held_out: bool, seen: set[str]) -> Iterator[Draw]:
    """A few operators of each of many designs with random formats, lanes and cuts; few of the common small ones."""
    found: Counter[str] = Counter()
    for seed in itertools.count(first, 2):
        rng = np.random.default_rng(seed)
        graph = _GRAPHS[seed // 2 % len(_GRAPHS)](seed)
        weight = str(rng.choice(["int1", "int2", "int3", "int4", "int5", "int6", "int8"]))
        sample = random_candidate(graph, seed, devices=1 + seed // 2 % 2, weight=weight)
        instances = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM).instances
        for index in rng.permutation(len(instances))[:DRAWN_OF_A_DESIGN]:
            draw = Draw(instances[index].operator, dict(instances[index].contents), "designs", held_out)
            common = found[draw.operator.module] > 2 + found.total() // 8 and draw.operator.module != "dse_matvec"
            if not common and _is_small_and_new(draw, seen):
                found[draw.operator.module] += 1
                yield draw


def _imported(fixture: Callable[[], ModelFixture]) -> Callable[[int], Graph]:
    return lambda seed: import_file(fixture().onnx).graph


_GRAPHS: tuple[Callable[[int], Graph], ...] = (
    random_network,
    _imported(digits_cnn),
    lambda seed: transformer(seed, 8 + seed % 9, 1 + seed % 2),
    _imported(mnist_conv),
)


def _random(seen: set[str]) -> Iterator[Draw]:
    """Conformance cases of every operator in turn; every fourth round is held out."""
    for round_number in itertools.count():
        for name in OPERATORS:
            rng = np.random.default_rng([3, round_number])
            pool = list(cases(name, "full", rng))
            for index in rng.permutation(len(pool)):
                case = pool[index]
                draw = Draw(case.operator, dict(case.contents), "random", round_number % 4 == 3)
                if _is_small_and_new(draw, seen):
                    yield draw
                    break


def _is_small_and_new(draw: Draw, seen: set[str]) -> bool:
    operator = draw.operator
    size = sum(stream.payload_bits for stream in (*operator.inputs.values(), *operator.outputs.values()))
    constants = sum(np.size(value) for value in draw.contents.values())
    # An accumulator whose sum wraps is trimmed to the bits that a constant shift leaves: no parameter tells.
    wraps = operator.rtl_parameters().get("Overflow") == Overflow.WRAP
    new = key(operator) not in seen
    if not (new and size <= PAYLOAD_BITS and constants <= CONSTANTS and not wraps):
        return False
    seen.add(key(operator))
    return True


def _adapters() -> Iterator[Draw]:
    """Adapters up to 128 units on a side; (input lanes, output lanes, bits, held out)."""
    shapes = [
        (1, 3, 8, False), (1, 6, 8, False), (1, 8, 4, False), (1, 12, 4, False), (3, 1, 8, False), (5, 1, 8, False),
        (6, 1, 8, False), (8, 1, 8, False), (10, 1, 8, False), (14, 1, 4, False), (2, 3, 8, False), (3, 2, 8, False),
        (4, 3, 8, False), (5, 4, 6, False), (3, 8, 6, False), (8, 3, 6, False), (5, 8, 4, False), (9, 2, 6, False),
        (2, 5, 8, False), (7, 2, 6, False), (64, 1, 8, False), (1, 16, 8, False), (16, 4, 8, False), (3, 5, 8, False),
        (1, 64, 4, False), (32, 2, 6, False), (2, 9, 5, False), (32, 1, 4, False), (1, 32, 6, False),
        (9, 4, 6, False), (12, 1, 8, False), (128, 1, 8, False), (16, 1, 8, False), (64, 8, 4, False),
        (1, 8, 8, False), (25, 1, 5, False), (1, 128, 8, False), (24, 9, 6, False), (4, 32, 4, False),
        (128, 1, 4, False), (7, 9, 8, False), (2, 48, 6, False), (48, 1, 2, False), (10, 64, 4, False),
        (20, 1, 12, False), (1, 3, 12, False), (13, 1, 8, True), (1, 5, 8, True), (4, 7, 6, True), (6, 5, 5, True),
        (1, 40, 6, True), (56, 1, 6, True), (8, 1, 4, False), (6, 10, 4, False), (36, 1, 8, True), (15, 2, 3, True),
        (1, 24, 8, False), (1, 32, 8, False), (2, 11, 6, True), (12, 5, 4, True), (1, 9, 6, True), (7, 1, 6, True),
        (24, 1, 8, False), (32, 1, 8, False), (40, 1, 6, False), (16, 3, 6, False), (3, 16, 6, False),
        (11, 6, 4, False), (24, 5, 4, False), (5, 24, 4, False), (32, 3, 4, False), (3, 32, 4, False),
        (64, 5, 4, False), (2, 15, 4, False),
    ]  # fmt: skip
    for first, later, bits, held_out in shapes:
        stream = StreamType(1, first * later, first, IntFormat(bits, True))
        yield Draw(Adapter(stream, later), {}, "adapters", held_out)


def _large() -> Iterator[Draw]:
    """Products of up to 1,024 MACs a cycle; tables of narrow ones take the mapper minutes, so they come last."""
    for lanes, blocks, source, weight, held_out in (
        ((8, 8), (16, 32), 8, 8, False), ((16, 8), (16, 32), 8, 8, True), ((16, 16), (16, 32), 8, 8, False),
        ((32, 32), (16, 32), 8, 8, True), ((8, 16), (8, 8), 8, 4, True), ((8, 8), (4, 4), 4, 4, False),
        ((32, 32), (16, 32), 8, 4, False), ((64, 4), (16, 16), 8, 8, False), ((16, 8), (4, 4), 4, 4, True),
        ((16, 16), (4, 4), 4, 4, False), ((32, 32), (16, 32), 4, 4, False), ((16, 32), (16, 32), 4, 4, True),
    ):  # fmt: skip
        yield _matvec(lanes, blocks, source, weight, held_out)
        if lanes[0] in (8, 16, 32) and source == weight:
            yield _matmul(lanes, source, held_out)


def _matvec(lanes: tuple[int, int], blocks: tuple[int, int], source: int, weight: int, held_out: bool) -> Draw:
    rng = np.random.default_rng([*lanes, source, weight])
    features, outputs = lanes[0] * blocks[0], lanes[1] * blocks[1]
    low, high = -(1 << (weight - 1)), (1 << (weight - 1)) - 1
    bound = features << (source + weight - 2)
    bits = accumulator_bits(-bound, bound)
    operator = Matvec(
        1, 1, features, outputs, *lanes, IntFormat(source, True), IntFormat(weight, True), bits,
        Requantize(IntFormat(8, True)), bits.bit_length(), True,
    )  # fmt: skip
    contents = {
        "weight": rng.integers(low, high + 1, (1, outputs, features)),
        "bias": rng.integers(-bound // 4, bound // 4, (1, outputs)),
        "shift": np.array(bits - 9),
    }
    return Draw(operator, contents, "large", held_out)


def _matmul(lanes: tuple[int, int], bits: int, held_out: bool) -> Draw:
    source = IntFormat(bits, True, bits - 1)
    shape = (16, 1, 4 * lanes[0], 4 * lanes[1])
    operator, contents = Matmul.design(shape, True, lanes, source, source, Requantize(IntFormat(8, True, 4)))
    return Draw(operator, contents, "large", held_out)
