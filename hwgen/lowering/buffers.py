"""Buffer depths: computed from what operators can hold, so that no fork and join can block each other.

Where two paths leave one fork and meet again in one operator, the words that the longer path can hold inside must fit
into a buffer on the shorter one; then the fork never stalls because the join waits. Each operator declares how much of
a sample it can hold (``Operator.held``), so the need of a path is the sum over its operators, in samples; the depth of
a buffer is that fraction of its stream's beats, plus the beats that registers of the path delay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from hwgen.design import Design, Endpoint, Instance, Stream
from hwgen.operators.fifo import Fifo

REGISTER_BEATS_PER_OPERATOR = 4  # pipeline and spill registers that an operator on the longer path may fill


def buffer_depths(design: Design) -> dict[str, int]:
    """Beats of buffer needed on each stream, by stream name; streams that need none are absent."""
    feeders = _feeders(design)
    needs: dict[str, int] = {}
    for fork in design.instances:
        if len(fork.operator.outputs) < 2:
            continue
        longest = _longest_from(design, fork)
        for instance in design.instances:
            entering = {s.name: _entry(longest, fork, s) for s in feeders.get(instance.name, ())}
            reached = {name: entry for name, entry in entering.items() if entry is not None}
            if len(reached) < 2:
                continue
            for stream in feeders[instance.name]:
                others = [entry for name, entry in reached.items() if name != stream.name]
                if stream.name in reached and others:
                    held = max(o[0] for o in others)
                    hops = max(o[1] for o in others)
                    depth = math.ceil(held * stream.type.beats) + REGISTER_BEATS_PER_OPERATOR * hops
                    if depth:
                        needs[stream.name] = max(needs.get(stream.name, 0), depth)
    return needs


def _feeders(design: Design) -> Mapping[str, list[Stream]]:
    feeders: dict[str, list[Stream]] = {}
    for stream in design.streams:
        if stream.consumer:
            feeders.setdefault(stream.consumer.instance, []).append(stream)
    return feeders


def _longest_from(design: Design, fork: Instance) -> dict[str, tuple[Fraction, int]]:
    """Per instance reached from a fork: most of a sample held on the way including it, and operators passed."""
    longest: dict[str, tuple[Fraction, int]] = {fork.name: (Fraction(0), 0)}
    for instance in design.instances:
        if instance.name == fork.name:
            continue
        best: tuple[Fraction, int] | None = None
        for port in instance.operator.inputs:
            stream = design.into[instance.name, port]
            entry = _entry(longest, fork, stream)
            if entry is not None:
                through = (entry[0] + instance.operator.held(port), entry[1] + 1)
                best = through if best is None else (max(best[0], through[0]), max(best[1], through[1]))
        if best is not None:
            longest[instance.name] = best
    return longest


def _entry(longest: Mapping[str, tuple[Fraction, int]], fork: Instance, stream: Stream) -> tuple[Fraction, int] | None:
    return longest.get(stream.producer.instance) if stream.producer else None


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
