"""The last rungs: the operators are compiled, then the RTL is simulated and every word is compared."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.dataset import Dataset
from explorer.errors import DesignDefect
from explorer.pipeline import operator_detail, stream_detail
from explorer.result import Exact
from explorer.rungs.estimation import speed_metrics
from explorer.rungs.rung import Bench, Climb, Findings, Rung
from explorer.spec import JobSpec
from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.streams import Words
from hwgen.lowering.words import words_in
from hwgen.numbers.arrays import Array
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import SimulationOptions, simulate

_LEAST_SAMPLES = 2  # an interval lies between two samples
_QUIET_CYCLES = 10_000


class Build(Rung):
    """Has every operator of the design compiled; most are there already."""

    name = "build"

    def key(self, climb: Climb) -> str | None:
        """None: the cache of compiled operators has a key for each of them."""
        return None

    def run(self, climb: Climb) -> Findings:
        """No figures."""
        built = climb.bench.cache.operators([i.operator for i in climb.design.instances])
        return Findings(cached=all(known for _, known in built))


class Simulation(Rung):
    """Streams samples of the evaluation data through the design."""

    name = "simulate"

    def key(self, climb: Climb) -> str | None:
        """None: every candidate is simulated, and what its simulation repeats is known to the simulator."""
        return None

    def run(self, climb: Climb) -> Findings:
        """Cycles, and the comparison of words.

        Raises:
            DesignDefect: the RTL differs from the reference, or blocks itself.
        """
        bench, design = climb.bench, climb.design
        words, expected = stimulus(bench, design)
        measured = simulate(design, words, bench.cache, options(bench, design), expected)
        require_exact(measured)
        assert measured.interval_cycles is not None
        return Findings(
            metrics={
                "meas_latency_cycles": float(measured.latency_cycles),
                "latency_ns": measured.latency_cycles * 1000 / bench.clock_mhz,
                **speed_metrics(bench, climb.metrics["est_power_w"], measured.interval_cycles),
            },
            detail={
                "operators": operator_detail(design, bench.devices, measured),
                "streams": stream_detail(design, measured),
                "tensors": bench.floats.errors(design, expected),
            },
            exact=Exact(measured.compared_words, measured.mismatched_words, measured.samples),
        )


def stimulus(bench: Bench, design: Design) -> tuple[dict[str, Words], dict[str, Words]]:
    """Words of the entering streams on the job's first samples, and the expected words of every stream."""
    part = first_samples(bench.spec, bench.data)
    if bench.data.samples < _LEAST_SAMPLES:
        part = {name: array.repeat(_LEAST_SAMPLES, axis=0) for name, array in part.items()}
    words = words_in(design, part)
    return words, run_reference(design, words)


def first_samples(spec: JobSpec, data: Dataset) -> dict[str, Array]:
    """What a simulation streams: as many samples as the job says, two at least where the data has them."""
    return data.part(0, min(max(spec.simulation.samples, _LEAST_SAMPLES), data.samples))


def options(bench: Bench, design: Design) -> SimulationOptions:
    """Back-pressure as the job asks for it, and a limit of silence that no working design reaches."""
    # No operator is silent for longer than its own interval, nor a link for longer than its flight time.
    slowest = max(max(c.interval, c.latency) for c in (i.operator.cycles() for i in design.instances))
    return SimulationOptions(
        output_stalls=bench.spec.simulation.backpressure,
        seed=bench.spec.search.seed,
        quiet_cycles=_QUIET_CYCLES + 4 * slowest,
    )


def cycles(measured: Measurement) -> Mapping[str, float]:
    """The measured cycles under their metric names."""
    found = {"meas_latency_cycles": float(measured.latency_cycles)}
    if measured.interval_cycles is not None:
        found["meas_interval_cycles"] = float(measured.interval_cycles)
    return found


def require_exact(measured: Measurement) -> None:
    """Raise DesignDefect with the first wrong word, or with what blocks what."""
    if not measured.exact:
        raise DesignDefect(measured.deadlock or str(measured.first_wrong or "no word was compared"))
