"""Pictures: the front of one job, and the fronts of a sweep beside each other."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from headrace.errors import HeadraceError
from headrace.metrics import LINEAR, current_name, label
from headrace.optional import need

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
_COLOURS = ("#3b82d6", "#d6593b", "#2e9e5b", "#8b5cd6", "#c9822b", "#1fa3a3", "#d63b8f", "#6b7280")
Trials = Sequence[Mapping[str, Any]]


class Plot:
    """A picture that a notebook shows by itself, without ``%matplotlib inline``.

    Attributes:
        figure: the matplotlib figure.
    """

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def __repr__(self) -> str:
        return f"<Plot {self.figure.axes[0].get_title('left')!r}>"

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.figure.savefig(out, format="png", facecolor="white")
        return out.getvalue()

    def save(self, path: str | Path) -> Path:
        """Save as PNG, SVG or PDF, as the suffix says.

        Raises:
            HeadraceError: the suffix is no format.
        """
        target = Path(path)
        try:
            self.figure.savefig(str(target))
        except ValueError as error:
            raise HeadraceError(f"the plot cannot be saved as {target}: {error}") from error
        return target


def plot_front(
    job: Mapping[str, Any], name: str, trials: Trials, front: Trials, x: str | None = None, y: str | None = None
) -> Plot:
    """Draw all simulated trials in grey and the front in colour; a job without either gives empty axes that say so.

    Args:
        job: the job document.
        name: the model's name, for the title.
        trials: all trials; those without both metrics are left out.
        front: the Pareto front.
        x: metric of the horizontal axis; by default the last objective (a cost).
        y: metric of the vertical axis; by default the second objective, coloured by the first.
    """
    x, y, colour = _choice([str(o["metric"]) for o in job["spec"]["objectives"]], x, y)
    figure, axes = _figure()
    shown = [t for t in trials if t["state"] == "complete" and x in t["metrics"] and y in t["metrics"]]
    ids = {t["id"] for t in front}
    rest = [t for t in shown if t["id"] not in ids]
    axes.scatter(
        _values(rest, x), _values(rest, y), s=16, c="#b8bec6", linewidths=0,
        label=f"simulated, dominated ({len(rest)})", zorder=2,
    )  # fmt: skip
    drawn = [t for t in front if x in t["metrics"] and y in t["metrics"]]
    quality = job["spec"].get("metric")
    _draw_front(figure, axes, drawn, x, y, colour, quality)
    _dress(axes, shown, x, y, quality)
    axes.set_title(
        f"{name}: {len(ids)} Pareto designs of {len(shown)} simulated in RTL, every word compared",
        loc="left",
        fontsize=11,
    )
    return Plot(figure)


def plot_sweep(jobs: Sequence[tuple[Mapping[str, Any], Trials]], x: str | None = None, y: str | None = None) -> Plot:
    """Draw the fronts of several jobs in one pair of axes: a colour per job, a line along its front.

    Args:
        jobs: job documents, each with its front.
        x: metric of the horizontal axis; by default the last objective of the first job.
        y: metric of the vertical axis; by default its second objective.

    Raises:
        HeadraceError: there are no jobs.
    """
    if not jobs:
        raise HeadraceError("the sweep has no jobs to plot")
    x, y, _ = _choice([str(o["metric"]) for o in jobs[0][0]["spec"]["objectives"]], x, y)
    figure, axes = _figure()
    drawn: list[Mapping[str, Any]] = []
    for index, (job, front) in enumerate(jobs):
        points = sorted((t for t in front if x in t["metrics"] and y in t["metrics"]), key=lambda t: t["metrics"][x])
        drawn += points
        axes.plot(
            _values(points, x), _values(points, y), color=_COLOURS[index % len(_COLOURS)], linewidth=0.8,
            marker=_MARKERS[index // len(_COLOURS) % len(_MARKERS)], markersize=6, label=job_name(job),
        )  # fmt: skip
    _dress(axes, drawn, x, y, jobs[0][0]["spec"].get("metric"))
    axes.set_title(f"{len(drawn)} Pareto designs of {len(jobs)} jobs", loc="left", fontsize=11)
    return Plot(figure)


def job_name(job: Mapping[str, Any]) -> str:
    """What tells a job of a sweep from the others: its labels, or its id."""
    return " · ".join(map(str, job["labels"].values())) or str(job["id"])


def _choice(objectives: Sequence[str], x: str | None, y: str | None) -> tuple[str, str, str | None]:
    """The metrics of both axes and of the colour."""
    x = objectives[-1] if x is None else current_name(x)
    rest = [m for m in (*objectives[1:], objectives[0]) if m != x]
    y = current_name(y) if y is not None else (rest or [x])[0]
    return x, y, next((m for m in objectives if m not in (x, y)), None)


def _figure() -> tuple[Any, Any]:
    figure = need("matplotlib.figure", "for plots").Figure(figsize=(9.6, 6.0), dpi=110, layout="constrained")
    return figure, figure.add_subplot()


def _values(trials: Trials, metric: str) -> list[float]:
    return [t["metrics"].get(metric, float("nan")) for t in trials]


def _dress(axes: Any, shown: Trials, x: str, y: str, quality: str | None) -> None:
    """Scales, labels, grid and legend."""
    ticker = need("matplotlib.ticker", "for plots")
    sources = [t.get("clock_source") for t in shown]
    for axis, set_scale, metric in ((axes.xaxis, axes.set_xscale, x), (axes.yaxis, axes.set_yscale, y)):
        if metric not in LINEAR and shown and all(value > 0 for value in _values(shown, metric)):
            set_scale("log")
            axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(ticker.EngFormatter(sep=" "))
            axis.set_minor_formatter(ticker.NullFormatter())
        axis.set_label_text(label(metric, sources, quality))
    axes.grid(True, which="major", color="#e4e7eb", zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if not shown:
        axes.text(
            0.5, 0.5, "no complete trial yet", ha="center", va="center", transform=axes.transAxes, color="#6b7280"
        )
    elif axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, loc="best")


def _draw_front(figure: Any, axes: Any, front: Trials, x: str, y: str, colour: str | None, quality: str | None) -> None:
    """The front's points: colour is the third objective, marker the number of devices."""
    limits, extend = _colour_range(_values(front, colour) if colour else [])
    drawn = None
    for devices in sorted({int(t["metrics"].get("devices_used", 1)) for t in front}):
        group = [t for t in front if int(t["metrics"].get("devices_used", 1)) == devices]
        drawn = axes.scatter(
            _values(group, x), _values(group, y), c=_values(group, colour) if colour else "#1f6feb",
            cmap="viridis" if colour else None, s=64, marker=_MARKERS[(devices - 1) % len(_MARKERS)],
            edgecolors="#1b1f24", linewidths=0.7, zorder=3,
            label=f"Pareto, {devices} device{'s' if devices > 1 else ''} ({len(group)})", **limits,
        )  # fmt: skip
    if drawn is not None and colour:
        text = label(colour, [t.get("clock_source") for t in front], quality)
        figure.colorbar(drawn, ax=axes, label=text, pad=0.01, extend=extend)


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
