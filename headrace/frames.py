"""Trials as a pandas data frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas


def trials_frame(trials: Iterable[Mapping[str, Any]], front: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """One row per trial, ordered by number.

    Columns: ``number``, ``state``, ``pareto``, ``reason``; every metric under its own name; ``clock_source``;
    ``compared_words`` and ``mismatched_words``; ``violation_<constraint>``; ``weight_<node>``, ``activation_<node>``,
    ``in_lanes_<node>``, ``out_lanes_<node>``, ``device_<node>``; ``seconds_<stage>``; ``trial_id``.
    """
    on_front = {trial["id"] for trial in front}
    rows = [_row(trial, trial["id"] in on_front) for trial in trials]
    frame = pandas.DataFrame.from_records(rows)
    return frame if frame.empty else frame.sort_values("number", ignore_index=True)


def _row(trial: Mapping[str, Any], pareto: bool) -> dict[str, Any]:
    candidate = trial["candidate"]
    exact = trial.get("exact") or {}
    row: dict[str, Any] = {
        "number": trial["number"],
        "state": trial["state"],
        "pareto": pareto,
        "reason": trial["reason"],
        **trial["metrics"],
        "clock_source": trial.get("clock_source"),
        "compared_words": exact.get("compared_words"),
        "mismatched_words": exact.get("mismatched_words"),
    }
    row.update({f"violation_{name}": value for name, value in trial["constraints"].items()})
    for node, formats in candidate["quantization"].items():
        row[f"weight_{node}"] = formats["weight"]
        row[f"activation_{node}"] = formats["activation"]
    for node, lanes in candidate["parallelism"].items():
        row[f"in_lanes_{node}"] = lanes["in_lanes"]
        row[f"out_lanes_{node}"] = lanes["out_lanes"]
    row.update({f"device_{node}": str(device) for node, device in candidate["partition"].items()})
    row.update({f"seconds_{stage['name']}": stage["seconds"] for stage in trial["stages"]})
    row["trial_id"] = trial["id"]
    return row
