"""Upgrades of a database with data: jobs that ended under an older schema say why they ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from db import migrate
from db.engine import make_unpooled_engine
from db.store import Store

FIRST = "0001"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database at the first revision."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'old.db'}" if is_file else request.getfixturevalue("postgres").new_database()
    migrate.upgrade(url, FIRST)
    return url


def add_job(connection: Connection, name: str, state: str, **more: object) -> None:
    values: dict[str, object] = {
        "id": name, "state": state, "model_id": "sha256:m", "spec": "{}", "labels": "{}", "seq": 0, "next_number": 0,
        "trials_total": 10, "wall_seconds": 900.0, "parallel_trials": 2, "best": "{}", "front": "[]",
        "created_at": 1000.0, "started_at": 1001.0, "finished_at": 1061.0, "paused_seconds": 0.0,
        "published_at": 1000.0, "fence": 1,
    }  # fmt: skip
    insert(connection, "jobs", values | more)


def insert(connection: Connection, table: str, values: dict[str, object]) -> None:
    marks = ", ".join(f":{column}" for column in values)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)


def add_trial(connection: Connection, job: str, number: int, state: str, reason: str | None = None) -> None:
    values: dict[str, object] = {
        "id": f"{job}-{number}", "job_id": job, "number": number, "seq": number, "state": state, "reason": reason,
        "candidate": "{}", "candidate_hash": f"sha256:{number}", "attempts": 1, "faults": 0, "created_at": 1002.0,
        "published_at": 1002.0, "fence": 1,
    }  # fmt: skip
    insert(connection, "trials", values)


def add_event(
    connection: Connection, job: str, seq: int, data: dict[str, object], kind: str = "job", at: float = 1003.0
) -> None:
    values = {"job_id": job, "seq": seq, "type": kind, "data": json.dumps(data), "created_at": at}
    insert(connection, "events", values)


def old_jobs(connection: Connection) -> None:
    failure = {"message": "m", "retryable": True}
    add_job(connection, "all", "succeeded", trials_total=2)
    add_trial(connection, "all", 0, "complete")
    add_trial(connection, "all", 1, "infeasible")
    add_job(connection, "stop", "succeeded")
    add_event(connection, "stop", 1, {"state": "running"})
    add_event(connection, "stop", 2, {"state": "stopping"})
    add_job(connection, "time", "succeeded", wall_seconds=50.0)
    add_job(connection, "late", "succeeded")
    add_trial(connection, "late", 0, "cancelled", "the job's wall-clock budget was used up")
    add_job(connection, "space", "succeeded")
    add_trial(connection, "space", 0, "complete")
    add_job(connection, "cancel", "cancelled")
    add_job(connection, "faults", "failed", failure=json.dumps({"code": "evaluations-failed"} | failure))
    add_job(connection, "search", "failed", failure=json.dumps({"code": "search-failed"} | failure))
    add_job(connection, "runs", "running", finished_at=None)


def test_spent_time_is_kept(old_url: str) -> None:
    with make_unpooled_engine(old_url).begin() as connection:
        add_job(connection, "ended", "succeeded", paused_seconds=20.0)
        add_job(connection, "paused", "paused", finished_at=None, paused_at=1031.0, paused_seconds=5.0)
        add_job(connection, "runs", "running", finished_at=None)
        add_event(connection, "runs", 1, {"state": "running"})
        add_job(connection, "waits", "queued", finished_at=None, started_at=None)
    migrate.upgrade(old_url)
    store = Store(old_url)
    spent = {job.id: job.search_seconds for job in store.jobs.page().items}
    assert spent == {"ended": 40.0, "paused": 25.0, "runs": 2.0, "waits": 0.0}
    store.close()
    migrate.downgrade(old_url, FIRST)
    with make_unpooled_engine(old_url).connect() as connection:
        paused = connection.execute(text("SELECT paused_seconds FROM jobs WHERE id = 'ended'")).scalar_one()
    assert paused == 20.0


def test_trials_that_nobody_asked_to_route_stay_so(old_url: str) -> None:
    with make_unpooled_engine(old_url).begin() as connection:
        add_job(connection, "j", "succeeded")
        add_trial(connection, "j", 0, "complete")
    migrate.upgrade(old_url)
    store = Store(old_url)
    (trial,) = store.trials.history("j")
    assert (trial.state, trial.routing, trial.routing_result) == ("complete", None, None)
    store.close()
    migrate.downgrade(old_url, "0005")
    with make_unpooled_engine(old_url).connect() as connection:
        columns = set(connection.execute(text("SELECT * FROM trials")).keys())
    assert "sign_off" in columns and not {"routing", "routing_result"} & columns


def test_ended_jobs_say_why(old_url: str) -> None:
    with make_unpooled_engine(old_url).begin() as connection:
        old_jobs(connection)
    migrate.upgrade(old_url)
    store = Store(old_url)
    assert {job.id: job.end_reason for job in store.jobs.page().items} == {
        "all": "budget_trials", "stop": "stopped", "time": "budget_seconds", "late": "budget_seconds",
        "space": "space_exhausted", "cancel": "cancelled", "faults": "evaluations_failed", "search": "search_failed",
        "runs": None,
    }  # fmt: skip
    assert [t.number for t in store.trials.history("all")] == [0, 1]
    assert store.jobs.get("search").failure == {"code": "search-failed", "message": "m", "retryable": True}
    store.close()
    migrate.downgrade(old_url, FIRST)
    migrate.upgrade(old_url)
    migrate.require_current(old_url)


def test_histories_of_the_hypervolume_are_read_from_events(old_url: str) -> None:
    with make_unpooled_engine(old_url).begin() as connection:
        add_job(connection, "grew", "succeeded")
        add_job(connection, "waits", "queued", finished_at=None, started_at=None)
        for number in range(100):
            seq, ended = 3 * number + 1, {"number": number, "state": "infeasible" if number % 2 else "complete"}
            add_event(connection, "grew", seq, {"number": number, "state": "running"}, "trial")
            add_event(connection, "grew", seq + 1, ended, "trial", 1001.0 + number)
            progress = {"hypervolume": number / 100, "best": {}, "front_size": 1}
            add_event(connection, "grew", seq + 2, progress, "progress", 1001.5 + number)
    migrate.upgrade(old_url)
    store = Store(old_url)
    steps = store.events.hypervolume("grew")
    assert [(s["trials"], s["seconds"], s["hypervolume"]) for s in steps] == [
        (n + 1, n + 0.5, n / 100) for n in range(100)
    ]
    history = store.jobs.get("grew").history
    assert 30 <= len(history) <= 60 and all(point in steps for point in history)
    assert (history[0], history[-1]) == (steps[0], steps[-1])
    assert store.jobs.get("waits").history == []
    store.close()
    migrate.downgrade(old_url, "0005")
    with make_unpooled_engine(old_url).connect() as connection:
        data = connection.execute(text("SELECT data FROM events WHERE seq = 3")).scalar_one()
    assert "trials_done" not in str(data)
