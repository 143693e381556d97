"""The search of a job: one driver at a time, by lease and fence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from db import budget, convert, history, tables, transition
from db.clock import Moment
from db.engine import Database
from db.errors import GoneError, NotFoundError
from db.rows import DONE_TRIAL_STATES, EndReason, FollowUp, JobLease, JobRow, TrialRow, VolumePoint


class Searches:
    """``store.searches``: what a driver does with the lease that it claimed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, job_id: str, owner: str, lease_seconds: float) -> JobLease | None:
        """Become the job's driver; None when another is, or when the job has nothing to drive."""
        with self._database.write() as connection:
            try:
                job = transition.lock_job(connection, job_id)
            except (NotFoundError, GoneError):
                return None
            now = self._database.now(connection)
            free = job["lease_until"] is None or job["lease_until"] < now.steady
            if job["state"] not in ("queued", "running", "stopping") or not free:
                return None
            fence = job["fence"] + 1
            lease = {"lease_owner": owner, "lease_until": now.steady + lease_seconds, "fence": fence}
            if job["state"] == "queued":
                started = now.wall if job["started_at"] is None else job["started_at"]
                transition.change_job(connection, job, "running", now, **lease, started_at=started)
            else:
                with budget.counted(connection, job_id, now):
                    connection.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(**lease))
            return JobLease(transition.job_row(connection, job_id, now), fence)

    def heartbeat(self, job_id: str, fence: int, lease_seconds: float) -> JobRow | None:
        """Extend the driver's lease; the job as it is now, or None when the lease is lost."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            extended = connection.execute(_held_job(job_id, fence).values(lease_until=now.steady + lease_seconds))
            return transition.job_row(connection, job_id, now) if extended.rowcount else None

    def release(self, job_id: str, fence: int, again: bool = False) -> None:
        """Give the lease back; with ``again`` another driver is called at once."""
        with self._database.write() as connection:
            try:
                job = transition.lock_job(connection, job_id)
            except GoneError:
                return
            if job["fence"] != fence or job["lease_until"] is None:
                return
            now = self._database.now(connection)
            with budget.counted(connection, job_id, now):
                connection.execute(_held_job(job_id, fence).values(lease_owner=None, lease_until=None))
            if again:
                transition.send(connection, "drive", [job_id], now)

    def add_trial(self, job_id: str, fence: int, candidate: Mapping[str, Any], candidate_hash: str) -> TrialRow | None:
        """Add the job's next trial with the message that evaluates it.

        None when the lease is lost, the job is not running, or the budget of trials is used up. Cancelled trials cost
        no budget: a job whose limits are raised after its queue was dropped still gets all its trials.
        """
        with self._database.write() as connection:
            job = transition.lock_job(connection, job_id)
            if job["fence"] != fence or job["state"] != "running":
                return None
            cancelled = transition.count_trials(connection, [job_id]).get(job_id, {}).get("cancelled", 0)
            if job["next_number"] - cancelled >= job["trials_total"]:
                return None
            now = self._database.now(connection)
            trial = {"id": convert.new_id("trial"), "job_id": job_id, "number": job["next_number"], "attempts": 0}
            event = {"trial_id": trial["id"], "number": trial["number"], "state": "queued", "attempts": 0}
            seq = transition.emit(connection, job_id, "trial", event, now, next_number=job["next_number"] + 1)
            row = trial | {
                "seq": seq,
                "state": "queued",
                "candidate": dict(candidate),
                "candidate_hash": candidate_hash,
                "created_at": now.wall,
                "published_at": now.steady,
            }
            with budget.counted(connection, job_id, now):
                connection.execute(insert(tables.trials).values(**row))
            transition.send(connection, "evaluate", [row["id"]], now)
            return _read_trial(connection, row["id"])

    def set_progress(
        self,
        job_id: str,
        fence: int,
        hypervolume: float | None,
        best: Mapping[str, Any],
        front: Sequence[str],
    ) -> bool:
        """Store the figures of the front as of the newest result; False when the lease is lost."""
        with self._database.write() as connection:
            job = transition.lock_job(connection, job_id)
            if job["fence"] != fence or job["lease_until"] is None:
                return False
            changes = {"hypervolume": hypervolume, "best": dict(best), "front": list(front)}
            if any(job[name] != value for name, value in changes.items()):
                _note_progress(connection, job, self._database.now(connection), changes)
            return True

    def request(self, what: FollowUp, job_id: str, fence: int, trial_ids: Sequence[str]) -> bool:
        """Ask for a sign-off or routing of complete trials that was not asked for yet; False when the lease is lost."""
        trials = tables.trials.c
        with self._database.write() as connection:
            job = transition.lock_job(connection, job_id)
            if job["fence"] != fence or job["lease_until"] is None:
                return False
            now = self._database.now(connection)
            fresh = select(tables.trials).where(
                trials.id.in_(list(trial_ids)), trials.state == "complete", trials[what].is_(None)
            )
            for trial in connection.execute(fresh).mappings().all():
                fresh_start = {what: "queued", "faults": 0, "setbacks": 0, "published_at": now.steady}
                transition.change_trial(connection, trial, now, **fresh_start)
                transition.send(connection, "evaluate", [trial["id"]], now)
            return True

    def drop_queued(self, job_id: str, fence: int, reason: str) -> bool:
        """Cancel the trials that nobody has started; False when the lease is lost."""
        with self._database.write() as connection:
            job = transition.lock_job(connection, job_id)
            if job["fence"] != fence or job["lease_until"] is None:
                return False
            transition.cancel_queued_trials(connection, job_id, self._database.now(connection), reason)
            return True

    def finish(self, job_id: str, fence: int, reason: EndReason, failure: Mapping[str, Any] | None = None) -> bool:
        """End the job for ``reason``; False when the lease is lost or users asked for something else.

        A terminal job never changes again, so what still waits or runs of it (a search may fail at any time) is ended.
        """
        with self._database.write() as connection:
            job = transition.lock_job(connection, job_id)
            if job["fence"] != fence or job["state"] not in ("running", "stopping"):
                return False
            now = self._database.now(connection)
            transition.cancel_queued_trials(connection, job_id, now, "the job ended")
            transition.withdraw_follow_ups(connection, job_id, now)
            transition.abandon_running_trials(connection, job_id, now, "the job ended")
            transition.end_job(connection, job, reason, now, failure)
            return True


def _note_progress(connection: Connection, job: transition.Row, now: Moment, changes: dict[str, Any]) -> None:
    """Store new figures of the front with their event and, where the hypervolume grew, a point of its history."""
    counts = transition.count_trials(connection, [job["id"]]).get(job["id"], {})
    done = sum(counts.get(state, 0) for state in DONE_TRIAL_STATES)
    data = {
        "hypervolume": changes["hypervolume"],
        "best": changes["best"],
        "front_size": len(changes["front"]),
        "trials_done": done,
    }
    if changes["hypervolume"] not in (None, job["hypervolume"]):
        seconds = max(0.0, now.wall - job["started_at"])
        point = VolumePoint(trials=done, seconds=seconds, hypervolume=changes["hypervolume"])
        changes = {**changes, "history": history.extended(job["history"], point)}
    transition.emit(connection, job["id"], "progress", data, now, **changes)


def _held_job(job_id: str, fence: int) -> Any:
    jobs = tables.jobs
    return update(jobs).where(jobs.c.id == job_id, jobs.c.fence == fence, jobs.c.lease_until.is_not(None))


def _read_trial(connection: Connection, trial_id: str) -> TrialRow:
    row = connection.execute(select(tables.trials).where(tables.trials.c.id == trial_id)).mappings().one()
    return convert.trial(row)
