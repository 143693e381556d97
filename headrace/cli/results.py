"""Commands about what a job found: its front, its trials, bundles."""

from __future__ import annotations

from pathlib import Path

import click

from headrace.cli.arguments import TRIAL_STATES, id_argument, json_option, known, quiet_option, remote
from headrace.cli.exits import Exit
from headrace.cli.output import note, show_csv, show_ids, show_json, show_table
from headrace.client import Client
from headrace.figures import short
from headrace.frames import trial_row
from headrace.job import Job
from headrace.optional import need
from headrace.trial import Trial


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
@quiet_option
@json_option
@remote
def trials(
    client: Client, job: str, state: str | None, since: int | None, as_csv: bool, quiet: bool, as_json: bool
) -> int:
    """List a job's trials, in order of their last change."""
    owner = known(client, "jobs", job, client.job)
    found = list(owner.trials(state=state, since_seq=since))
    if quiet:
        show_ids(trial.id for trial in found)
    elif as_json:
        show_json([trial.document for trial in found])
    elif as_csv:
        front = {trial.id for trial in owner.pareto()}
        show_csv([trial_row(trial, trial.id in front) for trial in sorted(found, key=lambda t: t.number)])
    else:
        show_table(("trial", "number", "state", "accuracy", "cycles", "inf/s", "LUT", "reason"), map(_row, found))
    return Exit.DONE


@click.command()
@click.argument("trial")
@click.option("--attempts", is_flag=True, help="every start on a worker instead")
@click.option("--operators", is_flag=True, help="with the figures of every operator and device")
@remote
def trial(client: Client, trial: str, attempts: bool, operators: bool) -> int:
    """Print one trial in full, as JSON."""
    found = client.trial(trial, operators=operators)
    show_json(found.attempts() if attempts else found.document)
    return Exit.DONE


@click.command()
@click.argument("trial")
@click.argument("output", required=False, metavar="[FILE]")
@json_option
@remote
def export(client: Client, trial: str, output: str | None, as_json: bool) -> int:
    """Download the bundle of a complete trial; FILE is TRIAL.zip by default."""
    path = client.trial(trial).write_bundle(Path(output or f"{trial}.zip"))
    show_json({"trial": trial, "path": str(path)}) if as_json else click.echo(path)
    return Exit.DONE


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


def _row(trial: Trial) -> list[str]:
    names = ("accuracy", "meas_latency_cycles", "throughput_per_s", "est_lut")
    figures = [short(trial.metrics.get(name)) for name in names]
    return [trial.id, str(trial.number), trial.state, *figures, trial["reason"] or ""]
