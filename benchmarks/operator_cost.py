"""(b) CPU seconds to add one new operator to the cache. Goal: at most 1.0."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.clock import spent
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache

OPERATOR = Matvec(
    1, 1, 64, 64, 8, 8, IntFormat(8, True), IntFormat(4, True), 20, Requantize(IntFormat(8, True)), 5, True, DEEPEST
)


def main() -> None:
    """Compile operators that differ in their lanes, one by one and eight at a time."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = BuildCache(Path(scratch))
        cache.operator(replace(OPERATOR, in_lanes=1))  # makes the runtime and the precompiled header
        single = []
        for lanes in (2, 4, 8, 16, 32):
            with spent() as figures:
                cache.operator(replace(OPERATOR, in_lanes=lanes))
            single.append(figures.cpu)
        together = [replace(OPERATOR, out_lanes=o, in_lanes=i) for o in (2, 4) for i in (1, 2, 4, 8)]
        with spent() as figures:
            cache.operators(together)
    print("(b) one new matrix-vector operator in the cache")
    print(f"    alone         {statistics.median(single):.2f} CPU-s (goal <= 1.0)")
    print(f"    eight at once {figures.cpu / len(together):.2f} CPU-s each")


if __name__ == "__main__":
    main()
