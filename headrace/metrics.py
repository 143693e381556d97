"""The metrics of a trial: what they are called, their units, and names that they had before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_OLD_NAMES: Mapping[str, str] = {"meas_throughput_per_s": "throughput_per_s", "meas_latency_ns": "latency_ns"}
# `est_` figures come with the ends of an 80 % interval under these endings.
_INTERVAL_ENDS = ("_low", "_high")


@dataclass(frozen=True)
class Metric:
    """A metric as people read it: ``text`` of an axis or heading, ``unit`` ("" for counts and shares)."""

    text: str
    unit: str = ""

    @property
    def label(self) -> str:
        """Text with the unit."""
        return f"{self.text} ({self.unit})" if self.unit else self.text


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("accuracy"),
    "float_accuracy": Metric("accuracy of the float model"),
    "meas_latency_cycles": Metric("latency, measured", "cycles"),
    "meas_interval_cycles": Metric("interval, measured", "cycles"),
    "clock_mhz": Metric("clock", "MHz"),
    "est_fmax_mhz": Metric("clock reached, estimated", "MHz"),
    "meas_fmax_mhz": Metric("clock reached, routed", "MHz"),
    "latency_ns": Metric("latency", "ns"),
    "throughput_per_s": Metric("throughput", "inferences/s"),
    "est_lut": Metric("LUT, estimated"),
    "est_ff": Metric("flip-flops, estimated"),
    "est_dsp": Metric("DSP, estimated"),
    "est_bram_kb": Metric("block RAM, estimated", "Kbit"),
    "est_uram_kb": Metric("UltraRAM, estimated", "Kbit"),
    "est_power_w": Metric("power, estimated", "W"),
    "est_static_w": Metric("static power, estimated", "W"),
    "est_dynamic_w": Metric("dynamic power, estimated", "W"),
    "est_energy_uj_per_inference": Metric("energy, estimated", "µJ/inference"),
    "meas_toggles": Metric("bits toggled, measured"),
    "devices_used": Metric("devices"),
    "link_bytes_per_inference": Metric("link traffic", "bytes/inference"),
}
# Measured cycles at a clock: a label says where the clock comes from.
CLOCKED = frozenset({"latency_ns", "throughput_per_s"})
# Measures of quality that count errors are no accuracy.
_ERRORS = frozenset({"perplexity", "mse"})
LINEAR = frozenset({"accuracy", "float_accuracy", "devices_used"})


def current_name(metric: str) -> str:
    """The name under which answers hold a metric, given that or an older name of it."""
    return _OLD_NAMES.get(metric, metric)


def label(metric: str, clock_sources: Iterable[str | None] = (), quality: str | None = None) -> str:
    """Axis label of a metric.

    Args:
        metric: its name.
        clock_sources: origins of the clock, named where the figure depends on one.
        quality: what the job calls accuracy (its ``metric``), where that is known.
    """
    if metric == "accuracy" and quality is not None:
        return quality if quality in _ERRORS else f"accuracy ({quality})"
    text = METRICS[metric].label if metric in METRICS else metric
    sources = sorted({source for source in clock_sources if source})
    return f"{text}, at the {' or '.join(sources)} clock" if metric in CLOCKED and sources else text


def units(columns: Iterable[str]) -> dict[str, str]:
    """Units of those columns of a frame that have one."""
    found = {}
    for column in columns:
        base = next((column.removesuffix(end) for end in _INTERVAL_ENDS if column.endswith(end)), column)
        if base in METRICS and METRICS[base].unit:
            found[column] = METRICS[base].unit
        elif base.endswith("_cycles"):
            found[column] = "cycles"
        elif base.startswith("seconds_"):
            found[column] = "s"
    return found
