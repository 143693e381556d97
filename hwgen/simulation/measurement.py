"""What a simulation returns. Every figure here was counted in the simulated RTL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class WrongWord:
    """The first word of a stream that differs from the reference.

    Attributes:
        stream: stream name.
        operator: instance that drives it.
        sample, token, feature: coordinates of the element.
        cycle: simulation cycle of the transfer.
        expected, seen: the raw bits of the element (unsigned).
        kind: ``word``, ``exponent``, or ``framing`` (a surplus beat or a misplaced ``last``).
    """

    stream: str
    operator: str
    sample: int
    token: int
    feature: int
    cycle: int
    expected: int
    seen: int
    kind: str

    def __str__(self) -> str:
        where = f"sample {self.sample}, token {self.token}, feature {self.feature}"
        if self.kind == "framing":
            return f"{self.operator}: surplus beat or misplaced last on {self.stream} at {where} (cycle {self.cycle})"
        return (
            f"{self.operator}: first wrong {self.kind} on {self.stream} at {where} (cycle {self.cycle}): "
            f"expected {self.expected:#x}, seen {self.seen:#x}"
        )


@dataclass(frozen=True)
class OperatorActivity:
    """Cycles of one operator instance.

    Attributes:
        busy_cycles: cycles with a transfer on any of its streams.
        blocked_cycles: no transfer, an output held by its consumer.
        starved_cycles: no transfer, an input waiting for its producer.
        high_water_beats: most beats inside (input transfers less output transfers), the fill of a FIFO.
    """

    busy_cycles: int
    blocked_cycles: int
    starved_cycles: int
    high_water_beats: int


@dataclass(frozen=True)
class Measurement:
    """Result of simulating a design.

    Attributes:
        compared_words: output elements compared with the reference.
        mismatched_words: output elements that differ.
        internal_words, internal_mismatched_words: the same over the streams between operators.
        samples: samples streamed.
        total_cycles: cycles simulated.
        latency_cycles: cycles from the first input beat to the last output beat of the first sample, inclusive.
        interval_cycles: cycles between the ends of the last two samples; None for one sample.
        activity: per instance.
        transfers: per stream, beats.
        timing: per stream, a hash over the cycles of all its transfers.
        clocked_cycles: cycles that the simulator computed, summed over the operators; in the others they slept. No
            figure of the hardware, so equal measurements may differ in it.
        first_wrong: first wrong word in order of the pipeline, None when all agree.
        deadlock: None, or the streams that block each other and why.
    """

    compared_words: int
    mismatched_words: int
    internal_words: int
    internal_mismatched_words: int
    samples: int
    total_cycles: int
    latency_cycles: int
    interval_cycles: int | None
    activity: Mapping[str, OperatorActivity]
    transfers: Mapping[str, int]
    timing: Mapping[str, str]
    clocked_cycles: int = field(compare=False)
    first_wrong: WrongWord | None = None
    deadlock: str | None = None

    @property
    def exact(self) -> bool:
        """Every word arrived, was compared, and was equal."""
        return (
            self.deadlock is None
            and self.compared_words > 0
            and self.mismatched_words == 0
            and self.internal_mismatched_words == 0
        )
