"""Wire models: what the API accepts and answers. Strict, with ranges; extra keys are refused in bodies."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from explorer.spec import METRIC_ALIASES, JobSpec

Metric = Literal[
    "accuracy",
    "float_accuracy",
    "meas_latency_cycles",
    "meas_interval_cycles",
    "clock_mhz",
    "latency_ns",
    "throughput_per_s",
    "est_lut",
    "est_ff",
    "est_dsp",
    "est_bram_kb",
    "est_uram_kb",
    "est_power_w",
    "est_energy_uj_per_inference",
    "devices_used",
    "link_bytes_per_inference",
]
# What needs a clock once had names that said "measured"; bodies may still use them, answers never do.
MetricName = Annotated[
    Metric,
    BeforeValidator(lambda name: METRIC_ALIASES.get(name, name) if isinstance(name, str) else name),
    Field(
        description="a metric of the trial record; "
        + " and ".join(f"`{old}` is still read as `{new}`" for old, new in METRIC_ALIASES.items())
    ),
]
JobState = Literal[
    "queued", "running", "paused", "stopping", "cancelling", "succeeded", "failed", "cancelled"
]  # fmt: skip
EndReason = Literal[
    "budget_trials", "budget_seconds", "space_exhausted", "stopped", "cancelled", "no_feasible_design",
    "evaluations_failed", "search_failed",
]  # fmt: skip
TrialState = Literal["queued", "running", "complete", "infeasible", "failed", "cancelled"]
# pydantic puts these into error locations; JSON pointers leave them out.
UNION_TAGS = ("(name)", "(description)")
TERMINAL_JOB_STATES = frozenset({"succeeded", "failed", "cancelled"})

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0" * 64])]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
LabelKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Bits = Annotated[int, Field(ge=1, le=16)]


# In openapi.json a place that is marked so has the schema of a job body: ``api.openapi`` puts the reference there.
SCHEMA_MARK = "x-schema"
AS_JOB_BODY = Field(json_schema_extra={SCHEMA_MARK: "JobBody"})


class Body(BaseModel):
    """A request body: strict types, no extra keys, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DeviceShape(Body):
    """One FPGA: capacities in units of its family, off-chip bandwidth (GB/s), static power (W), default clock (MHz).

    The family decides what a LUT is (four inputs in ECP5, else six), and how operators are estimated.
    """

    name: Name = Field(description="what records call it")
    family: Literal["ultrascale_plus", "series7", "ecp5"] = Field("ultrascale_plus", description="family of the fabric")
    lut: int = Field(ge=1, le=10**9, description="LUTs")
    ff: int = Field(ge=1, le=10**9, description="flip-flops")
    dsp: int = Field(ge=0, le=10**8, description="DSP blocks")
    bram_kb: float = Field(ge=0, le=10**9, description="block RAM, Kbit")
    uram_kb: float = Field(0, ge=0, le=10**9, description="UltraRAM, Kbit")
    off_chip_gb_per_s: float = Field(ge=0, le=10**6, description="bandwidth to memory off the chip, GB/s")
    static_w: float = Field(ge=0, le=10**4, description="static power, W")
    default_clock_mhz: float = Field(ge=1, le=2000, description="clock where the platform names none, MHz")


class PlatformDevice(Body):
    """``count`` equal devices: the name of a catalogue part, or a device of the user's own."""

    device: Annotated[
        Annotated[Name, Tag(UNION_TAGS[0])] | Annotated[DeviceShape, Tag(UNION_TAGS[1])],
        Discriminator(lambda v: UNION_TAGS[0] if isinstance(v, str) else UNION_TAGS[1]),
    ] = Field(description="name of a catalogue part, or a device of your own")
    count: int = Field(1, ge=1, le=64, description="how many of it")


