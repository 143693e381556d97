"""The leased work of evaluation, sign-off and routing.

A lease is (owner, until, fence). Claiming raises the fence; every later write names the fence it was given
and is refused when another claim, a reaped lease or an ended trial has moved on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from db import convert, followups, tables, transition
from db.clock import Moment
from db.engine import Database
from db.errors import NotFoundError
from db.followups import answer_column
from db.rows import FaultClass, FollowUp, JobState, TrialLease

POISON_FAULTS = 3
_LONGEST_DELAY_SECONDS = 60.0
_WORKING_JOB_STATES = ("queued", "running", "stopping")


class Work:
    """``store.work``: what a worker does with the lease that it claimed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, trial_id: str, worker: str, lease_seconds: float) -> TrialLease | None:
        """Take a queued trial, or a queued sign-off or routing of a complete one; None when there is nothing to do."""
        with self._database.write() as connection:
            try:
                job, trial = transition.lock_trial(connection, trial_id)
            except NotFoundError:
                return None
            purpose = _claimable(job, trial)
            if purpose is None:
                return None
            now = self._database.now(connection)
            fence = trial["fence"] + 1
            lease = {"lease_owner": worker, "lease_until": now.steady + lease_seconds, "fence": fence}
            started = trial["started_at"] if trial["started_at"] is not None else now.wall
            evaluate: dict[str, Any] = {
                "state": "running",
                "attempts": trial["attempts"] + 1,
                "started_at": started,
                "reason": None,
            }
            changes = evaluate if purpose == "evaluate" else {str(purpose): "running"}
            transition.change_trial(connection, trial, now, **changes, **lease)
            connection.execute(
                insert(tables.attempts).values(
                    trial_id=trial_id, fence=fence, purpose=purpose, worker=worker, started_at=now.wall
                )
            )
            row = connection.execute(select(tables.trials).where(tables.trials.c.id == trial_id)).mappings().one()
            return TrialLease(convert.trial(row), job["spec"], fence, purpose)

    def heartbeat(self, trial_id: str, fence: int, lease_seconds: float, stage: str | None = None) -> JobState | None:
        """Extend a lease and note what runs; returns the job's state, or None when the lease is lost."""
        trials = tables.trials
        with self._database.write() as connection:
            now = self._database.now(connection)
            held = update(trials).where(
                trials.c.id == trial_id, trials.c.fence == fence, trials.c.lease_until.is_not(None)
            )
            job_id = connection.execute(
                held.values(lease_until=now.steady + lease_seconds, stage=stage).returning(trials.c.job_id)
            ).scalar()
            if job_id is None:
                return None
            state: JobState = connection.execute(
                select(tables.jobs.c.state).where(tables.jobs.c.id == job_id)
            ).scalar_one()
            return state

    def known_result(self, key: str) -> tuple[str, Mapping[str, Any]] | None:
        """(trial id, ``TrialResult.to_json()``) of an equal evaluation, None when there was none."""
        evaluations = tables.evaluations
        with self._database.read() as connection:
            row = connection.execute(select(evaluations).where(evaluations.c.key == key)).mappings().first()
        return None if row is None else (row["trial_id"], row["result"])

    def record_result(
        self,
        trial_id: str,
        fence: int,
        result: Mapping[str, Any],
        cache_key: str | None = None,
        cached_from: str | None = None,
    ) -> bool:
        """Store ``TrialResult.to_json()``; False when the fence is stale and nothing was changed.

        With ``cache_key`` the result also answers equal evaluations of other jobs.
        """
        with self._database.write() as connection:
            held = _held(connection, trial_id, fence, "running")
            if held is None:
                return False
            now = self._database.now(connection)
            state = result["state"]
            if state not in ("complete", "infeasible"):
                raise ValueError(f"a result is complete or infeasible, not {state!r}")
            transition.close_attempt(connection, held, now, state, result.get("reason"))
            transition.change_trial(
                connection,
                held,
                now,
                state=state,
                reason=result.get("reason"),
                result=dict(result),
                cached_from=cached_from,
                finished_at=now.wall,
                stage=None,
                **_NO_LEASE,
            )
            if cache_key is not None and cached_from is None:
                _remember(connection, cache_key, trial_id, result, now)
            transition.settle_cancelling(connection, held["job_id"], now)
            return True

    def record_follow_up(self, what: FollowUp, trial_id: str, fence: int, outcome: Mapping[str, Any]) -> bool:
        """Store what the evaluator's sign-off or routing said of a complete trial; False when the fence is stale."""
        done = {what: "done", answer_column(what): dict(outcome)}
        with self._database.write() as connection:
            held = _held(connection, trial_id, fence, "complete")
            if held is None:
                return False
            now = self._database.now(connection)
            transition.close_attempt(connection, held, now, "done", None)
            transition.change_trial(connection, held, now, **done, stage=None, **_NO_LEASE)
            transition.settle_cancelling(connection, held["job_id"], now)
            return True

    def record_fault(
        self, trial_id: str, fence: int, outcome: str, reason: str, kind: FaultClass = "evaluation"
    ) -> bool:
        """End an attempt that gave no result; False when the fence is stale.

        The work is queued again; after ``POISON_FAULTS`` faults of the evaluation itself the trial is failed. What an
        outage of the infrastructure ended is tried again for ever, each time after a longer pause. A withdrawal (an
        orderly shutdown) counts as nothing. In a cancelling job the trial is cancelled.
        """
        with self._database.write() as connection:
            held = _held(connection, trial_id, fence, "running") or _held(connection, trial_id, fence, "complete")
            if held is None:
                return False
            end_attempt(connection, held, self._database.now(connection), outcome, reason, kind)
            return True


