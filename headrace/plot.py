"""The Pareto plot: two objectives as axes, a third as colour, devices as marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from headrace.errors import HeadraceError
from headrace.metrics import current_name

LABELS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "meas_latency_cycles": "latency, measured (cycles)",
    "clock_mhz": "clock (MHz)",
    "latency_ns": "latency (ns)",
    "meas_interval_cycles": "interval, measured (cycles)",
    "throughput_per_s": "throughput (inferences/s)",
    "est_lut": "LUT, estimated",
    "est_ff": "flip-flops, estimated",
    "est_dsp": "DSP, estimated",
    "est_bram_kb": "block RAM, estimated (Kbit)",
    "est_uram_kb": "UltraRAM, estimated (Kbit)",
    "est_power_w": "power, estimated (W)",
    "est_energy_uj_per_inference": "energy, estimated (µJ/inference)",
    "devices_used": "devices",
    "link_bytes_per_inference": "link traffic (bytes/inference)",
}
# Measured cycles at a clock: the label says where the clock comes from.
_CLOCKED = frozenset({"latency_ns", "throughput_per_s"})
_LINEAR = frozenset({"accuracy", "float_accuracy", "devices_used"})
_MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def plot_front(
    job: Mapping[str, Any],
    name: str,
    trials: Sequence[Mapping[str, Any]],
    front: Sequence[Mapping[str, Any]],
    path: str | Path | None = None,
    x: str | None = None,
    y: str | None = None,
) -> Figure:
    """Draw all simulated trials in grey and the front in colour.

    Args:
        job: the job document.
        name: the model's name, for the title.
        trials: all trials; those without both metrics are left out.
        front: the Pareto front.
        path: where to save; the suffix decides the format.
        x: metric of the horizontal axis; by default the last objective (a cost).
        y: metric of the vertical axis; by default the second objective, coloured by the first.
    """
    x, y = (None if name is None else current_name(name) for name in (x, y))
    objectives = [str(o["metric"]) for o in job["spec"]["objectives"]]
    x = x or objectives[-1]
    y = y or next((m for m in objectives[1:] if m != x), objectives[0])
    colour = next((m for m in objectives if m not in (x, y)), None)
    figure = Figure(figsize=(9.6, 6.0), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    shown = [t for t in trials if t["state"] == "complete" and x in t["metrics"] and y in t["metrics"]]
    ids = {t["id"] for t in front}
    rest = [t for t in shown if t["id"] not in ids]
    axes.scatter(
        [t["metrics"][x] for t in rest], [t["metrics"][y] for t in rest], s=16, c="#b8bec6", linewidths=0,
        label=f"simulated, dominated ({len(rest)})", zorder=2,
    )  # fmt: skip
    _draw_front(figure, axes, [t for t in front if x in t["metrics"] and y in t["metrics"]], x, y, colour)
    for axis, set_scale, metric in ((axes.xaxis, axes.set_xscale, x), (axes.yaxis, axes.set_yscale, y)):
        if metric not in _LINEAR and all(t["metrics"][metric] > 0 for t in shown):
            set_scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(EngFormatter(sep=" "))
            axis.set_minor_formatter(NullFormatter())
        axis.set_label_text(_label(metric, shown))
    axes.grid(True, which="major", color="#e4e7eb", zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(
        f"{name}: {len(ids)} Pareto designs of {len(shown)} simulated in RTL, every word compared",
        loc="left",
        fontsize=11,
    )
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, loc="best")
    if path is not None:
        try:
            figure.savefig(str(path))
        except ValueError as error:  # the suffix is no format of matplotlib's
            raise HeadraceError(f"the plot cannot be saved as {path}: {error}") from error
    return figure


def _label(metric: str, trials: Sequence[Mapping[str, Any]]) -> str:
    """The axis label of a metric, with the origin of the clock where the figure depends on one."""
    text = LABELS.get(metric, metric)
    if metric not in _CLOCKED:
        return text
    sources = sorted({str(t["clock_source"]) for t in trials if t.get("clock_source")})
    return f"{text}, at the {' or '.join(sources)} clock" if sources else text


def _draw_front(
    figure: Figure, axes: Any, front: Sequence[Mapping[str, Any]], x: str, y: str, colour: str | None
) -> None:
    """The front's points: colour is the third objective, marker the number of devices."""
    values = [t["metrics"].get(colour, float("nan")) for t in front] if colour else []
    limits, extend = _colour_range(values)
    drawn = None
    for devices in sorted({int(t["metrics"].get("devices_used", 1)) for t in front}):
        group = [t for t in front if int(t["metrics"].get("devices_used", 1)) == devices]
        drawn = axes.scatter(
            [t["metrics"][x] for t in group],
            [t["metrics"][y] for t in group],
            c=[t["metrics"].get(colour, float("nan")) for t in group] if colour else "#1f6feb",
            cmap="viridis", s=64, marker=_MARKERS[(devices - 1) % len(_MARKERS)], edgecolors="#1b1f24",
            linewidths=0.7, zorder=3, label=f"Pareto, {devices} device{'s' if devices > 1 else ''} ({len(group)})",
            **(limits if colour else {}),
        )  # fmt: skip
    if drawn is not None and colour:
        figure.colorbar(drawn, ax=axes, label=_label(colour, front), pad=0.01, extend=extend)


def _colour_range(values: Sequence[float]) -> tuple[dict[str, float], str]:
    """Limits of the colour scale, and at which end it is cut: a few outliers must not flatten all other colours."""
    if not values:
        return {}, "neither"
    low, high = min(values), max(values)
    middle = median(values)
    cut_low, cut_high = max(low, high - 3 * (high - middle)), min(high, low + 3 * (middle - low))
    if cut_low > low and middle < high:
        return {"vmin": cut_low, "vmax": high}, "min"
    if cut_high < high and middle > low:
        return {"vmin": low, "vmax": cut_high}, "max"
    return {"vmin": low, "vmax": high}, "neither"
