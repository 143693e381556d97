"""Which operators are mapped: of whole designs, at random, and large ones."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import gcd
from typing import NamedTuple

import numpy as np

from calibration.rows import is_held_out, key
from hwgen.hardware.operator import Operator, accumulator_bits
from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
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
GENERATION = 6  # of the seeds: a new one draws operators that nobody has seen
PIPELINES = (
    "matvec", "matmul", "eltwise", "reduce", "cast", "embedding", "window", "softmax", "layer_norm", "rms_norm",
    "to_mx",
)  # fmt: skip
PLATFORM = Platform.connected("chain", ("a", "b"), bandwidth_gbps=10, latency_ns=40, clock_mhz=300)


class Draw(NamedTuple):
    """An operator to map and its constants; see ``rows.Row``."""

    operator: Operator
    contents: dict[str, Array]
    source: str


def plan() -> Iterator[list[Draw]]:
    """All draws in groups that are mapped together: those held out, those of the fit, the large ones."""
    yield from held_out()
    yield from fitted()
    yield from _groups(_large(), 99, 1)


def held_out() -> Iterator[list[Draw]]:
    """Operators of ordinary widths that the digest holds out: of every kind, of designs, adapters."""
    seen: set[str] = set()
    yield from _groups(_cases(OPERATORS, range(1), "cases", seen, True), 99, 8)
    yield from _groups(_designs(1000 * GENERATION + 1, seen, True), 2, 8)
    yield from _groups((draw for draw in _adapters() if is_held_out(draw.operator, draw.source)), 1, 6)


def fitted() -> Iterator[list[Draw]]:
    """Operators of designs, conformance cases of pipelines with few and many registers, adapters: not held out."""
    seen: set[str] = set()
    adapters = (draw for draw in _adapters() if not is_held_out(draw.operator, draw.source))
    designs = _designs(1000 * GENERATION + 2, seen, False)
    for first in range(10, 16, 2):
        yield from _groups(designs, 2, 8)
        yield from _groups(_cases(PIPELINES, range(first, first + 2), "cases", seen, False), 99, 8)
        yield from _groups(adapters, 1, 6)


def _groups(source: Iterator[Draw], count: int, size: int) -> Iterator[list[Draw]]:
    for _ in range(count):
        if group := list(itertools.islice(source, size)):
            yield group


def _designs(first: int, seen: set[str], held: bool) -> Iterator[Draw]:
    """A few operators of each of many designs with random formats, lanes and cuts; few of the common small ones."""
    found: Counter[str] = Counter()
    for seed in itertools.count(first, 2):
        rng = np.random.default_rng(seed)
        graph = _GRAPHS[seed // 2 % len(_GRAPHS)](seed)
        weight = str(rng.choice(["int1", "int2", "int3", "int4", "int5", "int6", "int8"]))
        sample = random_candidate(graph, seed, devices=1 + seed // 2 % 2, weight=weight)
        instances = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM).instances
        for index in rng.permutation(len(instances))[:DRAWN_OF_A_DESIGN]:
            draw = Draw(instances[index].operator, dict(instances[index].contents), "designs")
            common = found[draw.operator.module] > 2 + found.total() // 8 and draw.operator.module != "dse_matvec"
            if not common and is_held_out(draw.operator, draw.source) is held and _is_small_and_new(draw, seen):
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


def _cases(names: Sequence[str], rounds: Iterable[int], source: str, seen: set[str], held: bool) -> Iterator[Draw]:
    """In every round a conformance case of every operator whose words have the 3 to 12 bits that designs have."""
    for round_number, name in itertools.product(rounds, names):
        rng = np.random.default_rng([GENERATION, round_number])
        pool = list(cases(name, "full", rng))
        drawn = (pool[index] for index in rng.permutation(len(pool)))
        draws = (Draw(case.operator, dict(case.contents), source) for case in drawn)
        fit = (d for d in draws if is_held_out(d.operator, source) is held and _is_ordinary(d.operator))
        yield from itertools.islice((draw for draw in fit if _is_small_and_new(draw, seen)), 1)


def _is_ordinary(operator: Operator) -> bool:
    return all(3 <= s.element_bits <= 12 for s in (*operator.inputs.values(), *operator.outputs.values()))


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
    """Adapters from and to one unit, up to 128 on the other side, and between at most 16; lanes and bits at random."""
    extremes = [(128, 1, 8), (1, 128, 4), (128, 1, 6), (1, 128, 8), (96, 1, 5)]
    rng = np.random.default_rng(GENERATION)
    wide = [round(2**side) for side in rng.uniform(1, 7, 20)]
    one_sided = [(n, 1) if index % 2 else (1, n) for index, n in enumerate(wide)]
    both = [(int(i), int(o)) for i, o in rng.integers(2, 17, (16, 2)) if gcd(int(i), int(o)) == 1]
    drawn = [(*shape, int(rng.integers(2, 9))) for shape in itertools.chain(one_sided, both)]
    for first, later, bits in [*extremes, *(drawn[index] for index in rng.permutation(len(drawn)))]:
        stream = StreamType(1, first * later, first, IntFormat(bits, True))
        yield Draw(Adapter(stream, later), {}, "adapters")


def _large() -> Iterator[Draw]:
    """Products of up to 1,024 MACs a cycle; tables of narrow ones take the mapper minutes."""
    for lanes, blocks, source, weight in (
        ((32, 32), (16, 32), 8, 8), ((32, 32), (16, 32), 8, 4), ((16, 16), (4, 4), 4, 4), ((8, 16), (8, 8), 8, 4),
        ((32, 16), (8, 16), 6, 6), ((8, 8), (4, 4), 4, 4), ((32, 32), (16, 32), 4, 4), ((16, 8), (4, 4), 4, 4),
    ):  # fmt: skip
        yield _matvec(lanes, blocks, source, weight)
    for lanes, bits in (((32, 32), 8), ((8, 8), 4), ((16, 16), 4)):
        yield _matmul(lanes, bits)


def _matvec(lanes: tuple[int, int], blocks: tuple[int, int], source: int, weight: int) -> Draw:
    rng = np.random.default_rng([*lanes, source, weight])
    features, outputs = lanes[0] * blocks[0], lanes[1] * blocks[1]
    low, high = -(1 << (weight - 1)), (1 << (weight - 1)) - 1
    bound = features << (source + weight - 2)
    bits = accumulator_bits(-bound, bound)
    operator = Matvec(
        1, 1, features, outputs, *lanes, IntFormat(source, True), IntFormat(weight, True), bits,
        Requantize(IntFormat(8, True)), bits.bit_length(), True, DEEPEST,
    )  # fmt: skip
    contents = {
        "weight": rng.integers(low, high + 1, (1, outputs, features)),
        "bias": rng.integers(-bound // 4, bound // 4, (1, outputs)),
        "shift": np.array(bits - 9),
    }
    return Draw(operator, contents, "large")


def _matmul(lanes: tuple[int, int], bits: int) -> Draw:
    source = IntFormat(bits, True, bits - 1)
    shape = (16, 1, 4 * lanes[0], 4 * lanes[1])
    operator, contents = Matmul.design(shape, True, lanes, source, source, Requantize(IntFormat(8, True, 4)), DEEPEST)
    return Draw(operator, contents, "large")
