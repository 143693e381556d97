"""The search specification: a job body after validation and with its defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Sampler = Literal["auto", "tpe", "nsga2", "nsga3", "gp", "random", "exhaustive"]


@dataclass(frozen=True)
class PlatformDevice:
    """``count`` equal devices: a catalogue name, or a description in the shape of the catalogue."""

    device: str
    count: int = 1
    custom: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LinkSpec:
    """The links between neighbouring devices: payload bandwidth in Gbit/s, one-way latency in ns."""

    topology: Literal["chain", "ring", "full"] = "chain"
    bandwidth_gbps: float = 100.0
    latency_ns: float = 500.0


@dataclass(frozen=True)
class PlatformSpec:
    """Where the design runs; ``clock_mhz`` None means the slowest device's default clock."""

    devices: tuple[PlatformDevice, ...] = (PlatformDevice("u250", 1),)
    link: LinkSpec = LinkSpec()
    clock_mhz: float | None = None


@dataclass(frozen=True)
class SpaceSpec:
    """What the search may choose from.

    ``formats`` holds ``int`` and/or ``mxint``; ``mx_blocks`` are block lengths; ``weight_bits`` are integer
    widths or MXINT mantissa widths.
    """

    formats: tuple[str, ...] = ("int",)
    weight_bits: tuple[int, ...] = (2, 3, 4, 6, 8)
    activation_bits: tuple[int, ...] = (4, 6, 8)
    mx_blocks: tuple[int, ...] = (16,)
    max_lanes: int = 64
    partition: tuple[str, ...] = ("pipeline",)
    per_channel: bool = True
    rounding: str = "half_up"


@dataclass(frozen=True)
class Objective:
    """A metric name of the trial record and its direction."""

    metric: str
    direction: Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Constraint:
    """Bounds on one metric; at least one of ``min`` and ``max`` is set."""

    metric: str
    min: float | None = None
    max: float | None = None

    def violation(self, value: float) -> float:
        """How far ``value`` lies outside the bounds, in the metric's unit; zero or negative when it is met."""
        excess = [] if self.max is None else [value - self.max]
        return max(excess if self.min is None else [*excess, self.min - value])


@dataclass(frozen=True)
class SearchParameters:
    """Sampler and budgets. ``trials`` counts candidates told to the search, ``wall_seconds`` bounds the job."""

    sampler: Sampler = "auto"
    trials: int = 100
    wall_seconds: float = 900.0
    parallel_trials: int = 2
    seed: int = 0


@dataclass(frozen=True)
class SimulationSpec:
    """How each candidate is simulated: samples streamed, and the back-pressure pattern at the output."""

    samples: int = 4
    backpressure: Literal["none", "random", "stalls"] = "none"


@dataclass(frozen=True)
class RoutingSpec:
    """Designs of the front that are placed and routed at the end, those of the highest throughput first; 0: none."""

    designs: int = 1


# Cycles are measured, the clock is not: names that once said otherwise, and what they are called now.
METRIC_ALIASES: Mapping[str, str] = {"meas_throughput_per_s": "throughput_per_s", "meas_latency_ns": "latency_ns"}
SMALLER_IS_BETTER = ("perplexity", "mse")
DEFAULT_OBJECTIVES = (
    Objective("accuracy", "maximize"),
    Objective("throughput_per_s", "maximize"),
    Objective("est_lut", "minimize"),
)


def default_objectives(metric: str | None) -> tuple[Objective, ...]:
    """Quality, throughput and LUTs; a quality metric that counts errors is minimised."""
    direction: Literal["maximize", "minimize"] = "minimize" if metric in SMALLER_IS_BETTER else "maximize"
    return (Objective("accuracy", direction), *DEFAULT_OBJECTIVES[1:])


@dataclass(frozen=True)
class JobSpec:
    """A whole job body.

    ``output`` names the model's output that is judged, None means all of them.

    ``metric`` None is the default for the data, no ``objectives`` are the default for that metric: what a body left
    open. ``check`` tells the metric, and a stored job names both.
    """

    model: str
    dataset: str | None = None
    metric: str | None = None
    output: str | None = None
    platform: PlatformSpec = PlatformSpec()
    space: SpaceSpec = SpaceSpec()
    objectives: tuple[Objective, ...] = DEFAULT_OBJECTIVES
    constraints: tuple[Constraint, ...] = ()
    search: SearchParameters = SearchParameters()
    simulation: SimulationSpec = SimulationSpec()
    routing: RoutingSpec = RoutingSpec()
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; the canonical stored form of a job body."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> JobSpec:
        """Build from a validated body (the API's schemas have checked types and ranges); defaults fill the rest."""
        platform = data.get("platform") or {}
        search = data.get("search") or {}
        space: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in (data.get("space") or {}).items()
        }
        return JobSpec(
            model=data["model"],
            dataset=data.get("dataset"),
            metric=data.get("metric"),
            output=data.get("output"),
            platform=PlatformSpec(
                devices=tuple(PlatformDevice(**d) for d in platform.get("devices", [{"device": "u250"}])),
                link=LinkSpec(**(platform.get("link") or {})),
                clock_mhz=platform.get("clock_mhz"),
            ),
            space=SpaceSpec(**space),
            objectives=default_objectives(data.get("metric"))
            if data.get("objectives") is None
            else tuple(Objective(**o) for o in data["objectives"]),
            constraints=tuple(Constraint(**c) for c in data.get("constraints") or ()),
            search=SearchParameters(**search),
            simulation=SimulationSpec(**(data.get("simulation") or {})),
            routing=RoutingSpec(**(data.get("routing") or {})),
            labels=dict(data.get("labels") or {}),
        )
