"""Emission: a hardware graph as SystemVerilog text, memory files and a signature. It prints and decides nothing.

The library modules hold all behaviour; the emitted modules only instantiate them, wire them and set parameters. A
design on one device is one module. A design on several devices is one module per device and a top level that holds
them and the links between them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import Design, Instance, Stream
from hwgen.hardware.emit.signature import device_module, signature, top_module
from hwgen.hardware.library import RTL_DIRECTORY, parameter_literal, stream_ports

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,199}")
CLOCK, RESET = "clk_i", "rst_ni"


@dataclass(frozen=True)
class Emission:
    """The text of a design.

    Attributes:
        top: name of the top module.
        modules: emitted file name to SystemVerilog text; one module per file, the file has the module's name.
        library: names of the library modules that they instantiate, sorted.
        memories: memory file name (relative to ``mem/``) to ``$readmemh`` text.
        signature: the content of ``signature.json``.
    """

    top: str
    modules: Mapping[str, str]
    library: tuple[str, ...]
    memories: Mapping[str, str]
    signature: Mapping[str, Any]

    def files(self, rtl_directory: Path = RTL_DIRECTORY) -> dict[str, str]:
        """Everything that a tool reads, by path: ``rtl/`` with the library's part, and ``mem/``."""
        rtl = {f"{name}.sv": (rtl_directory / f"{name}.sv").read_text() for name in self.library}
        rtl |= {
            path.name: path.read_text() for path in sorted(rtl_directory.iterdir()) if path.suffix in (".svh", ".vlt")
        }
        rtl |= self.modules
        return {f"rtl/{name}": text for name, text in rtl.items()} | {
            f"mem/{name}": text for name, text in self.memories.items()
        }

    def write(self, directory: Path, rtl_directory: Path = RTL_DIRECTORY) -> None:
        """Write ``files`` below ``directory``. Tools must run there: memory file names are relative to it."""
        for name, text in self.files(rtl_directory).items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


@dataclass(frozen=True)
class Pin:
    """One stream of a cell: the port prefix, its direction seen from the cell, and the stream."""

    prefix: str
    direction: str
    stream: Stream


@dataclass(frozen=True)
class Cell:
    """One module instance of the text."""

    name: str
    module: str
    comment: str
    parameters: tuple[tuple[str, str], ...]
    pins: tuple[Pin, ...]


def emit(design: Design) -> Emission:
    """Print a verified design.

    Raises:
        IllegalGraph: a name is no identifier, or two names would collide in the text.
    """
    _check_names(design)
    top = top_module(design)
    memories: dict[str, str] = {}
    cells = {instance.name: _operator_cell(design, instance, memories) for instance in design.instances}
    outer = list(cells.values())
    modules: dict[str, str] = {}
    if len(design.devices) > 1:
        outer = [cells[link.name] for link in design.links]
        for device, members in design.devices.items():
            name, ports = device_module(design, device), design.boundary(members)
            modules[f"{name}.sv"] = _module(name, f"Device {device} of {top}", [cells[i.name] for i in members], ports)
            outer.append(_device_cell(name, device, ports))
    modules[f"{top}.sv"] = _module(top, _purpose(design), outer, design.boundary(design.instances))
    library = {name for i in design.instances for name in (i.operator.module, *i.operator.uses)}
    return Emission(top, modules, tuple(sorted(library)), memories, signature(design))


def _purpose(design: Design) -> str:
    return f"Top level: {len(design.instances)} operators, {len(design.streams)} streams"


def _operator_cell(design: Design, instance: Instance, memories: dict[str, str]) -> Cell:
    operator = instance.operator
    parameters = [(name, parameter_literal(value)) for name, value in operator.rtl_parameters().items()]
    for tag, image in operator.memory_images(instance.contents).items():
        text = image.text()
        file = f"{instance.name}_{tag}_{hashlib.sha256(text.encode()).hexdigest()[:12]}.mem"
        memories[file] = text
        parameters.append((file_parameter(tag), f'"mem/{file}"'))
    pins = [Pin(port, "in", design.into[instance.name, port]) for port in operator.inputs]
    pins += [Pin(port, "out", design.out_of[instance.name, port]) for port in operator.outputs]
    comment = f"node {_printable(instance.source)}" if instance.source else "inserted by lowering"
    return Cell(f"u_{instance.name}", operator.module, comment, tuple(parameters), tuple(pins))


