"""The hardware graph: operator instances wired by streams. Everything is decided here; emission only prints it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hwgen.errors import IllegalGraph
from hwgen.hardware.operator import Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class Instance:
    """One operator of a design.

    Attributes:
        name: identifier, unique in the design.
        operator: parameters.
        contents: constant tensors in their natural shapes.
        device: index of the device that it is placed on.
        source: name of the graph node that it implements.
    """

    name: str
    operator: Operator
    contents: Mapping[str, Array] = field(default_factory=dict)
    device: int = 0
    source: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One side of a stream: an instance and a port prefix."""

    instance: str
    port: str


@dataclass(frozen=True)
class Stream:
    """A wire between two instances; a missing producer or consumer is the outside world."""

    name: str
    type: StreamType
    producer: Endpoint | None
    consumer: Endpoint | None


@dataclass(frozen=True)
class Design:
    """Instances in topological order, and streams."""

    name: str
    instances: tuple[Instance, ...]
    streams: tuple[Stream, ...]

    @cached_property
    def by_name(self) -> dict[str, Instance]:
        """Instances by name."""
        return {i.name: i for i in self.instances}

    @cached_property
    def into(self) -> dict[tuple[str, str], Stream]:
        """The stream that feeds (instance, input port)."""
        return {(s.consumer.instance, s.consumer.port): s for s in self.streams if s.consumer}

    @cached_property
    def out_of(self) -> dict[tuple[str, str], Stream]:
        """The stream that (instance, output port) drives."""
        return {(s.producer.instance, s.producer.port): s for s in self.streams if s.producer}

    @property
    def inputs(self) -> tuple[Stream, ...]:
        """Streams that enter the design."""
        return tuple(s for s in self.streams if s.producer is None)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        """Streams that leave the design."""
        return tuple(s for s in self.streams if s.consumer is None)

    @cached_property
    def endless(self) -> frozenset[str]:
        """Names of the streams that a constant drives, directly or through other operators: they never stop."""
        names: set[str] = set()
        for instance in self.instances:
            feeding = {self.into[instance.name, port].name for port in instance.operator.inputs}
            if feeding <= names:
                names |= {self.out_of[instance.name, port].name for port in instance.operator.outputs}
        return frozenset(names)

    @cached_property
    def ahead(self) -> frozenset[str]:
        """Names of the streams that may begin a sample before any input of it has come: a constant comes first in it.

        Endless streams are among them. What such a stream sends ahead does not depend on the inputs, so it is the same
        in every sample.
        """
        names: set[str] = set()
        for instance in self.instances:
            ports = [port for port in instance.operator.inputs if self.into[instance.name, port].name in names]
            if instance.operator.runs_ahead(ports):
                names |= {self.out_of[instance.name, port].name for port in instance.operator.outputs}
        return frozenset(names)

    @cached_property
    def devices(self) -> dict[int, tuple[Instance, ...]]:
        """The instances on each device in use, by device index; links stand between devices and are left out."""
        placed = [i for i in self.instances if not i.operator.between_devices]
        return {d: tuple(i for i in placed if i.device == d) for d in sorted({i.device for i in placed})}

    @property
    def links(self) -> tuple[Instance, ...]:
        """The instances between devices."""
        return tuple(i for i in self.instances if i.operator.between_devices)

    def hop(self, link: Instance) -> tuple[int, int]:
        """The devices at the ends of a link: the sender and the receiver.

        Raises:
            IllegalGraph: it leads to the outside.
        """
        consumer = self.out_of[link.name, "out"].consumer
        if consumer is None:
            raise IllegalGraph(f"{self.name}: {link.name} leads to no device")
        return link.device, self.by_name[consumer.instance].device

    @property
    def hop_bits(self) -> dict[tuple[int, int], int]:
        """Payload bits per sample over each hop in use, of all its links together."""
        bits: dict[tuple[int, int], int] = {}
        for link in self.links:
            kind, hop = link.operator.inputs["in"], self.hop(link)
            bits[hop] = bits.get(hop, 0) + kind.beats * kind.payload_bits
        return bits

    def boundary(self, members: Iterable[Instance]) -> list[tuple[str, Stream]]:
        """The streams between ``members`` and everything else: (``in`` or ``out`` seen from them, stream), in order."""
        names = {i.name for i in members}
        result = []
        for stream in self.streams:
            produced = stream.producer is not None and stream.producer.instance in names
            consumed = stream.consumer is not None and stream.consumer.instance in names
            if produced != consumed:
                result.append(("out" if produced else "in", stream))
        return result


def verify_design(design: Design) -> None:
    """Check the legality table of the hardware graph.

    Raises:
        IllegalGraph: naming the instance or stream and the broken rule.
    """
    for problem in _problems(design):
        raise IllegalGraph(f"{design.name}: {problem}")


def _problems(design: Design) -> Iterator[str]:
    if len(design.by_name) != len(design.instances):
        yield "two instances have one name"
    seen: set[str] = set()
    for instance in design.instances:
        for port, kind in instance.operator.inputs.items():
            stream = design.into.get((instance.name, port))
            if stream is None:
                yield f"input {port} of {instance.name} is not connected"
            elif not stream.type.same_beats(kind):
                yield f"stream {stream.name} carries {stream.type}, but {instance.name}.{port} takes {kind}"
            elif stream.producer is not None and stream.producer.instance not in seen:
                yield f"{instance.name} reads {stream.producer.instance} before it is defined"
        for port, kind in instance.operator.outputs.items():
            stream = design.out_of.get((instance.name, port))
            if stream is None:
                yield f"output {port} of {instance.name} is not connected"
            elif stream.type != kind:
                yield f"stream {stream.name} carries {stream.type}, but {instance.name}.{port} gives {kind}"
        seen.add(instance.name)
    for stream in design.streams:
        for end in (stream.producer, stream.consumer):
            if end is not None and end.instance not in design.by_name:
                yield f"stream {stream.name} names the unknown instance {end.instance}"
    ends = [(e.instance, e.port, kind) for s in design.streams for e, kind in ((s.producer, 0), (s.consumer, 1)) if e]
    if len(set(ends)) != len(ends):
        yield "a port has two streams; use a fork"


def run_reference(design: Design, inputs: Mapping[str, Words], samples: int = 1) -> dict[str, Words]:
    """The integer reference of a whole design.

    Args:
        design: a verified design.
        inputs: words of each stream that enters, by stream name.
        samples: how often constants are repeated when no stream enters.

    Returns:
        Words of every stream, by stream name.
    """
    words = dict(inputs)
    samples = next((w.samples for w in inputs.values()), samples)
    for instance in design.instances:
        operator = instance.operator
        given = {
            port: words[design.into[instance.name, port].name].grouped(kind) for port, kind in operator.inputs.items()
        }
        for port, value in operator.reference(given, instance.contents).items():
            words[design.out_of[instance.name, port].name] = value if operator.inputs else value.repeated(samples)
    return words
