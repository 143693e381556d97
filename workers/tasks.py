"""Celery tasks: thin shells with ids only. Calling one again, or for nothing, changes nothing."""

from __future__ import annotations

from workers import names
from workers.app import app, runner


@app.task(name=names.DRIVE_TASK, queue=names.DRIVE_QUEUE)  # type: ignore[untyped-decorator]
def drive(job_id: str) -> None:
    """Drive the search of a job until it ends or pauses."""
    runner().drive(job_id)


@app.task(name=names.EVALUATE_TASK, queue=names.EVALUATE_QUEUE)  # type: ignore[untyped-decorator]
def evaluate(trial_id: str) -> None:
    """Evaluate a trial, or sign off a complete one: whichever it waits for."""
    runner().evaluate(trial_id)
