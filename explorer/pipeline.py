"""A simulated design as a pipeline: figures of each operator, and the streams between them, as plain JSON types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.estimate import estimate_operator, resource_metrics
from hwgen.hardware.design import Design, Endpoint, Instance
from hwgen.hardware.operators.fifo import Fifo
from hwgen.simulation.measurement import Measurement
from hwgen.technology.catalogue import Device


def operator_detail(design: Design, devices: Sequence[Device], measured: Measurement) -> list[dict[str, Any]]:
    """What each operator is, needs and did, in topological order. A link is priced with the device that it leaves."""
    details = []
    for instance in design.instances:
        operator = instance.operator
        model = operator.cycles()
        details.append(
            {
                "name": instance.name,
                "source": instance.source,
                "device": instance.device,
                "role": _role(instance),
                **operator.describe(),
                "in_lanes": next((kind.lanes for kind in operator.inputs.values()), None),
                "out_lanes": next((kind.lanes for kind in operator.outputs.values()), None),
                **resource_metrics(estimate_operator(operator, devices[instance.device]), "est_"),
                "model_interval_cycles": model.interval,
                "model_latency_cycles": model.latency,
                **vars(measured.activity[instance.name]),
            }
        )
    return details


def stream_detail(design: Design, measured: Measurement) -> list[dict[str, Any]]:
    """What each stream carries, and between which operators."""
    return [
        {
            "name": stream.name,
            "producer": _instance(stream.producer),
            "consumer": _instance(stream.consumer),
            "lanes": stream.type.lanes,
            "format": stream.type.format.text,
            "bits": stream.type.payload_bits,
            "beats": stream.type.beats,
            "transfers": measured.transfers[stream.name],
        }
        for stream in design.streams
    ]


def _role(instance: Instance) -> str:
    if instance.operator.between_devices:
        return "link"
    return "buffer" if isinstance(instance.operator, Fifo) else "operator"


def _instance(end: Endpoint | None) -> str | None:
    return None if end is None else end.instance
