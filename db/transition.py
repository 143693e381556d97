"""The parts every state change is made of. Lock the job's row first, always: then each job's history is serial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db import budget, convert, followups, tables
from db.clock import Moment
from db.errors import GoneError, IdempotencyMismatchError, NotFoundError
from db.rows import STATE_OF_END, EndReason, JobRow

Row = RowMapping

# Jobs beside what their models are called.
NAMED_JOBS = select(tables.jobs, tables.models.c.name.label("model_name")).outerjoin(
    tables.models, tables.models.c.id == tables.jobs.c.model_id
)


def lock_job(connection: Connection, job_id: str) -> Row:
    """The job's row, locked until the transaction ends.

    Raises:
        NotFoundError: no such job.
        GoneError: the job was deleted.
    """
    return _present(
        connection.execute(select(tables.jobs).where(tables.jobs.c.id == job_id).with_for_update()).mappings().first(),
        job_id,
    )


def read_job(connection: Connection, job_id: str) -> Row:
    """As ``lock_job``, without the lock."""
    return _present(
        connection.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).mappings().first(), job_id
    )


def _present(row: Row | None, job_id: str) -> Row:
    if row is None:
        raise NotFoundError(f"no job {job_id!r}")
    if row["deleted_at"] is not None:
        raise GoneError(f"job {job_id!r} was deleted")
    return row


def lock_trial(connection: Connection, trial_id: str) -> tuple[Row, Row]:
    """The rows of a trial's job and of the trial, locked in that order.

    Raises:
        NotFoundError: no such trial.
    """
    job_id = connection.execute(select(tables.trials.c.job_id).where(tables.trials.c.id == trial_id)).scalar()
    if job_id is None:
        raise NotFoundError(f"no trial {trial_id!r}")
    job = lock_job(connection, job_id)
    trial = connection.execute(select(tables.trials).where(tables.trials.c.id == trial_id)).mappings().first()
    if trial is None:
        raise NotFoundError(f"no trial {trial_id!r}")
    return job, trial


def emit(connection: Connection, job_id: str, kind: str, data: Mapping[str, Any], now: Moment, **changes: Any) -> int:
    """Append an event to the job's log, with ``changes`` of the job's row, and return its sequence number."""
    seq = connection.execute(
        update(tables.jobs)
        .where(tables.jobs.c.id == job_id)
        .values(seq=tables.jobs.c.seq + 1, **changes)
        .returning(tables.jobs.c.seq)
    ).scalar_one()
    connection.execute(
        insert(tables.events).values(job_id=job_id, seq=seq, type=kind, data=dict(data), created_at=now.wall)
    )
    return int(seq)


def change_job(connection: Connection, job: Row, state: str, now: Moment, **changes: Any) -> None:
    """Move the job to a state that is not terminal; ``end_job`` does the others."""
    with budget.counted(connection, job["id"], now):
        emit(connection, job["id"], "job", {"state": state}, now, state=state, **changes)


def end_job(
    connection: Connection, job: Row, reason: EndReason, now: Moment, failure: Mapping[str, Any] | None = None
) -> None:
    """Move the job to the terminal state that ``reason`` stands for, and end its event log."""
    state = STATE_OF_END[reason]
    data = {"state": state, "end_reason": reason}
    said = data | ({} if failure is None else {"failure": dict(failure)})
    changes: dict[str, Any] = {"finished_at": now.wall, "lease_owner": None, "lease_until": None, "end_reason": reason}
    if failure is not None:
        changes["failure"] = dict(failure)
    with budget.counted(connection, job["id"], now):
        emit(connection, job["id"], "job", said, now, state=state, **changes)
    emit(connection, job["id"], "end", {"state": state}, now)


def change_trial(connection: Connection, trial: Row, now: Moment, **changes: Any) -> int:
    """Change the trial's row and log it; returns the trial's new sequence number."""
    after = {**trial, **changes}
    data = {"trial_id": trial["id"], "number": trial["number"], "state": after["state"], "attempts": after["attempts"]}
    for key in ("reason", *followups.FOLLOW_UPS):
        if after[key] is not None:
            data[key] = after[key]
    if changes.get("result"):
        data["metrics"] = changes["result"].get("metrics", {})
    if changes.get("routing_result"):
        data["metrics"] = (after["result"] or {}).get("metrics", {}) | changes["routing_result"].get("metrics", {})
    with budget.counted(connection, trial["job_id"], now):
        seq = emit(connection, trial["job_id"], "trial", data, now)
        connection.execute(update(tables.trials).where(tables.trials.c.id == trial["id"]).values(seq=seq, **changes))
    return seq


def close_attempt(connection: Connection, trial: Row, now: Moment, outcome: str, reason: str | None) -> None:
    """Write how the trial's current attempt ended."""
    connection.execute(
        update(tables.attempts)
        .where(tables.attempts.c.trial_id == trial["id"], tables.attempts.c.fence == trial["fence"])
        .values(ended_at=now.wall, outcome=outcome, reason=reason)
    )


