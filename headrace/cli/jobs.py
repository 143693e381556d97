"""Commands about jobs: submit, look, steer, follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from headrace.cli.arguments import (
    JOB_STATES,
    completed,
    id_argument,
    ids_argument,
    json_option,
    known,
    quiet_option,
    read_ids,
    remote,
)
from headrace.cli.exits import Exit
from headrace.cli.jobbody import job_body
from headrace.cli.output import note, show_ids, show_json, show_line, show_table
from headrace.cli.results import show_front
from headrace.client import Client
from headrace.job import Job

JOB_COLUMNS = ("job", "state", "model", "trials", "front", "best", "submitted")


@click.command()
@click.argument("model", shell_complete=completed("models"))
@click.option("--dataset", help="an .npz file, or an uploaded dataset's id", shell_complete=completed("datasets"))
@click.option("--name", help="what the model is called; its file's name by default")
@click.option("--body", metavar="FILE", help="JSON file with the other fields of the job body; - is standard input")
@click.option("--device", help="a device of the catalogue", shell_complete=completed("devices"))
@click.option("--devices", type=int, help="how many of them, in a chain")
@click.option("--trials", type=int, help="candidates to evaluate")
@click.option("--wall-seconds", type=float, help="end after this time")
@click.option("--seed", type=int)
@click.option("--constraint", multiple=True, help="such as 'accuracy>=0.95' or 'est_lut<=50000'")
@click.option("--label", multiple=True, help="key=value")
@click.option("--idempotency-key", metavar="KEY", help="a key of your own: the same command again is the same job")
@click.option("--wait", is_flag=True, help="follow the job and show its front")
@json_option
@remote
def submit(
    client: Client, model: str, dataset: str | None, name: str | None, idempotency_key: str | None, wait: bool,
    as_json: bool, **fields: Any,
) -> int:  # fmt: skip
    """Start an exploration and print the job's id.

    MODEL is an .onnx or .pt2 file, or an uploaded model's id.
    """
    body = job_body(client, **fields)
    in_body = body.pop("dataset", None)
    job = client.submit(model, dataset=dataset or in_body, name=name, idempotency_key=idempotency_key, **body)
    if not wait:
        show_json(job.document) if as_json else click.echo(job.id)
        return Exit.DONE
    if not as_json:
        click.echo(job.id)
    return _ended(job) or show_front(job, as_json)


@click.command()
@id_argument("jobs", required=False)
@click.option("--state", type=click.Choice(JOB_STATES), help="only jobs in this state")
@click.option("--label", metavar="KEY=VALUE", help="only jobs with this label")
@click.option("--sweep", help="only jobs of this sweep", shell_complete=completed("sweeps"))
@click.option("--model", help="only jobs of this model, by id or name", shell_complete=completed("models"))
@click.option("--search", metavar="TEXT", help="only jobs with this text in a label, the model's name or the id")
@click.option("--wait", is_flag=True, help="follow the job to its end")
@quiet_option
@json_option
@remote
def status(client: Client, job: str | None, wait: bool, quiet: bool, as_json: bool, **wanted: str | None) -> int:
    """List jobs, newest first, or show one."""
    if job is None:
        if wait:
            raise click.UsageError("--wait needs the id of a job")
        _show_jobs(list(client.jobs(**wanted)), quiet, as_json)
        return Exit.DONE
    if any(text is not None for text in wanted.values()):
        raise click.UsageError("--state, --label, --sweep, --model and --search choose among jobs: leave out the id")
    found = known(client, "jobs", job, client.job)
    outcome = _ended(found) if wait else Exit.DONE
    if as_json:
        show_json(found.document)
    else:
        _show_jobs([found], quiet, as_json=False)
    return outcome


def _steering(verb: str, text: str) -> click.Command:
    """A command that steers jobs."""

    @ids_argument("jobs")
    @json_option
    @remote
    def run(client: Client, ids: Sequence[str], as_json: bool) -> int:
        steered = []
        for ident in read_ids(ids):
            steered.append(getattr(known(client, "jobs", ident, client.job), verb)())
            if not as_json:
                click.echo(f"{ident} {steered[-1].state}")
        if as_json:
            show_json([job.document for job in steered])
        return Exit.DONE

    return click.command(verb, help=f"{text}\n\nJOBS are ids; - reads them from standard input.")(run)


pause = _steering("pause", "Start no further trials until resumed.")
resume = _steering("resume", "Go on after a pause.")
stop = _steering("stop", "End jobs after what runs now.")


@click.command()
@ids_argument("jobs")
@json_option
@remote
def cancel(client: Client, ids: Sequence[str], as_json: bool) -> int:
    """End jobs, or all jobs of sweeps, now; trials already complete stay.

    JOBS are ids of jobs or sweeps; - reads them from standard input.
    """
    documents = []
    for ident in read_ids(ids):
        if ident.startswith("sweep"):
            ended = known(client, "sweeps", ident, client.find_sweep).cancel()
            documents.append(ended.document)
            text = ", ".join(f"{count} {state}" for state, count in ended.document["counts"].items())
        else:
            job = known(client, "jobs", ident, client.job).cancel()
            documents.append(job.document)
            text = job.state
        if not as_json:
            click.echo(f"{ident} {text}")
    if as_json:
        show_json(documents)
    return Exit.DONE


@click.command()
@ids_argument("jobs")
@json_option
@remote
def delete(client: Client, ids: Sequence[str], as_json: bool) -> int:
    """Delete ended jobs with their trials and bundles, or models that no job uses.

    JOBS are ids of jobs or models; - reads them from standard input.
    """
    deleted = []
    for ident in read_ids(ids):
        if ident.startswith("sha256:"):
            known(client, "models", ident, client.delete_model)
        else:
            known(client, "jobs", ident, client.job).delete()
        deleted.append(ident)
        if not as_json:
            click.echo(ident)
    if as_json:
        show_json(deleted)
    return Exit.DONE


@click.command()
@id_argument("jobs")
@click.option("--trials", type=int, help="candidates to evaluate")
@click.option("--wall-seconds", type=float, help="end after this time")
@click.option("--parallel-trials", type=int, help="evaluations at a time")
@json_option
@remote
def limit(client: Client, job: str, as_json: bool, **limits: Any) -> int:
    """Raise or lower the budgets of a job that has not ended."""
    if all(value is None for value in limits.values()):
        raise click.UsageError("give --trials, --wall-seconds or --parallel-trials")
    changed = known(client, "jobs", job, client.job).limit(**limits)
    if as_json:
        show_json(changed.document)
    else:
        _show_jobs([changed], quiet=False, as_json=False)
    return Exit.DONE


@click.command()
@id_argument("jobs")
@click.option("--since", type=int, default=0, help="only events after the one of this number")
@json_option
@remote
def logs(client: Client, job: str, since: int, as_json: bool) -> int:
    """Follow a job's events to its end, one a line; with --json as JSON lines."""
    for event in known(client, "jobs", job, client.job).events(since):
        if as_json:
            show_line({"id": event.id, "event": event.event, "data": event.data})
        else:
            data = event.data if isinstance(event.data, dict) else {"data": event.data}
            click.echo(f"{event.id:>6} {event.event:<9} " + " ".join(f"{k}={v}" for k, v in data.items()))
    return Exit.DONE


def job_row(job: Job) -> list[str]:
    """The cells of ``JOB_COLUMNS``."""
    from headrace import tables

    return tables.job_cells(job.document, job.model_name)


def _show_jobs(jobs: Sequence[Job], quiet: bool, as_json: bool) -> None:
    if quiet:
        show_ids(job.id for job in jobs)
    elif as_json:
        show_json([job.document for job in jobs])
    else:
        show_table(JOB_COLUMNS, map(job_row, jobs))


def _ended(job: Job) -> int:
    """Follow a job to its end; 0 where its trials are to be had."""
    job.wait(progress=True)
    note(f"{job.id} {job.state}: {job.end_reason}")
    return Exit.JOB_FAILED if job.state == "cancelled" else Exit.DONE
