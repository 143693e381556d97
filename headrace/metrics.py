"""Names of metrics: what needs a clock once had names that said "measured"."""

from __future__ import annotations

from collections.abc import Mapping

_OLD_NAMES: Mapping[str, str] = {"meas_throughput_per_s": "throughput_per_s", "meas_latency_ns": "latency_ns"}


def current_name(metric: str) -> str:
    """The name under which answers hold a metric, given that or an older name of it."""
    return _OLD_NAMES.get(metric, metric)
