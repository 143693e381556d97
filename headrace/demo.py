"""``headrace demo``: take a trained CNN, start a service, submit over HTTP, watch, and take a design away."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from headrace import demo_digits, service, tables
from headrace.client import Client, connect
from headrace.errors import HeadraceError
from headrace.figures import short
from headrace.job import Job
from headrace.optional import MissingPackage
from headrace.progress import Progress
from headrace.service import LocalService
from headrace.trial import Trial

# Two of the smallest parts in a chain: a design that is fast at eight bits needs the multipliers of both.
DEVICE, DEVICES = "xc7s6", 2
PLATFORM = {
    "devices": [{"device": DEVICE, "count": DEVICES}],
    "link": {"topology": "chain", "bandwidth_gbps": 10, "latency_ns": 200},
    "clock_mhz": 100,
}
SPACE = {"formats": ["int"], "weight_bits": [3, 4, 6, 8], "activation_bits": [4, 6, 8], "max_lanes": 64}
OBJECTIVES = [
    {"metric": "accuracy", "direction": "maximize"},
    {"metric": "throughput_per_s", "direction": "maximize"},
    {"metric": "est_lut", "direction": "minimize"},
]
ROWS = 24
_RULE = 120  # columns of a line across: a pipe has as many as a text needs


def run_demo(output: Path, trials: int, wall_seconds: float) -> int:
    """Run the whole path.

    Args:
        output: folder for the plot, the bundle and the service's data.
        trials: candidates to evaluate.
        wall_seconds: the search ends after this time in any case.

    Returns:
        0 when every complete trial was simulated with every word equal, 1 otherwise.
    """
    service.require_code()
    started = time.monotonic()
    # Whoever ends the demo from outside ends its service too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    out = tables.console()
    home = _fresh_home(output)
    out.print(
        Rule("[bold]Headrace demo[/]: from a trained model to simulated, bit-exact designs", align="left"),
        width=min(out.width, _RULE),
    )
    trained = _trained()
    _step(out, "train", f"CNN with {trained.parameters:,} parameters on scikit-learn's digits, "
          f"{trained.accuracy:.1%} of {trained.samples} held-out digits right")  # fmt: skip
    if absent := demo_digits.missing():
        _step(out, "", f"trained beforehand: to train it here, install {', '.join(absent)}", "dim")
    with LocalService(home) as local, connect(local.url) as client:
        _step(out, "serve", f"API and workers at {local.url}, data in {home}")
        job = _submit(client, trained, trials, wall_seconds)
        _step(out, "submit", f"{job.id}: {trials} candidates on {DEVICES} × {DEVICE} in a chain")
        out.print()
        job.wait(progress=Progress(file=sys.stdout))
        return _report(out, job, output, started)


def _trained() -> demo_digits.Trained:
    """Trained now, in about a second, or beforehand where a package is missing."""
    if demo_digits.missing():
        return demo_digits.stored()
    from headrace.demo_model import train

    return train()


def _submit(client: Client, trained: demo_digits.Trained, trials: int, wall_seconds: float) -> Job:
    return client.submit(
        trained.model,
        name="digits CNN",
        dataset=trained.dataset,
        metric="top1",
        platform=PLATFORM,
        space=SPACE,
        objectives=OBJECTIVES,
        constraints=[{"metric": "accuracy", "min": 0.9}],
        search={"sampler": "auto", "trials": trials, "wall_seconds": wall_seconds, "parallel_trials": 2, "seed": 0},
        simulation={"samples": 8, "backpressure": "none"},
        labels={"demo": "digits"},
    )


def _report(out: Console, job: Job, output: Path, started: float) -> int:
    trials = list(job.trials())
    front = job.pareto()
    complete = [t for t in trials if t["state"] == "complete"]
    compared = sum(t["exact"]["compared_words"] for t in complete)
    mismatched = sum(t["exact"]["mismatched_words"] for t in complete)
    untested = [t for t in complete if t["exact"]["compared_words"] == 0]
    out.print()
    out.print(
        Rule(f"[bold]Pareto front[/]: {len(front)} of {len(complete)} simulated designs", align="left"),
        width=min(out.width, _RULE),
    )
    shown = tables.spread(front, ROWS)
    out.print(tables.front_table(shown, out.width))
    if len(shown) < len(front):
        out.print(f"{len(shown)} of the {len(front)} designs, evenly over the range of LUT.", style="dim")
    out.print(
        "W bits, A bits, lanes: one figure per layer (conv, conv, linear). Cycles are measured in simulation; "
        "inferences/s are those cycles at the clock that was asked for; LUT and DSP are estimates; accuracy is the "
        "integer reference's, the one every word was compared with.",
        style="dim",
    )
    out.print()
    if not front:
        raise HeadraceError("the search found no feasible design: see the job's trials for the reasons")
    chosen = _pick(front)
    bundle = job.export(chosen, output / f"trial-{chosen['number']}.zip")
    _step(out, "words", f"{compared:,} compared in {len(complete)} simulations, {mismatched} mismatched")
    _step(out, "search", _counts(trials))
    _step(out, "plot", _plot(job, output / "pareto.png"))
    _step(out, "bundle", f"{bundle}  (trial {chosen['number']}: {_describe(chosen)})")
    _step(out, "", f"unzip {bundle} -d design && make -C design sim", "bold")
    _step(out, "time", f"{time.monotonic() - started:.0f} s in all")
    return 0 if complete and not mismatched and not untested else 1


def _plot(job: Job, path: Path) -> str:
    """Draw the front and say where, or say what is missing to draw it."""
    try:
        job.plot(path)
    except MissingPackage as error:
        return f"not drawn: {error}"
    return str(path)


def _counts(trials: list[Trial]) -> str:
    states = [t["state"] for t in trials]
    return ", ".join(f"{states.count(s)} {s}" for s in ("complete", "infeasible", "failed", "cancelled") if s in states)


def _pick(front: list[Trial]) -> Trial:
    """The fastest design within one point of the best accuracy."""
    best = max(t["metrics"]["accuracy"] for t in front)
    close = [t for t in front if t["metrics"]["accuracy"] >= best - 0.01]
    return max(close, key=lambda t: t["metrics"]["throughput_per_s"])


def _describe(trial: Trial) -> str:
    metrics = trial["metrics"]
    return (
        f"{metrics['accuracy']:.1%} right, {short(metrics['throughput_per_s'])} inferences/s, "
        f"{short(metrics['est_lut'])} LUT"
    )


def _fresh_home(output: Path) -> Path:
    """The service's data folder without the jobs of an earlier run; compiled operators are kept."""
    home = (output / "home").resolve()
    if home.is_dir():
        for entry in home.iterdir():
            if entry.name == "cache":
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    home.mkdir(parents=True, exist_ok=True)
    return home


def _step(out: Console, name: str, text: str, style: str = "") -> None:
    out.print(f"[bold cyan]{name:>7}[/]  ", end="")
    out.print(text, style=style, markup=False, soft_wrap=True)
