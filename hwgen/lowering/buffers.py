"""Buffer depths: computed from what operators can hold, so that no fork and join can block each other.

Where two paths leave one fork and meet again in one operator, the words that the longer path can hold inside must fit
into a buffer on the shorter one; then the fork never stalls because the join waits. Each operator declares how much of
a sample it can hold (``Operator.held``), so the need of a path is the sum over its operators, in samples, the join
included (a product of two streams takes a whole sample of the second one before it moves the first). What the shorter
path absorbs by itself (``Operator.absorbs``, and buffers that it already has) is subtracted. The depth of a buffer is
the difference as a fraction of its stream's beats, plus the beats that registers of the longer path delay.

Each fork is followed to the place where all its paths have met again (its immediate post-dominator) and no further:
paths that part behind that place part at another fork, which sees to them. So the depth of a buffer depends on what
lies between its fork and its join, not on how much of the design lies before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.operators.fifo import Fifo

REGISTER_BEATS_PER_OPERATOR = 4  # pipeline and spill registers that an operator on the longer path may fill


@dataclass(frozen=True)
class _Way:
    """From a fork to a place behind it, over all paths between: samples where not said otherwise.

    Attributes:
        held: most that is inside.
        hops: operators passed.
        absorbed: least that is taken in when the place stops.
    """

    held: Fraction
    hops: int
    absorbed: Fraction


def buffer_depths(design: Design) -> dict[str, int]:
    """Beats of buffer needed on each stream, by stream name; streams that need none are absent."""
    feeders, meetings = _feeders(design), _meetings(design)
    needs: dict[str, int] = {}
    for fork in design.instances:
        if len(fork.operator.outputs) < 2:
            continue
        ways = {fork.name: _Way(Fraction(0), 0, Fraction(0))}
        for instance in design.instances:
            entering = [(s, _through(ways, instance, s)) for s in feeders.get(instance.name, ())]
            reached = [(stream, way) for stream, way in entering if way is not None]
            for stream, way in reached:
                depth = _depth(stream, way, [other for s, other in reached if s is not stream])
                if depth:
                    needs[stream.name] = max(needs.get(stream.name, 0), depth)
            if reached:
                buffered = [way.absorbed + Fraction(needs.get(s.name, 0), s.type.beats) for s, way in reached]
                held, hops = max(w.held for _, w in reached), max(w.hops for _, w in reached)
                ways[instance.name] = _Way(held, hops, min(buffered))
            if instance.name == meetings[fork.name]:
                break
    return needs


def _depth(stream: Stream, way: _Way, others: Sequence[_Way]) -> int:
    """Beats of buffer on ``stream`` before a join that the other ways enter too."""
    if not others:
        return 0
    missing = max(Fraction(0), max(other.held for other in others) - way.absorbed)
    return math.ceil(missing * stream.type.beats) + REGISTER_BEATS_PER_OPERATOR * max(other.hops for other in others)


def _feeders(design: Design) -> Mapping[str, list[Stream]]:
    feeders: dict[str, list[Stream]] = {}
    for stream in design.streams:
        if stream.consumer:
            feeders.setdefault(stream.consumer.instance, []).append(stream)
    return feeders


def _meetings(design: Design) -> Mapping[str, str | None]:
    """Per instance, the first one behind it that all ways from it to the outside pass; None where there is none."""
    position = {instance.name: index for index, instance in enumerate(design.instances)}
    followers: dict[str, list[str | None]] = {name: [] for name in position}
    for stream in design.streams:
        if stream.producer:
            followers[stream.producer.instance].append(stream.consumer.instance if stream.consumer else None)
    meetings: dict[str, str | None] = {}
    for instance in reversed(design.instances):
        first, *others = followers[instance.name]
        for other in others:
            first = _common(first, other, meetings, position)
        meetings[instance.name] = first
    return meetings


def _common(
    a: str | None, b: str | None, meetings: Mapping[str, str | None], position: Mapping[str, int]
) -> str | None:
    """The first place that lies on all ways from ``a`` and on all ways from ``b``."""
    while a != b:
        if a is None or b is None:
            return None
        if position[a] < position[b]:
            a = meetings[a]
        else:
            b = meetings[b]
    return a


def _through(ways: Mapping[str, _Way], instance: Instance, stream: Stream) -> _Way | None:
    """The way from the fork over ``stream`` and through ``instance``; None when the fork is not on it."""
    before = ways.get(stream.producer.instance) if stream.producer else None
    if before is None or stream.consumer is None:
        return None
    operator, port = instance.operator, stream.consumer.port
    return _Way(before.held + operator.held(port), before.hops + 1, before.absorbed + operator.absorbs(port))


def insert_buffers(design: Design) -> Design:
    """The same design with a FIFO on every stream that needs one."""
    needs = buffer_depths(design)
    instances = {i.name: i for i in design.instances}
    streams: list[Stream] = []
    order: list[Instance] = []
    fifos: dict[str, list[Instance]] = {}
    for stream in design.streams:
        if stream.name not in needs or stream.producer is None or stream.consumer is None:
            streams.append(stream)
            continue
        name = f"{stream.name}_fifo"
        owner = instances[stream.consumer.instance]
        fifo = Instance(name, Fifo(stream.type, needs[stream.name]), {}, owner.device, owner.source)
        fifos.setdefault(owner.name, []).append(fifo)
        streams.append(replace(stream, name=f"{name}_in", consumer=Endpoint(name, "in")))
        streams.append(replace(stream, producer=Endpoint(name, "out")))
    for instance in design.instances:
        order += [*fifos.get(instance.name, ()), instance]
    return Design(design.name, tuple(order), tuple(streams))