class Link(Body):
    """Links between devices: payload bandwidth (Gbit/s) and one-way latency (ns)."""

    topology: Literal["chain", "ring", "full"] = Field("chain", description="which devices are neighbours")
    bandwidth_gbps: float = Field(100.0, gt=0, le=100_000, description="payload bandwidth of a direction, Gbit/s")
    latency_ns: float = Field(500.0, ge=0, le=1e9, description="one-way latency, ns")


class Platform(Body):
    """Devices, links and clock; without a clock, the slowest device's default."""

    devices: list[PlatformDevice] = Field(
        [PlatformDevice(device="u250", count=1)], min_length=1, max_length=16, description="devices, at most 64 in all"
    )
    link: Link = Field(Link(), description="links between the devices")
    clock_mhz: float | None = Field(None, ge=1, le=2000, description="clock, MHz; null: the slowest device's default")

    @model_validator(mode="after")
    def _few_devices(self) -> Self:
        if sum(d.count for d in self.devices) > 64:
            raise ValueError("a platform has at most 64 devices in all")
        return self


class Space(Body):
    """What the search may choose from; bits are integer widths or MXINT mantissa widths."""

    formats: list[Literal["int", "mxint", "mxfp"]] = Field(
        ["int"], min_length=1, max_length=3, description="families of number formats"
    )
    weight_bits: list[Bits] = Field([2, 3, 4, 6, 8], min_length=1, max_length=16, description="widths of weights, bits")
    activation_bits: list[Bits] = Field(
        [4, 6, 8], min_length=1, max_length=16, description="widths of activations, bits"
    )
    mx_blocks: list[Annotated[int, Field(ge=8, le=32)]] = Field(
        [16], min_length=1, max_length=8, description="block lengths of MXINT, elements"
    )
    max_lanes: int = Field(64, ge=1, le=4096, description="most elements that an operator takes or gives per cycle")
    partition: list[Literal["pipeline", "tensor"]] = Field(
        ["pipeline"],
        min_length=1,
        max_length=2,
        description="`pipeline`: the model is cut between devices; `tensor`: its products are split over them",
    )
    per_channel: bool = Field(True, description="a weight scale for each output channel, not one for the tensor")
    rounding: Literal["half_up", "half_even", "floor"] = Field("half_up", description="rounding of activations")

    @model_validator(mode="after")
    def _no_repeats(self) -> Self:
        for name in ("formats", "weight_bits", "activation_bits", "mx_blocks", "partition"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} repeats a value")
        return self


class Objective(Body):
    """A metric of the trial record and the direction that is better."""

    metric: MetricName
    direction: Literal["maximize", "minimize"] = Field(description="which values are better")


class Constraint(Body):
    """Bounds on one metric, in its unit; at least one of them."""

    metric: MetricName
    min: float | None = Field(None, description="least value that is feasible")
    max: float | None = Field(None, description="greatest value that is feasible")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max: no value can lie between them")
        return self


class Search(Body):
    """Sampler, budgets, parallelism and seed."""

    sampler: Literal["auto", "tpe", "nsga2", "nsga3", "gp", "random", "exhaustive"] = Field(
        "auto", description="`auto`: exhaustive where the budget covers the space, else TPE"
    )
    trials: int = Field(100, ge=1, le=100_000, description="candidates to evaluate")
    wall_seconds: float = Field(900.0, gt=0, le=7 * 86_400, description="seconds that the job may be worked on")
    parallel_trials: int = Field(2, ge=1, le=256, description="candidates evaluated at a time")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="seed of the sampler and of everything drawn at random")


class Simulation(Body):
    """Samples streamed through every candidate, and the back-pressure applied at the output."""

    samples: int = Field(4, ge=1, le=1024, description="samples streamed through every candidate")
    backpressure: Literal["none", "random", "stalls"] = Field("none", description="when the output is not taken")


class Routing(Body):
    """Designs of the front that are placed and routed after the search, where the devices have an open flow."""

    designs: int = Field(1, ge=0, le=1000, description="those of the highest throughput first; 0: none")


