"""What a trial says of its design: the plans, the metrics, and the figures of operators, devices and streams."""

from __future__ import annotations

from pydantic import Field

from api.views import OpenView, View, absent_unless_known


class FormatsView(View):
    """Number formats of one node."""

    weight: str | None = Field(description="format of its weights; null when it has none")
    activation: str = Field(description="format of its output")


class LanesView(View):
    """Elements that one node takes and gives per cycle."""

    in_lanes: int = Field(description="elements taken per cycle")
    out_lanes: int = Field(description="elements given per cycle")


class CandidateView(View):
    """One point of the design space: three plans, by node of the model's graph, and how the graph is split."""

    quantization: dict[str, FormatsView] = Field(description="node -> number formats")
    parallelism: dict[str, LanesView] = Field(description="node -> elements per cycle")
    partition: dict[str, int | list[int]] = Field(
        description="node -> index of its device; of a node that is split, the device of each shard"
    )
    structure: dict[str, int] | None = absent_unless_known("`tensor`: shards of each group of products that is split")


class OperatorView(OpenView):
    """One operator of the design: a node of the pipeline. Cycles are counted in the simulation of all samples."""

    name: str = Field(description="name of the instance, unique in the design; streams refer to it")
    source: str = Field(description="node of the model that it implements; empty for what only moves words")
    device: int = Field(description="index of its device")
    role: str | None = absent_unless_known("`operator`; `buffer` for a FIFO; `link` between devices")
    module: str = Field(description="module of the RTL library")
    parameters: dict[str, int] = Field(description="parameters of the module")
    in_lanes: int | None = absent_unless_known("elements per beat of its first input")
    out_lanes: int | None = absent_unless_known("elements per beat of its first output")
    est_lut: float | None = absent_unless_known("estimated LUTs, of the family of its device")
    est_ff: float | None = absent_unless_known("estimated flip-flops")
    est_dsp: float | None = absent_unless_known("estimated DSP blocks")
    est_bram_kb: float | None = absent_unless_known("estimated block RAM, Kbit")
    model_interval_cycles: int = Field(description="cycles between samples when nothing holds it up, by its model")
    model_latency_cycles: int = Field(description="cycles from its first beat in to its first beat out, by its model")
    busy_cycles: int = Field(description="cycles with a transfer on any of its streams")
    blocked_cycles: int = Field(description="cycles without, in which a consumer held an output")
    starved_cycles: int = Field(description="cycles without, in which it waited for a producer")
    high_water_beats: int = Field(description="most beats inside; of a buffer, its fill")


class StreamView(OpenView):
    """One stream of the design: an edge of the pipeline."""

    name: str = Field(description="name of the stream, unique in the design")
    producer: str | None = Field(description="instance that drives it; null: it enters the design")
    consumer: str | None = Field(description="instance that takes it; null: it leaves the design")
    lanes: int = Field(description="elements per beat")
    format: str = Field(description="number format of its elements")
    bits: int = Field(description="bits of a beat")
    beats: int = Field(description="beats of one sample")
    transfers: int = Field(description="beats that were transferred in the simulation")


class CapacityView(View):
    """Resources of one device, or shares of them."""

    lut: float | None = absent_unless_known("LUTs")
    ff: float | None = absent_unless_known("flip-flops")
    dsp: float | None = absent_unless_known("DSP blocks")
    bram_kb: float | None = absent_unless_known("block RAM, Kbit")
    uram_kb: float | None = absent_unless_known("UltraRAM, Kbit")


class DeviceUseView(OpenView):
    """What a design needs of one device."""

    index: int = Field(description="index in the platform's list of devices")
    device: str = Field(description="name of the device")
    used: CapacityView = Field(description="estimated use")
    share: CapacityView = Field(description="used, as a share of what the device has; absent where it has none")


