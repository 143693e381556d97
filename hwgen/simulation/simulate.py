"""Simulation of a design: composed from cached operators, or as one model of the emitted top level."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

from hwgen.hardware.design import Design, Endpoint, Stream, run_reference
from hwgen.hardware.streams import Words, beat_bytes
from hwgen.simulation.build import BuildCache
from hwgen.simulation.measurement import Measurement, OperatorActivity, WrongWord
from hwgen.tools.eviction import mark_used
from hwgen.tools.process import run_tool

Sleep = Literal["registers", "memories", "never"]
STALL_PATTERNS = ("none", "random", "stalls")


@dataclass(frozen=True)
class SimulationOptions:
    """How to drive a simulation.

    Attributes:
        output_stalls: back-pressure of the outside world: ``none``, ``random`` or ``stalls`` (long stretches).
        input_stalls: the same for gaps in the stimulus.
        seed: of the stall patterns.
        max_cycles: give up after so many cycles.
        quiet_cycles: cycles without any transfer that count as a deadlock; more than the slowest operator computes
            between two transfers.
        trace: write ``cycle stream beat payload`` of every output transfer to this file.
        activity: write what each operator did when to this file (``hwgen.simulation.activity``).
        sleep: what a clock must leave as it was before an operator is no longer clocked: its ``registers``, or its
            ``memories`` too; or ``never``. Slower than the first, and the evidence that it changes nothing.
    """

    output_stalls: str = "none"
    input_stalls: str = "none"
    seed: int = 0
    max_cycles: int = 200_000_000
    quiet_cycles: int = 200_000
    trace: Path | None = None
    activity: Path | None = None
    sleep: Sleep = "registers"


def simulate(
    design: Design,
    inputs: Mapping[str, Words],
    cache: BuildCache,
    options: SimulationOptions = SimulationOptions(),
    expected: Mapping[str, Words] | None = None,
) -> Measurement:
    """Simulate a design composed from its cached operators and compare every word of every stream.

    Args:
        design: a verified design.
        inputs: words of each entering stream, by stream name.
        cache: compiled operators.
        options: stalls and limits.
        expected: words of every stream; computed by the reference when absent.

    Raises:
        ToolError: a native tool failed.
    """
    expected = expected if expected is not None else run_reference(design, inputs)
    with tempfile.TemporaryDirectory(prefix="sim-", dir=cache.directory) as scratch:
        work = Path(scratch)
        models = []
        libraries = cache.operators([instance.operator for instance in design.instances])
        for instance, (library, _) in zip(design.instances, libraries, strict=True):
            arguments = memory_arguments(instance.operator.memory_images(instance.contents), cache.directory / "mem")
            models.append(f"model {instance.name} {library} {' '.join(arguments)}")
        streams = []
        for s in design.streams:
            beats = write_beats(s, expected[s.name], work)
            streams.append(stream_line(s, s.producer, s.consumer, beats, check_of(design, s)))
        report = run_plan(cache, work, [*models, *streams], options)
    return measurement(design, report, expected)


def memory_arguments(images: Mapping[str, Any], directory: Path) -> list[str]:
    """Write memory images under their content hash and return the run-time arguments that load them."""
    directory.mkdir(exist_ok=True)
    arguments = []
    for tag, image in images.items():
        text = image.text()
        path = directory / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.mem"
        if not mark_used(path):
            with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as scratch:
                scratch.write(text)
            Path(scratch.name).rename(path)
        arguments.append(f"+{tag}={path}")
    return arguments


def write_beats(stream: Stream, words: Words, work: Path) -> Path:
    """Write the words of a stream as raw containers into ``work``."""
    path = work / f"{stream.name}.bin"
    path.write_bytes(beat_bytes(words, stream.type))
    return path


class Check(IntEnum):
    """What the simulator demands of the beats of a stream; ``runtime/plan.hpp`` has the same numbers."""

    STIMULUS = 0
    EXACT = 1
    ENDLESS = 2
    AHEAD = 3


def check_of(design: Design, stream: Stream) -> Check:
    """What is demanded of a stream of a design: exactly the expected beats, unless constants keep or get it going."""
    if stream.producer is None:
        return Check.STIMULUS
    if stream.name in design.endless:
        return Check.ENDLESS
    return Check.AHEAD if stream.name in design.ahead else Check.EXACT


def stream_line(stream: Stream, producer: Endpoint | None, consumer: Endpoint | None, beats: Path, check: Check) -> str:
    """The plan line of one stream with its stimulus or expected ``beats``."""
    kind = stream.type
    ends = [f"{e.instance} {e.port}" if e else "- -" for e in (producer, consumer)]
    return (
        f"stream {stream.name} {ends[0]} {ends[1]} {kind.container_bytes} {kind.beats} {kind.lanes} "
        f"{kind.element_bits} {check.value} {beats}"
    )


def plan_head(options: SimulationOptions) -> list[str]:
    """The lines of a plan that say how to drive it."""
    return [
        f"limits {options.max_cycles} {options.quiet_cycles}",
        f"output_stalls {options.output_stalls} {options.seed}",
        f"input_stalls {options.input_stalls} {options.seed}",
        f"sleep {options.sleep}",
        *([f"trace {options.trace}"] if options.trace else []),
        *([f"activity {options.activity}"] if options.activity else []),
    ]


def run_plan(cache: BuildCache, work: Path, lines: Sequence[str], options: SimulationOptions) -> dict[str, Any]:
    """Run the simulator on a plan and return its JSON report."""
    plan = work / "plan.txt"
    plan.write_text("\n".join([*plan_head(options), *lines]) + "\n")
    report: dict[str, Any] = json.loads(run_tool([cache.simulator(), plan], work))
    return report


def measurement(design: Design, report: Mapping[str, Any], expected: Mapping[str, Words]) -> Measurement:
    """Build the record from the simulator's report."""
    reports = {s["name"]: s for s in report["streams"]}
    outputs = [s.name for s in design.outputs]
    inner = [s.name for s in design.streams if s.producer and s.consumer and s.name in reports]
    deadlock = None
    if not report["finished"]:
        deadlock = _deadlock(design, reports) if report["deadlock"] else "the cycle limit was reached"
    starts = [reports[s.name]["sample_start"] for s in design.inputs]
    samples = next(iter(expected.values())).samples
    # An output may have gone on, endlessly or into the next sample; a design without inputs starts by itself.
    ends = [reports[name]["sample_end"][:samples] for name in outputs]
    latency, interval = 0, None
    if deadlock is None:
        first_ends = [max(per_output) for per_output in zip(*ends, strict=True)]
        latency = first_ends[0] - min((s[0] for s in starts), default=0) + 1
        interval = first_ends[-1] - first_ends[-2] if len(first_ends) > 1 else None
    return Measurement(
        compared_words=sum(reports[n]["compared_words"] for n in outputs),
        mismatched_words=sum(reports[n]["mismatched_words"] for n in outputs),
        internal_words=sum(reports[n]["compared_words"] for n in inner),
        internal_mismatched_words=sum(reports[n]["mismatched_words"] for n in inner),
        samples=samples,
        total_cycles=report["cycles"],
        latency_cycles=latency,
        interval_cycles=interval,
        activity={
            i["name"]: OperatorActivity(i["busy"], i["blocked"], i["starved"], i["high_water"])
            for i in report["instances"]
        },
        transfers={name: r["transfers"] for name, r in reports.items()},
        timing={name: r["timing"] for name, r in reports.items()},
        clocked_cycles=sum(i["clocked"] for i in report["instances"]),
        first_wrong=_first_wrong(design, reports),
        deadlock=deadlock,
    )


