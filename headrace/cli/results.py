"""Commands about what a job found: its front, its trials, what is to be had of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from headrace.cli.arguments import TRIAL_STATES, id_argument, json_option, known, quiet_option, remote
from headrace.cli.exits import Exit
from headrace.cli.output import note, show_csv, show_ids, show_json, show_table
from headrace.client import Client
from headrace.figures import short
from headrace.frames import differences, trial_row
from headrace.job import Job
from headrace.optional import need
from headrace.records import TrialRecord

_TRIAL_COLUMNS = ("trial", "number", "state", "accuracy", "cycles", "inf/s", "LUT", "reason")


@click.command()
@id_argument("jobs")
@click.option("--plot", metavar="FILE", help="also save a plot (PNG, SVG or PDF)")
@click.option("--x", help="metric of the plot's horizontal axis")
@click.option("--y", help="metric of the plot's vertical axis")
@json_option
@remote
def pareto(client: Client, job: str, plot: str | None, x: str | None, y: str | None, as_json: bool) -> int:
    """Show a job's Pareto front."""
    found = known(client, "jobs", job, client.job)
    status = show_front(found, as_json)
    if plot:
        found.plot(plot, x=x, y=y)
        note(f"saved {plot}")
    return status


@click.command()
@id_argument("jobs")
@click.option("--state", type=click.Choice(TRIAL_STATES), help="only trials in this state")
@click.option("--since", type=int, help="only trials changed after this sequence number")
@click.option("--csv", "as_csv", is_flag=True, help="print every decision and figure as comma-separated values")
@click.option("--output", "-o", metavar="FILE", help="save all as a file instead: .csv, .json or .parquet")
@quiet_option
@json_option
@remote
def trials(
    client: Client, job: str, state: str | None, since: int | None, as_csv: bool, output: str | None, quiet: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """List a job's trials, in order of their last change."""
    owner = known(client, "jobs", job, client.job)
    if output is not None:
        if state is not None or since is not None or as_csv or quiet:
            raise click.UsageError("--output saves all trials, as the kind of file that its suffix says")
        return _saved("job", job, owner.write_trials(output), as_json)
    found = list(owner.trials(state=state, since_seq=since))
    if quiet:
        show_ids(trial.id for trial in found)
    elif as_json:
        show_json([trial.document for trial in found])
    elif as_csv:
        front = {trial.id for trial in owner.pareto()}
        show_csv([trial_row(trial, trial.id in front) for trial in sorted(found, key=lambda t: t.number)])
    else:
        show_table(_TRIAL_COLUMNS, map(_row, found))
    return Exit.DONE


@click.command()
@id_argument("jobs")
@click.option("--since", type=int, help="only trials changed after this sequence number")
@quiet_option
@json_option
@remote
def points(client: Client, job: str, since: int | None, quiet: bool, as_json: bool) -> int:
    """List a job's trials ten times as fast, without stages, provenance and words."""
    found = known(client, "jobs", job, client.job).points(since_seq=since)
    if quiet:
        show_ids(str(point["id"]) for point in found)
    elif as_json:
        show_json(found)
    else:
        show_table(_TRIAL_COLUMNS, (_row(TrialRecord(point)) for point in found))
    return Exit.DONE


@click.command()
@click.argument("trial")
@click.option("--attempts", is_flag=True, help="every start on a worker instead")
@click.option("--operators", is_flag=True, help="with the figures of every operator and device")
@click.option("--json", "as_json", is_flag=True, help="as always: this command prints nothing else")
@remote
def trial(client: Client, trial: str, attempts: bool, operators: bool, as_json: bool) -> int:
    """Print one trial in full, as JSON."""
    found = client.trial(trial, operators=operators)
    show_json(found.attempts() if attempts else found.document)
    return Exit.DONE


@click.command()
@click.argument("trial")
@click.argument("other")
@json_option
@remote
def compare(client: Client, trial: str, other: str, as_json: bool) -> int:
    """Show the decisions and figures in which two trials differ.

    The ratio is the second over the first.
    """
    found = differences(client.trial(trial), client.trial(other))
    if as_json:
        show_json(found)
    elif found:
        show_table(("what", "of", trial, other, "ratio"), map(_difference_row, found))
    else:
        note("nothing differs")
    return Exit.DONE


@click.command()
@click.argument("trial")
@click.argument("output", required=False, metavar="[FILE]")
@json_option
@remote
def export(client: Client, trial: str, output: str | None, as_json: bool) -> int:
    """Download the bundle of a complete trial; FILE is TRIAL.zip by default."""
    return _saved("trial", trial, client.trial(trial).write_bundle(Path(output or f"{trial}.zip")), as_json)


@click.command()
@click.argument("trial")
@click.argument("output", required=False, metavar="[FILE]")
@json_option
@remote
def activity(client: Client, trial: str, output: str | None, as_json: bool) -> int:
    """Download what each operator of a complete trial did when, for ui.perfetto.dev.

    FILE is TRIAL.trace.json by default. The design is simulated again for it, on the first request.
    """
    return _saved("trial", trial, client.trial(trial).write_activity(Path(output or f"{trial}.trace.json")), as_json)


def show_front(job: Job, as_json: bool) -> int:
    """The front, or why there is none; the exit status says whether there is one."""
    front = job.pareto()
    if as_json:
        show_json([trial.document for trial in front])
    elif front:
        need("rich", "for tables (--json needs nothing)")
        from headrace import tables

        out = tables.console()
        out.print(tables.front_table(front, out.width))
    else:
        failure = job.document["failure"]
        note(failure["message"] if failure else "no feasible complete trial yet")
    return Exit.DONE if front else Exit.NO_DESIGN


def _saved(noun: str, ident: str, path: Path, as_json: bool) -> int:
    """Say where a file of a resource now is."""
    show_json({noun: ident, "path": str(path)}) if as_json else click.echo(path)
    return Exit.DONE


def _difference_row(row: dict[str, Any]) -> list[str]:
    values = (row["first"], row["second"], row["ratio"])
    return [row["kind"], row["name"], *("" if v is None else v if isinstance(v, str) else short(v) for v in values)]


def _row(trial: TrialRecord) -> list[str]:
    names = ("accuracy", "meas_latency_cycles", "throughput_per_s", "est_lut")
    figures = [short(trial.metrics.get(name)) for name in names]
    return [trial.id, str(trial.number), trial.state, *figures, trial["reason"] or ""]
