"""Commands about sweeps."""

from __future__ import annotations

import click

from headrace.cli.arguments import id_argument, json_option, known, quiet_option, remote
from headrace.cli.exits import Exit
from headrace.cli.jobbody import read_json
from headrace.cli.jobs import JOB_COLUMNS, job_row
from headrace.cli.output import note, show_ids, show_json, show_table
from headrace.client import Client
from headrace.errors import HeadraceError
from headrace.sweep import Sweep


@click.command()
@click.argument("file")
@click.option("--manifest", metavar="FILE", help="makes repeating the command safe: it finds the sweep again")
@click.option("--wait", is_flag=True, help="follow all jobs to their end")
@json_option
@remote
def sweep(client: Client, file: str, manifest: str | None, wait: bool, as_json: bool) -> int:
    """Start many jobs and print the sweep's id.

    FILE is a JSON object with the arguments of Client.sweep: {"jobs": [...]}, {"base": ..., "matrix": ...} or
    {"models": ..., "platforms": ..., "spaces": ...}; - is standard input.
    """
    wanted = read_json(file)
    try:
        started = client.sweep(manifest=manifest, **wanted)
    except TypeError as error:
        raise HeadraceError(f"{file} is no sweep: {error}") from error
    if not as_json:
        click.echo(started.id)
    return _shown(started, wait, as_json, table=wait)


@click.command()
@id_argument("sweeps", required=False)
@click.option("--wait", is_flag=True, help="follow all jobs to their end")
@click.option("--plot", metavar="FILE", help="also save a plot of all fronts (PNG, SVG or PDF)")
@quiet_option
@json_option
@remote
def sweeps(client: Client, sweep: str | None, wait: bool, plot: str | None, quiet: bool, as_json: bool) -> int:
    """List sweeps, newest first, or show one with its jobs."""
    if sweep is None:
        if wait or plot:
            raise click.UsageError("--wait and --plot need the id of a sweep")
        return _listed(list(client.sweeps()), quiet, as_json)
    found = known(client, "sweeps", sweep, client.find_sweep)
    status = _shown(found, wait, as_json, table=not quiet)
    if quiet:
        show_ids(found.job_ids)
    if plot:
        found.plot(plot)
        note(f"saved {plot}")
    return status


def _listed(found: list[Sweep], quiet: bool, as_json: bool) -> int:
    if quiet:
        show_ids(sweep.id for sweep in found)
    elif as_json:
        show_json([sweep.document for sweep in found])
    else:
        rows = [
            (sweep.id, str(len(sweep.document["items"])), _counts(sweep), sweep.document["created_at"][:19])
            for sweep in found
        ]
        show_table(("sweep", "jobs", "states", "submitted"), rows)
    return Exit.DONE


def _shown(sweep: Sweep, wait: bool, as_json: bool, table: bool) -> int:
    """Show a sweep, at its end where that is asked for; refused items make the command fail."""
    if wait:
        sweep.wait(progress=True, check=False)
    jobs = sweep.jobs() if table and not as_json else []
    if as_json:
        show_json(sweep.document)
    elif table:
        show_table(JOB_COLUMNS, map(job_row, jobs))
    for item in sweep.refused:
        note(f"item {item['index']} was refused: {item['problem']['detail']}")
    if sweep.refused:
        return Exit.REFUSED
    return Exit.JOB_FAILED if wait and sweep.document["counts"].get("failed") else Exit.DONE


def _counts(sweep: Sweep) -> str:
    return ", ".join(f"{count} {state}" for state, count in sweep.document["counts"].items())
