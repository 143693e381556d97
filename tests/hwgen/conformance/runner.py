"""Simulate one case under every stall pattern and collect what is wrong with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from hwgen.hardware.design import Design, Endpoint, Instance, Stream, run_reference, verify_design
from hwgen.hardware.library import RTL_DIRECTORY
from hwgen.simulation.build import MODELS_PER_OBJECT, BuildCache
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import STALL_PATTERNS, SimulationOptions, Sleep, simulate
from tests.hwgen.conformance.case import SAMPLES, Case, Mutation
from tests.hwgen.conformance.fingerprints import fingerprint

QUIET_CYCLES = 20_000


@dataclass
class Totals:
    """Counts over the cases of one operator."""

    operator: str
    cases: int = 0
    simulations: int = 0
    compared_words: int = 0
    mismatched_words: int = 0
    cycle_checks: int = 0
    failures: list[str] = field(default_factory=list)
    fingerprints: list[str] = field(default_factory=list)


def one_operator_design(case: Case) -> Design:
    """A design of one instance, every port connected to the outside world."""
    operator = case.operator
    streams = [Stream(f"to_{p}", kind, None, Endpoint("u_dut", p)) for p, kind in operator.inputs.items()]
    streams += [Stream(f"from_{p}", kind, Endpoint("u_dut", p), None) for p, kind in operator.outputs.items()]
    design = Design("conformance", (Instance("u_dut", operator, case.contents),), tuple(streams))
    verify_design(design)
    return design


def simulate_case(case: Case, cache: BuildCache, stalls: str, sleep: Sleep = "registers") -> Measurement:
    """Simulate with ``stalls`` on every output and every input."""
    options = SimulationOptions(stalls, stalls, quiet_cycles=QUIET_CYCLES, sleep=sleep)
    inputs = {f"to_{port}": words for port, words in case.inputs.items()}
    design = one_operator_design(case)
    return simulate(design, inputs, cache, options, run_reference(design, inputs, SAMPLES))


def _compiled(cases: Iterable[Case], cache: BuildCache) -> Iterator[Case]:
    """The same cases, their models compiled some at a time, which is cheaper than one by one."""
    remaining = iter(cases)
    while batch := list(islice(remaining, MODELS_PER_OBJECT)):
        cache.operators([case.operator for case in batch])
        yield from batch


def check_cases(name: str, cases: Iterable[Case], cache: BuildCache) -> Totals:
    """Run all cases under all stall patterns; every complaint names its case."""
    totals = Totals(name)
    for case in _compiled(cases, cache):
        totals.cases += 1
        results = []
        for stalls in STALL_PATTERNS:
            result = simulate_case(case, cache, stalls)
            results.append(result)
            totals.simulations += 1
            totals.compared_words += result.compared_words + result.internal_words
            totals.mismatched_words += result.mismatched_words + result.internal_mismatched_words
            if not result.exact:
                totals.failures.append(f"{case} under {stalls}: {result.deadlock or result.first_wrong}")
            elif stalls == "none":
                totals.cycle_checks += 1
                totals.failures += cycle_complaints(case, result)
        totals.fingerprints.append(fingerprint(case, results))
    return totals


def cycle_complaints(case: Case, result: Measurement) -> list[str]:
    """Differences between the cycle model and an unstalled simulation of three samples or more."""
    if result.samples < 3:
        return [f"{case}: cycles need at least 3 samples, not {result.samples}"]
    model = case.operator.cycles()
    seen = (result.latency_cycles, result.interval_cycles)
    if seen == (model.latency, model.interval):
        return []
    return [f"{case}: measured (latency, interval) {seen}, the model says {(model.latency, model.interval)}"]


def plant(mutation: Mutation, directory: Path) -> Path:
    """A copy of the RTL library with the fault; raises ValueError unless the text occurs exactly once."""
    library = directory / "rtl"
    library.mkdir(parents=True)
    for source in RTL_DIRECTORY.iterdir():
        if source.is_file():
            shutil.copy(source, library)
    target = library / mutation.file
    text = target.read_text()
    occurs = text.count(mutation.old)
    if occurs != 1:
        raise ValueError(f"{mutation.what}: {mutation.old!r} occurs {occurs} times in {mutation.file}")
    target.write_text(text.replace(mutation.old, mutation.new))
    return library


def detects(mutation: Mutation, cases: Iterable[Case], cache: BuildCache) -> bool:
    """Whether some case tells the faulty library in ``cache`` from the reference."""
    return any(
        not simulate_case(case, cache, stalls).exact
        for case in cases
        if mutation.only in str(case)
        for stalls in STALL_PATTERNS
    )
