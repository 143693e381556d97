"""Wiring: operators are added with the lanes that they want, and forks, lane adapters and links appear between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.operator import Operator
from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.operators.fork import MAX_COPIES, fork
from hwgen.hardware.streams import StreamType
from hwgen.numbers.arrays import Array

# Given the stream type and the two device indices of one hop, the link operator for it.
LinkMaker = Callable[[StreamType, int, int], Operator]
# Given the device that holds a word and the device that needs it, the next device on the way.
Route = Callable[[int, int], int]


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


@dataclass
class DesignBuilder:
    """Collects instances, then ``finish`` wires them.

    Args:
        name: of the design.
        link: makes the link operator of a hop; None on a single device.
        route: next device on the way from one to another.
    """

    name: str
    link: LinkMaker | None = None
    route: Route = lambda here, there: there
    _instances: list[Instance] = field(default_factory=list)
    _streams: list[Stream] = field(default_factory=list)
    _signals: dict[str, Signal] = field(default_factory=dict)
    _uses: dict[str, list[_Use]] = field(default_factory=dict)
    _source: dict[str, str] = field(default_factory=dict)

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
        return Design(self.name, _topological(self._instances, self._streams), tuple(self._streams))

    def _deliver(self, signal: Signal, uses: list[_Use], source: str) -> None:
        """Connect ``signal`` to its uses: fork once, then one branch per local use and per neighbouring device."""
        hops: dict[int, list[_Use]] = {}
        branches: list[list[_Use]] = []
        for use in uses:
            if use.device == signal.device:
                branches.append([use])
            else:
                hops.setdefault(self.route(signal.device, use.device), []).append(use)
        branches += hops.values()
        heads = [signal] if len(branches) == 1 else self._fork(signal, len(branches), source)
        for head, branch in zip(heads, branches, strict=True):
            here = branch[0].device == signal.device
            if here:
                self._connect(head, branch[0], source)
            else:
                self._deliver(self._hop(head, self.route(signal.device, branch[0].device), source), branch, source)

    def _fork(self, signal: Signal, count: int, source: str) -> list[Signal]:
        """``count`` copies of a signal; more than one fork can make come from a tree."""
        name = f"{signal.name}_fork"
        width = min(count, MAX_COPIES)
        self._instances.append(Instance(name, fork(signal.type, width), {}, signal.device, source))
        self._wire(signal, Endpoint(name, "in"), f"{name}_in")
        heads = [Signal(Endpoint(name, f"out{i}"), signal.type, signal.device, f"{name}{i}") for i in range(width)]
        return heads if count == width else [*heads[:-1], *self._fork(heads[-1], count - width + 1, source)]

    def _hop(self, signal: Signal, to: int, source: str) -> Signal:
        if self.link is None:
            raise AssertionError("a design on several devices needs links")
        name = f"{signal.name}_link{signal.device}to{to}"
        operator = self.link(signal.type, signal.device, to)
        self._instances.append(Instance(name, operator, {}, signal.device, source))
        self._wire(signal, Endpoint(name, "in"), f"{name}_in")
        return Signal(Endpoint(name, "out"), signal.type, to, name)

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
