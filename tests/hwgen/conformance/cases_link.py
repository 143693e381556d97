"""Links: serialisation, flight times and exactly as many credits as sustain the rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from hwgen.hardware.operators.link import Link
from hwgen.hardware.platform import Channel
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat, MxFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_link.sv", "busy_q == '0 && credit_q != '0", "busy_q == '0", "sends without a credit"),
    Mutation("dse_link.sv", "credit_q - CreditWidth'(send)", "credit_q", "credits are never spent"),
    Mutation("dse_link.sv", "SlotWidth'(Delay - 1)", "SlotWidth'(0)", "reads another flight slot", "latency_cycles=9"),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: corners. Full: serialisation x flight time, then widths x lanes by bandwidth."""
    stream = StreamType(5, 6, 3, IntFormat(5, True))
    for per_beat, latency in ((1, 1), (3, 9), (7, 2), (1, 20)):
        yield _case(rng, Link(stream, per_beat, latency, Link.least_credits(per_beat, latency)))
    yield _case(rng, Link(stream, 2, 3, 30))
    if level == "full":
        for per_beat in (1, 2, 3, 5, 8):
            for latency in (1, 2, 3, 7, 16, 100):
                yield _case(rng, Link(stream, per_beat, latency, Link.least_credits(per_beat, latency)))
        yield _case(rng, _alone(StreamType(3, 32, 16, MxFormat(3, 8)), Fraction(64, 3), 5))
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 21]))
            for lanes in lane_choices(features):
                kind = StreamType(int(rng.integers(1, 4)), features, lanes, IntFormat(bits, True))
                yield _case(rng, _alone(kind, Fraction(int(rng.integers(8, 80)), 3), int(rng.integers(1, 30))))


def _alone(stream: StreamType, bits_per_cycle: Fraction, latency_cycles: int) -> Link:
    """The link of the only stream of a channel."""
    (pace,) = Channel(0, 1, bits_per_cycle, latency_cycles).beat_cycles([stream])
    return Link.paced(stream, pace, latency_cycles)


def _case(rng: np.random.Generator, link: Link) -> Case:
    return Case(link, {}, {"in": random_words(rng, link.stream)})
