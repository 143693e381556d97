"""Text tables of jobs and designs for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from headrace.figures import short

_PIPED_COLUMNS = 10_000
_WIDE = 100
_MANY_LAYERS = 4


def console() -> Console:
    """Standard output; a pipe gets plain text of whatever width it needs."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_COLUMNS, highlight=False)


def front_table(front: Sequence[Mapping[str, Any]], columns: int) -> Table:
    """The Pareto front, cheapest design first.

    Args:
        front: trial documents.
        columns: width of the terminal; narrow ones get the lanes as one product per layer.
    """
    wide = columns >= _WIDE
    padding = (0, 1) if wide else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=False)
    number, lanes, accuracy = ("trial", "lanes in×out", "accuracy") if wide else ("#", "lanes", "acc.")
    for name, style in (
        (number, "dim"), ("W bits", ""), ("A bits", ""), (lanes, ""), ("dev", ""), (accuracy, "bold"),
        ("cycles", ""), ("inf/s", "bold"), ("LUT", "bold"), ("DSP", ""), ("words", "green"), ("≠", ""),
    ):  # fmt: skip
        table.add_column(name, justify="right", style=style, no_wrap=True)
    for trial in sorted(front, key=lambda t: (t["metrics"].get("est_lut", 0), t["number"])):
        table.add_row(*_cells(trial, wide))
    clocks = sorted({(t["metrics"]["clock_mhz"], t["clock_source"]) for t in front if t.get("clock_source")})
    if clocks:
        shown = ", ".join(f"{short(mhz)} MHz ({source})" for mhz, source in clocks)
        table.caption, table.caption_justify = f"cycles are measured; inf/s are those cycles at {shown}", "left"
    return table


def spread(front: Sequence[Mapping[str, Any]], limit: int) -> list[Mapping[str, Any]]:
    """At most ``limit`` designs, evenly over the range of cost; of every number of devices at least one."""
    ordered = sorted(front, key=lambda t: (t["metrics"].get("est_lut", 0), t["number"]))
    if len(ordered) <= limit:
        return ordered
    firsts = {t["metrics"].get("devices_used"): t["id"] for t in reversed(ordered)}
    places = {round(i * (len(ordered) - 1) / (limit - len(firsts) - 1)) for i in range(limit - len(firsts))}
    kept = {ordered[place]["id"] for place in places} | set(firsts.values())
    return [t for t in ordered if t["id"] in kept]


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows of texts under their headings; texts are not markup."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def job_cells(job: Mapping[str, Any], model: str) -> list[str]:
    """A job document in one line: id, state, model, trials, front, best, submitted."""
    progress = job["progress"]
    return [
        job["id"],
        job["state"] if job["end_reason"] is None else f"{job['state']}: {job['end_reason']}",
        model,
        f"{progress['trials_done']}/{progress['trials_total']}",
        str(job["pareto_size"]),
        ", ".join(f"{metric} {short(value['value'])}" for metric, value in job["best"].items()),
        job["created_at"][:19].replace("T", " "),
    ]


def _cells(trial: Mapping[str, Any], wide: bool) -> list[str]:
    metrics, candidate = trial["metrics"], trial["candidate"]
    formats = candidate["quantization"]
    layers = [node for node, chosen in formats.items() if chosen["weight"] is not None]
    lanes = [candidate["parallelism"][node] for node in layers if node in candidate["parallelism"]]
    exact = trial["exact"] or {}
    accuracy = metrics.get("accuracy")
    mismatched = exact.get("mismatched_words")
    return [
        str(trial["number"]),
        _layers([_bits(formats[node]["weight"]) for node in layers]),
        _layers([_bits(formats[node]["activation"]) for node in layers]),
        _layers([f"{n['in_lanes']}×{n['out_lanes']}" for n in lanes])
        if wide
        else _layers([str(n["in_lanes"] * n["out_lanes"]) for n in lanes]),
        short(metrics.get("devices_used")),
        "–" if accuracy is None else f"{accuracy:.4f}",
        short(metrics.get("meas_latency_cycles")),
        short(metrics.get("throughput_per_s")),
        short(metrics.get("est_lut")),
        short(metrics.get("est_dsp")),
        short(exact.get("compared_words")),
        f"[bold red]{mismatched}[/]" if mismatched else str(mismatched),
    ]


def _bits(text: str) -> str:
    """``int4`` -> 4, ``uint8`` -> 8, ``mxint4b16`` -> m4: the letter marks a shared exponent."""
    digits = "".join(c if c.isdigit() else " " for c in text).split()[0]
    return f"m{digits}" if text.startswith("mx") else digits


def _layers(values: Sequence[str]) -> str:
    """One value per layer, or their range when there are many layers."""
    if len(values) <= _MANY_LAYERS:
        return " ".join(values)
    distinct = sorted(set(values), key=lambda v: (len(v), v))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]}…{distinct[-1]}"
