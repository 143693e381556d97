"""Sign-off: the emitted top level as one Verilator model, against the simulation composed from cached operators.

Both run under one driver with the same stimulus and the same stalls. They must give the same words in the same cycles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from hwgen.hardware.design import Design, Endpoint, run_reference
from hwgen.hardware.emit.text import emit
from hwgen.hardware.library import stream_ports
from hwgen.hardware.streams import Words
from hwgen.simulation.build import BuildCache
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import (
    SimulationOptions,
    check_of,
    measurement,
    run_plan,
    simulate,
    stream_line,
    write_beats,
)

DEFAULTS = SimulationOptions()


@dataclass(frozen=True)
class SignOff:
    """A comparison of the composed simulation with the whole design in one model.

    Attributes:
        composed, monolithic: the two measurements. The monolithic one has no figures of single operators.
        transfers: output transfers compared.
        difference: None when every transfer agrees, or the first one that does not.
    """

    composed: Measurement
    monolithic: Measurement
    transfers: int
    difference: str | None

    @property
    def equal(self) -> bool:
        """Every output transfer has the same cycle and words in both, and the words are the reference's."""
        return (
            self.difference is None
            and self.transfers > 0
            and self.composed.exact
            and self.monolithic.exact
            and self.composed.latency_cycles == self.monolithic.latency_cycles
            and self.composed.interval_cycles == self.monolithic.interval_cycles
        )


def sign_off(
    design: Design,
    inputs: Mapping[str, Words],
    cache: BuildCache,
    options: SimulationOptions = DEFAULTS,
    expected: Mapping[str, Words] | None = None,
) -> SignOff:
    """Simulate a design both ways and compare every output transfer.

    Args:
        design: a verified design.
        inputs: words of each entering stream, by stream name.
        cache: compiled models; the whole design is kept there too.
        options: stalls and limits; ``trace`` is not used.
        expected: words of every stream; computed by the reference when absent.

    Raises:
        ToolError: a native tool failed.
    """
    expected = expected if expected is not None else run_reference(design, inputs)
    with tempfile.TemporaryDirectory(prefix="signoff-", dir=cache.directory) as scratch:
        traces = [Path(scratch) / name for name in ("composed.txt", "monolithic.txt")]
        composed = simulate(design, inputs, cache, replace(options, trace=traces[0]), expected)
        monolithic = simulate_monolithic(design, inputs, cache, replace(options, trace=traces[1]), expected)
        transfers, difference = _compare(*traces)
    return SignOff(composed, monolithic, transfers, difference)


def simulate_monolithic(
    design: Design,
    inputs: Mapping[str, Words],
    cache: BuildCache,
    options: SimulationOptions = DEFAULTS,
    expected: Mapping[str, Words] | None = None,
    defines: Sequence[str] = (),
) -> Measurement:
    """Simulate the emitted top level as one model.

    Args:
        design: a verified design.
        inputs: words of each entering stream, by stream name.
        cache: compiled models.
        options: stalls and limits.
        expected: words of every stream; computed by the reference when absent.
        defines: text macros, ``SYNTHESIS`` for the text that synthesis tools read.

    Raises:
        ToolError: a native tool failed.
    """
    expected = expected if expected is not None else run_reference(design, inputs)
    emission = emit(design)
    external = design.boundary(design.instances)
    ports = [port for direction, stream in external for port in stream_ports(stream.name, direction)]
    with tempfile.TemporaryDirectory(prefix="top-", dir=cache.directory) as scratch:
        work = Path(scratch)
        emission.write(work, cache.rtl_directory)
        library, _ = cache.design(emission.top, work, ports, defines)
        lines = [f"model {emission.top} {library}"]
        for direction, stream in external:
            end = Endpoint(emission.top, stream.name)
            producer, consumer = (None, end) if direction == "in" else (end, None)
            beats = write_beats(stream, expected[stream.name], work)
            lines.append(stream_line(stream, producer, consumer, beats, check_of(design, stream)))
        report = run_plan(cache, work, lines, options)
    return measurement(design, report, expected)


def _compare(composed: Path, monolithic: Path) -> tuple[int, str | None]:
    """Transfers read, and the first difference."""
    count = 0
    with composed.open() as left, monolithic.open() as right:
        for a, b in zip_longest(left, right, fillvalue="nothing"):
            if a != b:
                return count, f"transfer {count}: composed has {a.strip()}, the whole design has {b.strip()}"
            count += 1
    return count, None