def send(connection: Connection, task: str, target_ids: Iterable[str], now: Moment) -> None:
    """Put messages into the outbox: they are published after this transaction, or never if it rolls back."""
    rows = [{"task": task, "target_id": target, "created_at": now.wall} for target in target_ids]
    if rows:
        connection.execute(insert(tables.outbox), rows)


def cancel_queued_trials(connection: Connection, job_id: str, now: Moment, reason: str) -> None:
    """Cancel the trials that nobody has started."""
    where = (tables.trials.c.job_id == job_id, tables.trials.c.state == "queued")
    for trial in connection.execute(select(tables.trials).where(*where)).mappings().all():
        change_trial(connection, trial, now, state="cancelled", reason=reason, finished_at=now.wall)


def withdraw_follow_ups(connection: Connection, job_id: str, now: Moment) -> None:
    """Take back the sign-offs and routings that nobody has started; their trials stay complete."""
    where = (tables.trials.c.job_id == job_id, tables.trials.c.state == "complete", followups.any_queued())
    for trial in connection.execute(select(tables.trials).where(*where)).mappings().all():
        name = followups.queued(trial)
        if name is not None:
            change_trial(connection, trial, now, **{name: None})


def abandon_running_trials(connection: Connection, job_id: str, now: Moment, reason: str) -> None:
    """Take every lease of the job away: evaluations are cancelled, follow-ups withdrawn, their workers stopped."""
    where = (tables.trials.c.job_id == job_id, tables.trials.c.lease_until.is_not(None))
    for trial in connection.execute(select(tables.trials).where(*where)).mappings().all():
        close_attempt(connection, trial, now, "cancelled", reason)
        cancelled = {"state": "cancelled", "reason": reason, "finished_at": now.wall}
        changes: dict[str, Any] = followups.withdrawn(trial) if trial["state"] == "complete" else cancelled
        change_trial(connection, trial, now, stage=None, lease_owner=None, lease_until=None, **changes)


def settle_cancelling(connection: Connection, job_id: str, now: Moment) -> None:
    """Finish a cancelling job once nothing of it runs any more."""
    job = read_job(connection, job_id)
    running = select(func.count()).where(tables.trials.c.job_id == job_id, tables.trials.c.lease_until.is_not(None))
    if job["state"] == "cancelling" and connection.execute(running).scalar_one() == 0:
        end_job(connection, job, "cancelled", now)


def count_trials(connection: Connection, job_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Job id -> trial state -> number."""
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(
        select(tables.trials.c.job_id, tables.trials.c.state, func.count())
        .where(tables.trials.c.job_id.in_(list(job_ids)))
        .group_by(tables.trials.c.job_id, tables.trials.c.state)
    )
    for job_id, state, number in rows:
        found.setdefault(job_id, {})[state] = number
    return found


def job_row(connection: Connection, job_id: str, now: Moment) -> JobRow:
    """The job as it is inside this transaction."""
    named = connection.execute(NAMED_JOBS.where(tables.jobs.c.id == job_id)).mappings().first()
    counts = count_trials(connection, [job_id])
    return convert.job(_present(named, job_id), counts.get(job_id, {}), now)


def insert_if_absent(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert unless the primary key exists; waits for a concurrent insert of the same key to commit or fail."""
    upsert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    inserted = upsert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(inserted).first() is not None


def claim_key(connection: Connection, key: str, fingerprint: str, resource_id: str, now: Moment) -> str | None:
    """Reserve an Idempotency-Key for a resource; or the id of the resource that has it already.

    Raises:
        IdempotencyMismatchError: the key was used with another fingerprint.
    """
    # A lock on the key alone would not exist yet; the primary key makes the second of two callers wait or see it.
    known = resource_of_key(connection, key, fingerprint)
    if known is None:
        values = {"key": key, "fingerprint": fingerprint, "resource_id": resource_id, "created_at": now.wall}
        if not insert_if_absent(connection, tables.idempotency, values):
            known = resource_of_key(connection, key, fingerprint)
    return known


def resource_of_key(connection: Connection, key: str, fingerprint: str) -> str | None:
    """The id of the resource that has an Idempotency-Key; None when nobody has used it.

    Raises:
        IdempotencyMismatchError: the key was used with another fingerprint.
    """
    keys = tables.idempotency
    known = connection.execute(select(keys).where(keys.c.key == key)).mappings().first()
    if known is None:
        return None
    if known["fingerprint"] != fingerprint:
        raise IdempotencyMismatchError("this Idempotency-Key was used with another request body; send a new key")
    return str(known["resource_id"])
