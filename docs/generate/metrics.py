"""``reference/metrics.md``: every metric of the HTTP contract, and where its figure comes from."""

from __future__ import annotations

from typing import NamedTuple, get_args

from api.schemas import Metric
from docs.generate.markdown import code, page, table
from explorer.spec import METRIC_ALIASES


class Text(NamedTuple):
    """What is said of a metric: its unit, the better direction, the rung that finds it, its origin."""

    unit: str
    better: str
    rung: str
    origin: str


_REFERENCE = "the integer reference on all of the evaluation data; every word of the RTL is compared with it"
_RESOURCE = (
    "bills of materials, priced by the fitted family of each device; errors against Yosys in "
    "[the resource model](../resource_model.md)"
)
_LATENCY = "counted: first input beat to last output beat of a sample"
_INTERVAL = "counted: between the last output beats of successive samples"
_CLOCK = "the platform's clock, or the slowest device's default; see `clock_source`"
_POWER = "static power of the devices in use plus an energy per cycle of each resource"
_ENERGY = "`est_power_w` for as long as the measured interval"
TEXTS = {
    "accuracy": Text("of the job's metric", "higher (`mse`: lower)", "accuracy", _REFERENCE),
    "float_accuracy": Text("of the job's metric", "–", "accuracy", "the float model on the same data, for comparison"),
    "meas_latency_cycles": Text("cycles", "lower", "simulate", _LATENCY),
    "meas_interval_cycles": Text("cycles", "lower", "simulate", _INTERVAL),
    "clock_mhz": Text("MHz", "–", "estimate", _CLOCK),
    "latency_ns": Text("ns", "lower", "simulate", "measured cycles at `clock_mhz`"),
    "throughput_per_s": Text("inferences/s", "higher", "simulate", "measured interval at `clock_mhz`"),
    "est_lut": Text("LUTs of the family", "lower", "estimate", _RESOURCE),
    "est_ff": Text("flip-flops", "lower", "estimate", _RESOURCE),
    "est_dsp": Text("multiplier blocks", "lower", "estimate", "the mapper's rules; nothing is fitted"),
    "est_bram_kb": Text("Kbit, blocks of 18", "lower", "estimate", "the mapper's rules; nothing is fitted"),
    "est_uram_kb": Text("Kbit", "–", "estimate", "always 0: the RTL uses no UltraRAM"),
    "est_power_w": Text("W", "lower", "estimate", _POWER),
    "est_energy_uj_per_inference": Text("µJ", "lower", "simulate", _ENERGY),
    "devices_used": Text("devices", "–", "estimate", "counted: devices that hold an operator"),
    "link_bytes_per_inference": Text("bytes", "lower", "estimate", "counted: payload over every hop between devices"),
}  # fmt: skip


def write() -> str:
    """The page.

    Raises:
        ValueError: a metric has no text, or a text has no metric.
    """
    names = get_args(Metric)
    if set(names) != set(TEXTS):
        raise ValueError(f"docs/generate/metrics.py and api.schemas.Metric differ in {set(names) ^ set(TEXTS)}")
    rows = [(code(name), t.unit, t.better, t.rung, t.origin) for name in names for t in [TEXTS[name]]]
    prefixes = table(
        ["prefix", "means"],
        [
            (
                code("meas_"),
                f"counted in a simulation of the RTL, in cycles; {code('meas_fmax_mhz')}: by place and route",
            ),
            (code("est_"), "from a model of ours; its error is published, and nothing was measured on a device"),
            ("none", "counted exactly (bytes, devices), or measured cycles at a clock that `clock_source` explains"),
        ],
    )
    old = ", ".join(f"`{before}` (now `{now}`)" for before, now in METRIC_ALIASES.items())
    return page(
        "Metrics",
        "`api.schemas.Metric` and `docs/generate/metrics.py`",
        "A metric that a candidate did not reach is absent, never a default. The *rung* is the one that finds it: a "
        "candidate that ended earlier does not have it. Every metric may be an objective or a constraint of a job.",
        table(["metric", "unit", "better", "rung", "where the figure comes from"], rows),
        "## Prefixes",
        prefixes,
        f"Old names are still read in bodies and never answered: {old}.",
        "How wrong the estimates are: [What is estimated](../estimates.md).",
    )