def _default_objectives() -> list[Objective]:
    return [
        Objective(metric="accuracy", direction="maximize"),
        Objective(metric="throughput_per_s", direction="maximize"),
        Objective(metric="est_lut", direction="minimize"),
    ]


class JobBody(Body):
    """An exploration to start. Every field but ``model`` has a default."""

    model: Digest = Field(description="id of an uploaded model")
    dataset: Digest | None = Field(None, description="id of uploaded evaluation data; null: generated inputs")
    metric: Literal["top1", "top5", "perplexity", "mse", "cosine", "agreement"] | None = Field(
        None, description="what `accuracy` is; null: what fits the data"
    )
    output: Name | None = Field(
        None,
        description="the model's output to judge, as `graph.outputs` names it; null judges all, and `accuracy` is the "
        "worst of their figures",
    )
    platform: Platform = Field(default_factory=Platform, description="devices, links and clock")
    space: Space = Field(default_factory=Space, description="what the search may choose from")
    objectives: list[Objective] = Field(
        default_factory=_default_objectives, min_length=1, max_length=6, description="what makes a design better"
    )
    constraints: list[Constraint] = Field(
        default_factory=list, max_length=32, description="what makes a design feasible"
    )
    search: Search = Field(default_factory=Search, description="sampler, budgets and seed")
    simulation: Simulation = Field(default_factory=Simulation, description="how every candidate is simulated")
    routing: Routing = Field(default_factory=Routing, description="which designs are placed and routed at the end")
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, max_length=64, description="labels of your own, to find the job by"
    )

    @model_validator(mode="after")
    def _distinct_objectives(self) -> Self:
        names = [o.metric for o in self.objectives]
        if len(set(names)) != len(names):
            raise ValueError("two objectives name the same metric")
        return self

    def to_spec(self) -> JobSpec:
        """The specification the search runs on, with defaults; ``metric`` and ``objectives`` stay open if left out."""
        data = self.model_dump(mode="json")
        if "objectives" not in self.model_fields_set:
            data["objectives"] = []  # the direction of the default depends on the metric, and that on the data
        for entry in data["platform"]["devices"]:
            if isinstance(entry["device"], dict):
                entry["custom"] = entry["device"]
                entry["device"] = entry["device"]["name"]
        return JobSpec.from_json(data)


class JobPatch(Body):
    """New limits for a job that has not ended; only the fields given change."""

    trials: int | None = Field(None, ge=1, le=100_000, description="candidates to evaluate in all")
    wall_seconds: float | None = Field(
        None, gt=0, le=7 * 86_400, description="seconds that the job may be worked on in all"
    )
    parallel_trials: int | None = Field(None, ge=1, le=256, description="candidates evaluated at a time")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.trials is None and self.wall_seconds is None and self.parallel_trials is None:
            raise ValueError("give trials, wall_seconds or parallel_trials")
        return self


class SweepBody(Body):
    """Many jobs: an explicit list, or a base body and a matrix of values by JSON pointer (all combinations)."""

    jobs: list[Annotated[dict[str, Any], AS_JOB_BODY]] | None = Field(
        None, min_length=1, max_length=256, description="the bodies, each accepted or refused for itself"
    )
    base: dict[str, Any] | None = Field(
        None, description="a job body; what the matrix sets may be left out, so it need not be complete"
    )
    matrix: dict[Annotated[str, Field(pattern=r"^/[^\x00-\x1f]{1,200}$")], list[Any]] | None = Field(
        None,
        min_length=1,
        max_length=8,
        description="JSON pointer into the base -> values to set there; the sweep has a job for each combination",
        examples=[{"/search/seed": [0, 1, 2], "/platform/clock_mhz": [200, 300]}],
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.jobs is None) == (self.base is None or self.matrix is None) or (
            self.jobs is not None and (self.base is not None or self.matrix is not None)
        ):
            raise ValueError("give either jobs, or base and matrix")
        return self