class HopView(OpenView):
    """What crosses from one device to another."""

    sender: int = Field(alias="from", description="index of the sending device")
    receiver: int = Field(alias="to", description="index of the receiving device")
    streams: int = Field(description="streams that share the channel")
    bytes_per_inference: float = Field(description="payload bytes per inference")
    bits_per_cycle: float = Field(description="payload bits that the channel takes per cycle")
    least_interval_cycles: int = Field(description="fewest cycles per inference that the transfer takes")


class OutputView(OpenView):
    """The quality of one of the model's outputs."""

    name: str = Field(description="name of the output")
    accuracy: float | None = absent_unless_known("quality of the integer model")
    float_accuracy: float | None = absent_unless_known("quality of the float model on the same data")


class TensorErrorView(OpenView):
    """The tensor that one node of the model makes, beside the float model's."""

    node: str = Field(description="node of the model's graph")
    format: str = Field(description="number format of its words")
    error: float = Field(
        description="RMS of the difference to the float tensor as a share of that one's, on the simulated samples; "
        "what the nodes before it added is in it"
    )


class MetricsView(OpenView):
    """Metrics of a trial: `est_` are models, `meas_` counted in simulation. One that was not reached is absent."""

    accuracy: float | None = absent_unless_known("quality of the integer model, in the job's `metric`")
    float_accuracy: float | None = absent_unless_known("quality of the float model on the same data")
    meas_latency_cycles: float | None = absent_unless_known(
        "cycles from the first beat in to the first sample out", "cycles"
    )
    meas_interval_cycles: float | None = absent_unless_known(
        "cycles between successive inferences, steady state", "cycles"
    )
    clock_mhz: float | None = absent_unless_known("the clock of what needs one; see `clock_source`", "MHz")
    latency_ns: float | None = absent_unless_known("measured latency at `clock_mhz`", "ns")
    throughput_per_s: float | None = absent_unless_known("inferences a second at `clock_mhz`", "inferences/s")
    est_fmax_mhz: float | None = absent_unless_known("clock that the slowest operator is estimated to reach", "MHz")
    meas_fmax_mhz: float | None = absent_unless_known("clock that the routed design reaches", "MHz")
    est_lut: float | None = absent_unless_known("LUTs of all devices")
    est_ff: float | None = absent_unless_known("flip-flops of all devices")
    est_dsp: float | None = absent_unless_known("DSP blocks of all devices")
    est_bram_kb: float | None = absent_unless_known("block RAM of all devices", "Kbit")
    est_uram_kb: float | None = absent_unless_known("UltraRAM of all devices", "Kbit")
    est_power_w: float | None = absent_unless_known("power at `clock_mhz`", "W")
    est_static_w: float | None = absent_unless_known("the static part of it", "W")
    est_dynamic_w: float | None = absent_unless_known("the dynamic part of it", "W")
    est_energy_uj_per_inference: float | None = absent_unless_known("energy of one inference", "µJ/inference")
    meas_toggles: float | None = absent_unless_known("bits of registers that changed in the simulation")
    devices_used: float | None = absent_unless_known("devices that the design is placed on")
    link_bytes_per_inference: float | None = absent_unless_known(
        "payload bytes that cross between devices", "bytes/inference"
    )
    operators: list[OperatorView] | None = absent_unless_known("with `detail=operators`: every operator")
    streams: list[StreamView] | None = absent_unless_known("with `detail=operators`: every stream between them")
    outputs: list[OutputView] | None = absent_unless_known("with `detail=operators`: every output that is judged")
    devices: list[DeviceUseView] | None = absent_unless_known("with `detail=operators`: every device in use")
    tensors: list[TensorErrorView] | None = absent_unless_known("with `detail=operators`: the tensor of every node")
    hops: list[HopView] | None = absent_unless_known("with `detail=operators`: every channel between devices in use")


def unit(metric: str) -> str:
    """The unit of a metric; "" for a count, a share, or a metric of another release."""
    field = MetricsView.model_fields.get(metric)
    extra = None if field is None else field.json_schema_extra
    return str(extra["x-unit"]) if isinstance(extra, dict) else ""