def _first_wrong(design: Design, reports: Mapping[str, Any]) -> WrongWord | None:
    """The mismatch nearest to the inputs: later ones follow from it."""
    order = {instance.name: index for index, instance in enumerate(design.instances)}
    wrong = [s for s in design.streams if s.producer and reports.get(s.name, {}).get("mismatched_words")]
    if not wrong:
        return None
    stream = min(wrong, key=lambda s: order[s.producer.instance] if s.producer else -1)
    assert stream.producer is not None
    found, kind = reports[stream.name]["first_mismatch"], stream.type
    sample, beat = divmod(found["beat"], kind.beats)
    token, block = divmod(beat, kind.blocks)
    return WrongWord(
        stream=stream.name,
        operator=stream.producer.instance,
        sample=sample,
        token=token,
        feature=block * kind.lanes + min(found["lane"], kind.lanes - 1),
        cycle=found["cycle"],
        expected=found["expected"],
        seen=found["seen"],
        kind="framing" if found["extra"] else "exponent" if found["lane"] == kind.lanes else "word",
    )


def _deadlock(design: Design, reports: Mapping[str, Any]) -> str:
    """Name the cycle of instances that wait for each other, through the streams that block them."""
    waits: dict[str, list[tuple[str, str]]] = {}
    for stream in design.streams:
        state = reports.get(stream.name)
        if state is None or stream.producer is None or stream.consumer is None:
            continue
        producer, consumer = stream.producer.instance, stream.consumer.instance
        if state["valid"] and not state["ready"]:
            waits.setdefault(producer, []).append((consumer, f"{stream.name} is full"))
        elif state["ready"] and not state["valid"]:
            waits.setdefault(consumer, []).append((producer, f"{stream.name} is empty"))
    cycle = _find_cycle(waits)
    if cycle:
        return "deadlock: " + "; ".join(f"{a} waits for {b} ({why})" for a, b, why in cycle)
    stuck = [
        f"{name} at beat {r['transfers']} of {r['expected']}"
        for name, r in reports.items()
        if r["expected"] > r["transfers"]
    ]
    return "no transfer for too long: " + ", ".join(stuck[:8])


def _find_cycle(waits: Mapping[str, list[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    done: set[str] = set()

    def visit(node: str, path: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        on_path = [edge[0] for edge in path]
        if node in on_path:
            return path[on_path.index(node) :]
        if node in done:
            return []
        for target, why in waits.get(node, ()):
            if found := visit(target, [*path, (node, target, why)]):
                return found
        done.add(node)
        return []

    for start in waits:
        if found := visit(start, []):
            return found
    return []
