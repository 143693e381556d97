"""``signature.json``: what a user must know to drive the top level of a design."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hwgen.hardware.design import Design, Instance, Stream


def top_module(design: Design) -> str:
    """Name of the top module."""
    return f"gen_{design.name}"


def device_module(design: Design, device: int) -> str:
    """Name of the module of one device of a partitioned design."""
    return f"gen_{design.name}_dev{device}"


def signature(design: Design) -> dict[str, Any]:
    """The signature of a verified design as plain JSON types.

    ``devices`` and ``links`` are empty for a design on one device. A stream of a device has the name of the wire in the
    top level; a link joins two of them.
    """
    partitioned = len(design.devices) > 1
    return {
        "top": top_module(design),
        "clock": "clk_i",
        "reset": "rst_ni",
        "handshake": "<stream>_{valid,ready,payload,last}_{i,o}; a beat moves when valid and ready are high",
        "streams": _streams(design.boundary(design.instances)),
        "devices": [_device(design, d, members) for d, members in design.devices.items()] if partitioned else [],
        "links": [_link(design, link) for link in design.links] if partitioned else [],
    }


def _device(design: Design, device: int, members: Iterable[Instance]) -> dict[str, Any]:
    return {
        "device": device,
        "module": device_module(design, device),
        "streams": _streams(design.boundary(members)),
    }


def _link(design: Design, link: Instance) -> dict[str, Any]:
    """A link with the streams that enter and leave it, and the devices at its ends."""
    entering = [design.into[link.name, port] for port in link.operator.inputs]
    leaving = [design.out_of[link.name, port] for port in link.operator.outputs]
    source, target = design.hop(link)
    return {
        "name": link.name,
        "from_devices": [source],
        "to_devices": [target],
        "from_streams": [s.name for s in entering],
        "to_streams": [s.name for s in leaving],
        **link.operator.describe(),
    }


def _streams(boundary: Iterable[tuple[str, Stream]]) -> list[dict[str, Any]]:
    return [describe_stream(stream, direction) for direction, stream in boundary]


def describe_stream(stream: Stream, direction: str) -> dict[str, Any]:
    """One stream of a module: ``direction`` is ``in`` or ``out`` seen from the module."""
    kind = stream.type
    return {
        "name": stream.name,
        "direction": direction,
        "lanes": kind.lanes,
        "format": kind.format.describe(),
        "shape": [kind.tokens, kind.features],
        "order": "tokens, then features; lane 0 is lowest in the payload",
        "beats": kind.beats,
        "payload_bits": kind.payload_bits,
        "exponents_per_beat": kind.exponents_per_beat,
    }