def _device_cell(module: str, device: int, streams: Sequence[tuple[str, Stream]]) -> Cell:
    pins = tuple(Pin(stream.name, direction, stream) for direction, stream in streams)
    return Cell(f"u_dev{device}", module, f"device {device}", (), pins)


def file_parameter(tag: str) -> str:
    """The RTL parameter that names the memory file of a tag: ``weight_exp`` to ``WeightExpFile``."""
    return "".join(part.capitalize() for part in tag.split("_")) + "File"


def _module(name: str, purpose: str, cells: Sequence[Cell], ports: Sequence[tuple[str, Stream]]) -> str:
    outside = {stream.name for _, stream in ports}
    inside = {pin.stream.name: pin.stream for cell in cells for pin in cell.pins if pin.stream.name not in outside}
    lines = [f"/// {purpose}. Generated text: behaviour lives in the dse_ modules.", f"module {name} ("]
    lines += [f"  input  logic {CLOCK},", f"  input  logic {RESET},  // active low, synchronous"]
    declarations = [line for direction, stream in ports for line in _port_lines(direction, stream)]
    lines += [line + ("," if n + 1 < len(declarations) else "") for n, line in enumerate(declarations)]
    lines += [");", *([""] if inside else [])]
    for stream in inside.values():
        lines += _wire_lines(stream)
    for cell in cells:
        lines += ["", *_cell_lines(cell, outside)]
    return "\n".join([*lines, "", "endmodule", ""])


def _port_lines(direction: str, stream: Stream) -> Iterator[str]:
    forward, backward = ("input ", "output") if direction == "in" else ("output", "input ")
    valid, ready, payload, last = stream_ports(stream.name, direction)
    yield f"  {forward} logic {valid}"
    yield f"  {backward} logic {ready}"
    yield f"  {forward} logic [{stream.type.payload_bits - 1}:0] {payload}"
    yield f"  {forward} logic {last}"


def _wire_lines(stream: Stream) -> list[str]:
    kind, name = stream.type, stream.name
    return [
        f"  // {name}: {kind.beats} beats a sample, {kind.lanes} lanes of {kind.format.text}",
        f"  logic {name}_valid, {name}_ready, {name}_last;",
        f"  logic [{kind.payload_bits - 1}:0] {name}_payload;",
    ]


def _cell_lines(cell: Cell, outside: set[str]) -> Iterator[str]:
    yield f"  // {cell.comment}"
    if cell.parameters:
        yield f"  {cell.module} #("
        yield ",\n".join(f"    .{name}({value})" for name, value in cell.parameters)
        yield f"  ) {cell.name} ("
    else:
        yield f"  {cell.module} {cell.name} ("
    connections = [f".{CLOCK}({CLOCK}), .{RESET}({RESET})"]
    for pin in cell.pins:
        ports = stream_ports(pin.prefix, pin.direction)
        if pin.stream.name in outside:
            nets = stream_ports(pin.stream.name, pin.direction)
        else:
            nets = tuple(f"{pin.stream.name}_{part}" for part in ("valid", "ready", "payload", "last"))
        connections.append(", ".join(f".{port}({net})" for port, net in zip(ports, nets, strict=True)))
    yield ",\n".join(f"    {line}" for line in connections)
    yield "  );"


def _printable(source: str) -> str:
    """A node's own name for a comment: it comes from an upload, so everything but harmless characters is replaced."""
    return re.sub(r"[^A-Za-z0-9_./:-]", "_", source)[:120]


def _check_names(design: Design) -> None:
    for name in (design.name, *(i.name for i in design.instances), *(s.name for s in design.streams)):
        if not IDENTIFIER.fullmatch(name):
            raise IllegalGraph(f"{name!r} is no identifier, so it cannot be emitted")
    nets = [f"u_{i.name}" for i in design.instances] + [f"u_dev{d}" for d in design.devices]
    for stream in design.streams:
        nets += [f"{stream.name}_{part}" for part in ("valid", "ready", "payload", "last")]
        nets += [*stream_ports(stream.name, "in"), *stream_ports(stream.name, "out")]
    if len(set(nets)) != len(nets):
        twice = sorted({n for n in nets if nets.count(n) > 1})
        raise IllegalGraph(f"{design.name}: the names {', '.join(twice[:4])} would be used twice in the text")
