"""Database rows to the frozen rows that leave the store."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import RowMapping

from db.budget import seconds_worked
from db.clock import Moment
from db.rows import (
    DONE_TRIAL_STATES,
    TRIAL_STATES,
    AttemptRow,
    DatasetRow,
    EventRow,
    JobRow,
    ModelRow,
    SweepRow,
    TrialRow,
    WorkerRow,
)


def new_id(prefix: str) -> str:
    """A fresh id: sorts by time of creation, with 80 random bits so that it cannot be guessed."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def when(seconds: float) -> datetime:
    """A stored time as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def when_or_none(seconds: float | None) -> datetime | None:
    """As ``when``, for a column that may be empty."""
    return None if seconds is None else when(seconds)


def model(row: RowMapping) -> ModelRow:
    """A row of ``models``."""
    return ModelRow(
        row["id"], row["name"], row["format"], row["size_bytes"], row["graph"], row["software"], when(row["created_at"])
    )


def dataset(row: RowMapping) -> DatasetRow:
    """A row of ``datasets``."""
    return DatasetRow(row["id"], row["name"], row["samples"], row["arrays"], row["size_bytes"], when(row["created_at"]))


def job(row: RowMapping, counts: Mapping[str, int], now: Moment) -> JobRow:
    """A row of ``transition.NAMED_JOBS`` with the number of the job's trials by state."""
    full: dict[str, int] = {state: counts.get(state, 0) for state in TRIAL_STATES}
    return JobRow(
        id=row["id"],
        state=row["state"],
        model_id=row["model_id"],
        model_name=row["model_name"],
        dataset_id=row["dataset_id"],
        sweep_id=row["sweep_id"],
        spec=row["spec"],
        labels=row["labels"],
        seq=row["seq"],
        trials_total=row["trials_total"],
        trials_done=sum(full[state] for state in DONE_TRIAL_STATES),
        wall_seconds=row["wall_seconds"],
        parallel_trials=row["parallel_trials"],
        counts=full,
        hypervolume=row["hypervolume"],
        history=row["history"],
        best=row["best"],
        front=tuple(row["front"]),
        end_reason=row["end_reason"],
        failure=row["failure"],
        created_at=when(row["created_at"]),
        started_at=when_or_none(row["started_at"]),
        finished_at=when_or_none(row["finished_at"]),
        search_seconds=seconds_worked(row, now.steady),
    )


def sweep(row: RowMapping) -> SweepRow:
    """A row of ``sweeps``."""
    return SweepRow(row["id"], row["items"], when(row["created_at"]))


def trial(row: RowMapping) -> TrialRow:
    """A row of ``trials``."""
    return TrialRow(
        id=row["id"],
        job_id=row["job_id"],
        number=row["number"],
        seq=row["seq"],
        state=row["state"],
        reason=row["reason"],
        stage=row["stage"],
        attempts=row["attempts"],
        candidate=row["candidate"],
        candidate_hash=row["candidate_hash"],
        result=row["result"],
        cached_from=row["cached_from"],
        sign_off=row["sign_off"],
        sign_off_result=row["sign_off_result"],
        routing=row["routing"],
        routing_result=row["routing_result"],
        created_at=when(row["created_at"]),
        started_at=when_or_none(row["started_at"]),
        finished_at=when_or_none(row["finished_at"]),
    )


def attempt(row: RowMapping) -> AttemptRow:
    """A row of ``attempts``."""
    return AttemptRow(
        row["fence"],
        row["purpose"],
        row["worker"],
        when(row["started_at"]),
        when_or_none(row["ended_at"]),
        row["outcome"],
        row["reason"],
    )


def event(row: RowMapping) -> EventRow:
    """A row of ``events``."""
    return EventRow(row["job_id"], row["seq"], row["type"], row["data"], when(row["created_at"]))


def worker(row: RowMapping, now: Moment) -> WorkerRow:
    """A row of ``workers``."""
    heard = when(now.wall - (now.steady - row["heard_at"]))
    return WorkerRow(row["id"], tuple(row["queues"]), row["info"], when(row["started_at"]), heard)
