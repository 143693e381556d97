"""Commands about how a search went: how its front grew, and which decisions decide."""

from __future__ import annotations

import click

from headrace.cli.arguments import id_argument, json_option, known, remote
from headrace.cli.exits import Exit
from headrace.cli.output import note, show_json, show_table
from headrace.client import Client


@click.command()
@id_argument("jobs")
@json_option
@remote
def hypervolume(client: Client, job: str, as_json: bool) -> int:
    """Show how a job's hypervolume grew: the share of objective space that its front dominates."""
    steps = known(client, "jobs", job, client.job).hypervolume()
    if as_json:
        show_json(steps)
    elif steps:
        rows = [(str(s["trials"]), f"{s['seconds']:.1f}", f"{s['hypervolume']:.6f}") for s in steps]
        show_table(("trials", "seconds", "hypervolume"), rows)
    else:
        note("no feasible complete trial yet")
    return Exit.DONE if steps else Exit.NO_DESIGN


@click.command()
@id_argument("jobs")
@json_option
@remote
def importance(client: Client, job: str, as_json: bool) -> int:
    """Show how much each decision decides about each objective, the most important first."""
    found = known(client, "jobs", job, client.job).importance()
    shares = [(o, d, f"{share:.1%}") for o, of in found["importance"].items() for d, share in of.items()]
    if as_json:
        show_json(found)
    elif shares:
        show_table(("objective", "decision", "share"), shares)
    else:
        note(f"{found['trials']} trials are too few, or too much alike")
    return Exit.DONE
