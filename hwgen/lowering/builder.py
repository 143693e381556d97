"""Wiring: operators are added with the lanes that they want, and forks, lane adapters and links appear between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.operator import Operator
from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.operators.fork import MAX_COPIES, fork
from hwgen.hardware.operators.link import Link
from hwgen.hardware.platform import Channel, Platform
from hwgen.hardware.streams import StreamType
from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class Signal:
    """The output of an instance (or of the outside world, when ``endpoint`` is None) on a device."""

    endpoint: Endpoint | None
    type: StreamType
    device: int
    name: str


@dataclass
class _Use:
    endpoint: Endpoint | None  # None: an output of the design
    lanes: int
    device: int
    name: str


@dataclass(frozen=True)
class _Crossing:
    """A stream over a channel; the link's parameters follow when all crossings of the channel are known."""

    link: str
    type: StreamType
    source: str


@dataclass
class DesignBuilder:
    """Collects instances, then ``finish`` wires them.

    Args:
        name: of the design.
        platform: its devices and the ways between them.
    """

    name: str
    platform: Platform
    _instances: list[Instance] = field(default_factory=list)
    _streams: list[Stream] = field(default_factory=list)
    _signals: dict[str, Signal] = field(default_factory=dict)
    _uses: dict[str, list[_Use]] = field(default_factory=dict)
    _source: dict[str, str] = field(default_factory=dict)
    _crossings: dict[Channel, list[_Crossing]] = field(default_factory=dict)

    def add_input(self, name: str, kind: StreamType, device: int) -> Signal:
        """A stream from the outside world into ``device``."""
        return self._signal(Signal(None, kind, device, name), name)

    def add(
        self,
        name: str,
        operator: Operator,
        contents: Mapping[str, Array],
        inputs: Mapping[str, Signal],
        device: int,
        source: str,
    ) -> Signal:
        """Add an operator with one output ``out``; its inputs are adapted to the lanes that it takes.

        Returns:
            Its output.
        """
        self._instances.append(Instance(name, operator, contents, device, source))
        for port, signal in inputs.items():
            use = _Use(Endpoint(name, port), operator.inputs[port].lanes, device, f"{name}_{port}")
            self._uses[signal.name].append(use)
        return self._signal(Signal(Endpoint(name, "out"), operator.outputs["out"], device, name), source)

    def add_output(self, name: str, signal: Signal, device: int) -> None:
        """Send ``signal`` to the outside world from ``device``."""
        self._uses[signal.name].append(_Use(None, signal.type.lanes, device, name))

    def _signal(self, signal: Signal, source: str) -> Signal:
        self._signals[signal.name] = signal
        self._uses[signal.name] = []
        self._source[signal.name] = source
        return signal

    def finish(self) -> Design:
        """Wire every signal to its uses."""
        for signal in list(self._signals.values()):
            uses = self._uses[signal.name]
            if uses:
                self._deliver(signal, uses, self._source[signal.name])
        for channel, crossings in self._crossings.items():
            self._share(channel, crossings)
        return Design(self.name, _topological(self._instances, self._streams), tuple(self._streams))

    def _deliver(self, signal: Signal, uses: list[_Use], source: str) -> None:
        """Connect ``signal`` to its uses: fork once, then one branch per local use and per neighbouring device."""
        hops: dict[Channel, list[_Use]] = {}
        local: list[_Use] = []
        for use in uses:
            if use.device == signal.device:
                local.append(use)
            else:
                hops.setdefault(self.platform.route(signal.device, use.device)[0], []).append(use)
        ways = [*[(None, [use]) for use in local], *hops.items()]
        heads = [signal] if len(ways) == 1 else self._fork(signal, len(ways), source)
        for head, (channel, branch) in zip(heads, ways, strict=True):
            if channel is None:
                self._connect(head, branch[0], source)
            else:
                self._deliver(self._hop(head, channel, source), branch, source)

    def _fork(self, signal: Signal, count: int, source: str) -> list[Signal]:
        """``count`` copies of a signal; more than one fork can make come from a tree."""
        name = f"{signal.name}_fork"
        width = min(count, MAX_COPIES)
        self._instances.append(Instance(name, fork(signal.type, width), {}, signal.device, source))
        self._wire(signal, Endpoint(name, "in"), f"{name}_in")
        heads = [Signal(Endpoint(name, f"out{i}"), signal.type, signal.device, f"{name}{i}") for i in range(width)]
        return heads if count == width else [*heads[:-1], *self._fork(heads[-1], count - width + 1, source)]

    def _hop(self, signal: Signal, channel: Channel, source: str) -> Signal:
        name = f"{signal.name}_link{channel.source}to{channel.target}"
        self._crossings.setdefault(channel, []).append(_Crossing(name, signal.type, source))
        self._wire(signal, Endpoint(name, "in"), f"{name}_in")
        return Signal(Endpoint(name, "out"), signal.type, channel.target, name)

    def _share(self, channel: Channel, crossings: list[_Crossing]) -> None:
        """The links of a channel, each with its part of the bandwidth."""
        paces = channel.beat_cycles([c.type for c in crossings])
        for crossing, pace in zip(crossings, paces, strict=True):
            operator = Link.paced(crossing.type, pace, channel.latency_cycles)
            self._instances.append(Instance(crossing.link, operator, {}, channel.source, crossing.source))

    def _connect(self, signal: Signal, use: _Use, source: str) -> None:
        if signal.type.lanes != use.lanes:
            assert signal.type.format.block == 0
            name = f"{use.name}_adapt"
            flat = replace(signal.type, tokens=1, features=signal.type.tokens * signal.type.features)
            adapter = Adapter(signal.type if signal.type.features % use.lanes == 0 else flat, use.lanes)
            self._instances.append(Instance(name, adapter, {}, signal.device, source))
            self._wire(signal, Endpoint(name, "in"), f"{name}_in")
            signal = Signal(Endpoint(name, "out"), adapter.outputs["out"], signal.device, name)
        self._wire(signal, use.endpoint, use.name)

    def _wire(self, signal: Signal, consumer: Endpoint | None, name: str) -> None:
        if signal.endpoint is None:
            name = signal.name  # an input stream keeps the name that the outside world knows
        self._streams.append(Stream(name, signal.type, signal.endpoint, consumer))


def _topological(instances: list[Instance], streams: list[Stream]) -> tuple[Instance, ...]:
    by_name = {i.name: i for i in instances}
    feeds: dict[str, list[str]] = {i.name: [] for i in instances}
    for stream in streams:
        if stream.producer and stream.consumer:
            feeds[stream.consumer.instance].append(stream.producer.instance)
    placed: dict[str, Instance] = {}
    stack = [i.name for i in reversed(instances)]
    while stack:
        name = stack[-1]
        waiting = [f for f in feeds[name] if f not in placed]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        placed.setdefault(name, by_name[name])
    return tuple(placed.values())