_NO_LEASE: dict[str, None] = {"lease_owner": None, "lease_until": None}


def end_attempt(
    connection: Connection, trial: transition.Row, now: Moment, outcome: str, reason: str, kind: FaultClass
) -> None:
    """Close the attempt of a leased trial whose job's row is locked, and decide what becomes of the trial."""
    transition.close_attempt(connection, trial, now, outcome, reason)
    faults = trial["faults"] + (kind == "evaluation")
    job = transition.read_job(connection, trial["job_id"])
    following = followups.running(trial)
    changes: dict[str, Any] = {"faults": faults, "stage": None, **_NO_LEASE}
    if job["state"] in ("cancelling", "cancelled"):
        cancelled = {"state": "cancelled", "reason": "the job was cancelled", "finished_at": now.wall}
        changes |= {following: None} if following else cancelled
    elif faults >= POISON_FAULTS:
        text = f"poison: {faults} attempts ended by a fault, last: {outcome}: {reason}"
        failed = {"state": "failed", "reason": text, "finished_at": now.wall}
        changes |= {following: "failed", answer_column(following): {"error": text}} if following else failed
    else:
        changes |= {following: "queued"} if following else {"state": "queued"}
        changes |= _next_start(trial, now, f"{outcome}: {reason}") if kind == "infrastructure" else {}
        changes["published_at"] = now.steady
        if changes.get("retry_at") is None:
            transition.send(connection, "evaluate", [trial["id"]], now)
    transition.change_trial(connection, trial, now, **changes)
    transition.settle_cancelling(connection, trial["job_id"], now)


def _next_start(trial: transition.Row, now: Moment, why: str) -> dict[str, Any]:
    """When work that an outage ended is started again: at once the first time, then ever later."""
    seconds = min(_LONGEST_DELAY_SECONDS, 2.0 ** trial["setbacks"] - 1.0)
    changes: dict[str, Any] = {"setbacks": trial["setbacks"] + 1}
    if seconds > 0:
        changes |= {"retry_at": now.steady + seconds}
    if trial["state"] != "complete":
        changes |= {"reason": f"tried again after {why}"}
    return changes


def _claimable(job: transition.Row, trial: transition.Row) -> Literal["evaluate"] | FollowUp | None:
    if job["state"] not in _WORKING_JOB_STATES or trial["lease_until"] is not None:
        return None
    if trial["retry_at"] is not None:
        return None
    if trial["state"] == "queued":
        return "evaluate"
    return followups.queued(trial) if trial["state"] == "complete" else None


def _held(connection: Connection, trial_id: str, fence: int, state: str) -> transition.Row | None:
    """The trial when it is still leased under ``fence`` and in ``state``; its job's row is then locked."""
    try:
        _, trial = transition.lock_trial(connection, trial_id)
    except NotFoundError:
        return None
    held = trial["fence"] == fence and trial["state"] == state and trial["lease_until"] is not None
    return trial if held else None


def _remember(connection: Connection, key: str, trial_id: str, result: Mapping[str, Any], now: Moment) -> None:
    known = connection.execute(select(tables.evaluations.c.key).where(tables.evaluations.c.key == key)).first()
    if known is None:
        values = {"key": key, "trial_id": trial_id, "result": dict(result), "created_at": now.wall}
        transition.insert_if_absent(connection, tables.evaluations, values)
