"""Trials, operators, differences and sweeps as pandas data frames. ``frame.attrs["units"]`` has the columns' units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.metrics import units
from headrace.optional import need

if TYPE_CHECKING:
    import pandas


def trials_frame(trials: Iterable[Mapping[str, Any]], front: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """One row per trial, ordered by number.

    Columns: ``number``, ``state``, ``pareto``, ``reason``; every metric under its own name; ``clock_source``;
    ``compared_words`` and ``mismatched_words``; ``violation_<constraint>``; ``weight_<node>``, ``activation_<node>``,
    ``in_lanes_<node>``, ``out_lanes_<node>``, ``device_<node>``; ``seconds_<stage>``; ``trial_id``.
    """
    on_front = {trial["id"] for trial in front}
    rows = [trial_row(trial, trial["id"] in on_front) for trial in trials]
    frame = _frame(rows)
    return frame if frame.empty else _with_units(frame.sort_values("number", ignore_index=True))


def operators_frame(trial: Mapping[str, Any]) -> pandas.DataFrame:
    """One row per operator of a trial's design, by instance name: what it is, its cycles, what it waited for.

    Args:
        trial: a trial with its operators (``?detail=operators``).
    """
    operators = trial["metrics"].get("operators", [])
    rows = [{**operator, **_waits(operator)} for operator in operators]
    frame = _frame(rows)
    return frame if frame.empty else _with_units(frame.set_index("name"))


def diff_frame(first: Mapping[str, Any], second: Mapping[str, Any]) -> pandas.DataFrame:
    """Decisions and figures that differ, one row each by (kind, name), a column per trial.

    Where both have a figure, ``ratio`` is the second over the first.
    """
    columns = [f"trial {trial['number']}" for trial in (first, second)]
    if columns[0] == columns[1]:
        columns = [str(first["id"]), str(second["id"])]
    found = differences(first, second)
    pandas = need("pandas", "for data frames")
    names = [(row["kind"], row["name"]) for row in found]
    index = pandas.MultiIndex.from_tuples(names, names=["kind", "name"]) if names else None
    rows = [(row["first"], row["second"], row["ratio"]) for row in found]
    return pandas.DataFrame(rows, index=index, columns=[*columns, "ratio"])


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Decisions and figures that differ: ``kind``, ``name``, ``first``, ``second`` and, of two figures, ``ratio``."""
    left, right = _facts(first), _facts(second)
    names = [name for name in dict.fromkeys([*left, *right]) if left.get(name) != right.get(name)]
    return [
        {"kind": name[0], "name": name[1], "first": left.get(name), "second": right.get(name),
         "ratio": _ratio(left.get(name), right.get(name))}
        for name in names
    ]  # fmt: skip


def sweep_frame(jobs: Iterable[tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]]) -> pandas.DataFrame:
    """One row per design on the front of a sweep's jobs: the job's labels, then the trial as in ``trials_frame``.

    Args:
        jobs: job documents, each with its front.
    """
    rows = [
        {**job["labels"], "job": job["id"], **trial_row(trial, pareto=True)}
        for job, front in jobs
        for trial in sorted(front, key=lambda t: int(t["number"]))
    ]
    return _with_units(_frame(rows))


def _frame(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    return need("pandas", "for data frames").DataFrame.from_records(rows)


def _with_units(frame: pandas.DataFrame) -> pandas.DataFrame:
    frame.attrs["units"] = units(map(str, frame.columns))
    return frame


def trial_row(trial: Mapping[str, Any], pareto: bool) -> dict[str, Any]:
    """A trial as one flat row: the columns of ``trials_frame``; ``pareto`` says whether it is on the front."""
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


def _waits(operator: Mapping[str, Any]) -> dict[str, float]:
    """Shares of the cycles counted in which it moved beats, waited for room, or waited for input."""
    cycles = {name: operator.get(f"{name}_cycles") for name in ("busy", "blocked", "starved")}
    total = sum(value for value in cycles.values() if value is not None)
    return {f"{name}_share": value / total for name, value in cycles.items() if value is not None and total}


def _facts(trial: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Every decision and every figure of a trial."""
    candidate = trial["candidate"]
    facts: dict[tuple[str, str], Any] = {("trial", "state"): trial["state"]}
    for node, formats in candidate["quantization"].items():
        facts["weights", node], facts["activations", node] = formats["weight"], formats["activation"]
    for node, lanes in candidate["parallelism"].items():
        facts["lanes", node] = f"{lanes['in_lanes']}×{lanes['out_lanes']}"
    for node, device in candidate["partition"].items():
        facts["devices", node] = str(device)
    return facts | {("metrics", n): v for n, v in trial["metrics"].items() if isinstance(v, int | float)}


def _ratio(first: Any, second: Any) -> float | None:
    both = isinstance(first, int | float) and isinstance(second, int | float)
    return second / first if both and first else None
