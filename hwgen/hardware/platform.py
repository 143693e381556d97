"""Where a design runs: sites, and channels between them with their bandwidth; cycles and bits, not time and gigabits.

A channel leads one way. The two directions of a physical link are two channels, each with the full bandwidth (full
duplex), so words on the way back take nothing from those on the way there.

All streams over a channel share it: every one has a fixed part of its bandwidth, also those that only pass through a
device on their way to another one.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from hwgen.errors import IllegalGraph
from hwgen.hardware.streams import StreamType

Topology = Literal["chain", "ring", "full"]

# Bandwidths are rounded down to a multiple of this, so that nearly equal platforms share compiled links; a slower
# channel is refused.
LEAST_BITS_PER_CYCLE = Fraction(1, 64)


@dataclass(frozen=True)
class Site:
    """A place that words start from or go to.

    Attributes:
        name: for people.
        forwards: words may cross it on their way to another site: a device does that, an off-chip memory does not.
    """

    name: str
    forwards: bool = True


@dataclass(frozen=True)
class Channel:
    """One direction of a connection between two sites.

    Attributes:
        source, target: indices of the sites at its ends.
        bits_per_cycle: payload bits per clock cycle, for all of its streams together.
        latency_cycles: one-way latency, at least 1.
    """

    source: int
    target: int
    bits_per_cycle: Fraction
    latency_cycles: int

    def __post_init__(self) -> None:
        if self.bits_per_cycle < LEAST_BITS_PER_CYCLE:
            raise IllegalGraph(
                f"a channel carries at least {LEAST_BITS_PER_CYCLE} bits per cycle, not {float(self.bits_per_cycle):g}"
            )
        if self.latency_cycles < 1:
            raise IllegalGraph(f"a channel's latency is at least 1 cycle, not {self.latency_cycles}")

    def cycles(self, bits: int) -> Fraction:
        """Cycles that ``bits`` occupy the channel."""
        return bits / self.bits_per_cycle

    def beat_cycles(self, streams: Sequence[StreamType]) -> tuple[int, ...]:
        """Whole cycles per beat of each stream, so that together they never exceed the bandwidth.

        The shares are in proportion to the streams' bits per inference, as nearly as whole cycles allow: of all such
        shares they have the shortest interval. What the rounding leaves over goes to the streams of few beats, which
        would wait longest for a beat. A stream that needs less than one cycle per beat has one.

        Args:
            streams: every stream that crosses the channel; each has all of its beats once per inference.

        Returns:
            In the order of ``streams``; ``sum(payload_bits / cycles) <= bits_per_cycle``, exactly.
        """
        slow = sum(math.ceil(self.cycles(s.payload_bits)) * s.beats for s in streams) * len(streams)
        fits, too_short = slow, -1  # at ``slow`` every stream has at most its part of the bandwidth
        while fits - too_short > 1:
            middle = (fits + too_short) // 2
            if self._fit(streams, middle):
                fits = middle
            else:
                too_short = middle
        return self._hurried(streams, _paces(streams, fits))

    def _fit(self, streams: Sequence[StreamType], interval: int) -> bool:
        return self._left(streams, _paces(streams, interval)) >= 0

    def _left(self, streams: Sequence[StreamType], paces: Sequence[int]) -> Fraction:
        """Bits per cycle that the streams leave over; negative where they take more than there is."""
        return self.bits_per_cycle - sum(Fraction(s.payload_bits, p) for s, p in zip(streams, paces, strict=True))

    def _hurried(self, streams: Sequence[StreamType], paces: Sequence[int]) -> tuple[int, ...]:
        """Faster paces within what is left over, streams of few beats first."""
        hurried = list(paces)
        for index in sorted(range(len(streams)), key=lambda i: streams[i].beats):
            bits = streams[index].payload_bits
            most = Fraction(bits, hurried[index]) + self._left(streams, hurried)
            hurried[index] = max(1, math.ceil(bits / most))
        return tuple(hurried)


def _paces(streams: Sequence[StreamType], interval: int) -> tuple[int, ...]:
    """Cycles per beat with which each stream has its beats within ``interval`` cycles, or one beat per cycle."""
    return tuple(max(1, interval // s.beats) for s in streams)


@dataclass(frozen=True)
class Platform:
    """Sites and channels.

    Attributes:
        sites: a partition names them by index: the devices first.
        channels: at most one from a site to another.
    """

    sites: tuple[Site, ...]
    channels: tuple[Channel, ...] = ()

    def __post_init__(self) -> None:
        ends = [(c.source, c.target) for c in self.channels]
        for source, target in ends:
            if not (0 <= source < len(self.sites) and 0 <= target < len(self.sites)) or source == target:
                raise IllegalGraph(f"a channel joins two of {len(self.sites)} sites, not {source} and {target}")
        if len(set(ends)) != len(ends):
            raise IllegalGraph("two channels lead from one site to the same other one")

    @classmethod
    def connected(
        cls, topology: Topology, devices: Sequence[str], bandwidth_gbps: float, latency_ns: float, clock_mhz: float
    ) -> Platform:
        """Devices joined by equal links.

        Args:
            topology: ``chain`` and ``ring`` connect neighbours, ``full`` connects all pairs.
            devices: their names.
            bandwidth_gbps: payload bandwidth of each direction of a link; rounded down to a multiple of the least.
            latency_ns: one way; rounded up to whole cycles.
            clock_mhz: of every device.

        Raises:
            IllegalGraph: two or more devices, and a link slower than the least bandwidth.
        """
        bits = math.floor(bandwidth_gbps * 1000 / clock_mhz / LEAST_BITS_PER_CYCLE) * LEAST_BITS_PER_CYCLE
        latency = max(1, math.ceil(latency_ns * clock_mhz / 1000))
        pairs = [p for a, b in _neighbours(topology, len(devices)) for p in ((a, b), (b, a))]
        return cls(tuple(Site(name) for name in devices), tuple(Channel(*ends, bits, latency) for ends in pairs))

    def route(self, source: int, target: int) -> tuple[Channel, ...]:
        """The channels of a shortest way, in order; none when the sites are the same.

        The rest of a way from any site on it is the way from there.

        Raises:
            IllegalGraph: there is no way.
        """
        way: list[Channel] = []
        while source != target:
            channel = self._first.get((source, target))
            if channel is None:
                raise IllegalGraph(f"no channel leads from site {source} to site {target}")
            way.append(channel)
            source = channel.target
        return tuple(way)

    @cached_property
    def _first(self) -> dict[tuple[int, int], Channel]:
        """The first channel of the way between two different sites."""
        into: list[list[Channel]] = [[] for _ in self.sites]
        for channel in self.channels:
            into[channel.target].append(channel)
        first: dict[tuple[int, int], Channel] = {}
        for target in range(len(self.sites)):
            ahead = deque([target])
            while ahead:
                here = ahead.popleft()
                if here != target and not self.sites[here].forwards:
                    continue
                for channel in into[here]:
                    if channel.source != target and (channel.source, target) not in first:
                        first[channel.source, target] = channel
                        ahead.append(channel.source)
        return first


def _neighbours(topology: Topology, devices: int) -> Iterator[tuple[int, int]]:
    """Pairs of devices that a link joins."""
    match topology:
        case "full":
            yield from itertools.combinations(range(devices), 2)
        case "chain":
            yield from itertools.pairwise(range(devices))
        case "ring":
            yield from itertools.pairwise(range(devices))
            if devices > 2:
                yield devices - 1, 0
