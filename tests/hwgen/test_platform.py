"""Platforms: shares of a channel never exceed it, and ways are shortest and consistent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import IllegalGraph
from hwgen.hardware.platform import Channel, Platform, Site
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat

streams = st.builds(
    lambda tokens, features, lanes, bits: StreamType(tokens, features * lanes, lanes, IntFormat(bits, True)),
    st.integers(1, 40), st.integers(1, 20), st.integers(1, 16), st.integers(1, 16),
)  # fmt: skip
bandwidths = st.integers(1, 64 * 256).map(lambda n: Fraction(n, 64))


@settings(max_examples=300, deadline=None)
@given(st.lists(streams, min_size=1, max_size=6), bandwidths)
def test_shares_never_exceed_the_bandwidth_and_none_are_faster(crossing: list[StreamType], bits: Fraction) -> None:
    channel = Channel(0, 1, bits, 1)

    def load(paces: tuple[int, ...]) -> Fraction:
        return sum((Fraction(s.payload_bits, p) for s, p in zip(crossing, paces, strict=True)), Fraction(0))

    paces = channel.beat_cycles(crossing)
    assert min(paces) >= 1 and load(paces) <= bits
    interval = max(s.beats * pace for s, pace in zip(crossing, paces, strict=True))
    assert sum(s.beats * s.payload_bits for s in crossing) <= bits * interval
    if interval > max(s.beats for s in crossing):  # the slowest paces of a shorter interval carry too much
        assert load(tuple(max(1, (interval - 1) // s.beats) for s in crossing)) > bits


def test_four_equal_streams_share_a_channel_without_loss() -> None:
    stream = StreamType(32, 8, 8, IntFormat(8, True))
    assert Channel(0, 1, Fraction(8), 1).beat_cycles([stream] * 4) == (32,) * 4
    assert Channel(0, 1, Fraction(8), 1).beat_cycles([stream]) == (8,)
    assert Channel(0, 1, Fraction(256), 1).beat_cycles([stream] * 4) == (1,) * 4


def test_a_short_stream_beside_a_long_one_does_not_wait_for_its_whole_interval() -> None:
    long, short = StreamType(1024, 128, 64, IntFormat(8, True)), StreamType(1, 16, 16, IntFormat(8, True))
    assert Channel(0, 1, Fraction(333), 1).beat_cycles([long, short]) == (2, 2)
    tight, waiting = Channel(0, 1, Fraction(8), 1).beat_cycles([StreamType(1024, 128, 16, IntFormat(8, True)), short])
    assert tight == 17 and waiting == 272  # of 128 bits, what 128 / 17 leaves of 8 bits a cycle


def test_a_beat_takes_whole_cycles() -> None:
    stream = StreamType(1, 8, 4, IntFormat(8, True))  # 32 bits a beat
    for bits, cycles in ((Fraction(32), 1), (Fraction(31), 2), (Fraction(1, 2), 64), (Fraction(100), 1)):
        assert Channel(0, 1, bits, 5).beat_cycles([stream]) == (cycles,)


def _sites(platform: Platform, source: int, target: int) -> list[int]:
    return [source, *(channel.target for channel in platform.route(source, target))]


def test_ways_over_each_topology() -> None:
    chain, ring, full = (Platform.connected(t, "abcde", 10, 40, 300) for t in ("chain", "ring", "full"))  # type: ignore[arg-type]
    assert _sites(chain, 0, 3) == [0, 1, 2, 3] and _sites(chain, 4, 2) == [4, 3, 2]
    assert _sites(ring, 0, 2) == [0, 1, 2] and _sites(ring, 0, 3) == [0, 4, 3] and _sites(ring, 4, 0) == [4, 0]
    assert _sites(full, 0, 3) == [0, 3]
    assert (len(chain.channels), len(ring.channels), len(full.channels)) == (8, 10, 20)
    assert chain.route(2, 2) == ()
    pair = Platform.connected("ring", "ab", 10, 40, 300)
    assert len(pair.channels) == 2


def test_the_rest_of_a_way_is_the_way_from_there() -> None:
    ring = Platform.connected("ring", "abcdef", 10, 40, 300)
    for source in range(6):
        for target in range(6):
            way = ring.route(source, target)
            assert all(way[i + 1 :] == ring.route(channel.target, target) for i, channel in enumerate(way))
            assert len(way) == min((target - source) % 6, (source - target) % 6)


def test_a_memory_has_channels_of_its_own_and_no_way_leads_through_it() -> None:
    pairs = [(0, 2), (2, 0), (1, 2), (2, 1)]
    platform = Platform(
        (Site("left"), Site("right"), Site("DDR", forwards=False)),
        tuple(Channel(a, b, Fraction(512 if a == 2 else 256), 60) for a, b in pairs),
    )
    assert _sites(platform, 0, 2) == [0, 2] and _sites(platform, 2, 1) == [2, 1]
    assert platform.route(2, 0)[0].bits_per_cycle == 512
    with pytest.raises(IllegalGraph, match="no channel leads from site 0 to site 1"):
        platform.route(0, 1)


def test_illegal_platforms_are_refused() -> None:
    with pytest.raises(IllegalGraph, match="at least 1/64 bits"):
        Platform.connected("chain", "ab", 0.0046, 40, 300)
    assert Platform.connected("chain", "a", 1e-9, 40, 300).channels == ()
    with pytest.raises(IllegalGraph, match="latency"):
        Channel(0, 1, Fraction(1), 0)
    with pytest.raises(IllegalGraph, match="joins two of 2 sites"):
        Platform((Site("a"), Site("b")), (Channel(0, 2, Fraction(1), 1),))
    with pytest.raises(IllegalGraph, match="two channels"):
        Platform((Site("a"), Site("b")), (Channel(0, 1, Fraction(1), 1), Channel(0, 1, Fraction(2), 1)))
