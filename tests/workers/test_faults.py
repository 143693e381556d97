"""Faults caused for real on a running service: processes killed and stopped, broker emptied, messages repeated."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from db import migrate
from db.errors import UnavailableError
from tests.postgres import Server
from tests.workers.service import LEASE_SECONDS, Service, gone, processes_with
from workers import names, valkey
from workers.bell import connect

_unique = itertools.count(86400 + os.getpid() % 10000 * 100)


@pytest.fixture
def start(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[..., Service]]:
    """Starts services; ends them afterwards whatever happened."""
    services: list[Service] = []

    def make(database_url: str | None = None, **environment: str) -> Service:
        home = tmp_path / f"home{len(services)}"
        home.mkdir()
        url = database_url or f"sqlite:///{home / 'headrace.db'}"
        migrate.upgrade(url)
        service = Service(home, url, **environment)
        services.append(service)
        return service.start()

    yield make
    for service in services:
        service.close()


def test_worker_killed_in_the_middle_of_a_search(start: Callable[..., Service]) -> None:
    _kill_workers(start())


@pytest.mark.slow
def test_worker_killed_in_the_middle_of_a_search_on_postgresql(start: Callable[..., Service], postgres: Server) -> None:
    _kill_workers(start(postgres.new_database()))


@pytest.mark.slow
def test_worker_killed_in_the_middle_of_a_search_without_namespaces(start: Callable[..., Service]) -> None:
    service = start(HEADRACE_BWRAP="/bin/false")
    assert {w.info["sandbox"]["mode"] for w in service.store.workers.alive()} == {"process-tree"}
    _kill_workers(service)


def _kill_workers(service: Service) -> None:
    hang = str(next(_unique))
    service.mode("pause=0.15")
    job = service.submit(40)
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 5, 60, "five trials")
    service.mode(f"pause={hang}")
    service.wait_for(lambda: len(processes_with(hang)) == 2, 20, "two compilers run")
    service.mode("pause=0.05")
    service.worker("evaluate").send_signal(signal.SIGKILL)
    killed = time.monotonic()
    service.wait_for(lambda: not processes_with(hang), 5, "the compilers died with their worker")
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 12, 40, "the search goes on")
    assert time.monotonic() - killed < 30
    service.worker("evaluate").send_signal(signal.SIGKILL)
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 20, 40, "the search goes on again")
    service.worker("search").send_signal(signal.SIGKILL)
    ended = service.finish(job)
    assert ended.state == "succeeded"
    service.check_history(ended, trials=40)
    lost = [a for t in service.store.trials.history(job.id) for a in service.store.trials.attempts(t.id)]
    assert 2 <= sum(a.outcome == "worker_lost" for a in lost) <= 6
    tree = service.tree()
    service.close()
    assert gone(tree, 10) == []


def test_cancel_while_compilers_run(start: Callable[..., Service]) -> None:
    service = start()
    hang = str(next(_unique))
    service.mode(f"stubborn={hang}")
    job = service.submit(40)
    service.wait_for(lambda: len(processes_with(hang)) >= 2, 30, "two stubborn compilers run")
    began = time.monotonic()
    assert service.store.jobs.cancel(job.id).state == "cancelling"
    ended = service.finish(job, 10)
    assert ended.state == "cancelled"
    assert time.monotonic() - began < 10
    assert processes_with(hang) == []
    service.check_history(ended)
    seq = ended.seq
    service.mode("")
    after = service.submit(5)
    assert service.finish(after).state == "succeeded", "the slots work again"
    assert service.store.jobs.get(job.id).seq == seq


@pytest.mark.slow
def test_messages_lost_and_repeated(start: Callable[..., Service]) -> None:
    service = start()
    service.mode("pause=0.2")
    job = service.submit(30, parallel=12)
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 4, 60, "four trials")
    connect(valkey.broker_url(service.home)).flushall()
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 14, 40, "work goes on after the flush")
    waiting = [t.id for t in service.store.trials.history(job.id) if t.state == "queued"][:1]
    for _ in range(100):
        _publish(service, waiting)
    ended = service.finish(job)
    service.check_history(ended, trials=30)
    assert set(service.starts().values()) == {1}, "one evaluation per candidate"


def _publish(service: Service, trial_ids: list[str]) -> None:
    from celery import Celery

    app = Celery(broker=valkey.broker_url(service.home))
    for trial_id in trial_ids:
        app.send_task(names.EVALUATE_TASK, args=[trial_id], queue=names.EVALUATE_QUEUE, ignore_result=True)


@pytest.mark.slow
def test_broker_restarts(start: Callable[..., Service]) -> None:
    service = start()
    service.mode("pause=0.1")
    job = service.submit(30)
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 5, 60, "five trials")
    server = next(p for p in service.tree() if "valkey-server" in p.name() or "valkey-server" in p.cmdline()[0])
    server.send_signal(signal.SIGKILL)
    ended = service.finish(job, 60)
    service.check_history(ended, trials=30)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["die", "nan"])
def test_poison_stops_after_three_attempts(start: Callable[..., Service], mode: str) -> None:
    service = start()
    job = service.submit(4)
    service.finish(job)
    service.mode(mode)
    poisoned = service.submit(4, seed=7)
    service.wait_for(lambda: service.store.jobs.get(poisoned.id).counts["failed"] >= 1, 60, "a failed trial")
    service.mode("")
    ended = service.finish(poisoned)
    service.check_history(ended)
    failed = [t for t in service.store.trials.history(poisoned.id) if t.state == "failed"]
    for trial in failed:
        assert trial.reason is not None and trial.reason.startswith("poison: 3 attempts")
        assert service.starts()[trial.candidate_hash] == 3
    assert ended.state == ("failed" if len(failed) == ended.trials_done else "succeeded")


@pytest.mark.slow
def test_machine_that_fails_everything_fails_the_job_early(start: Callable[..., Service]) -> None:
    service = start()
    service.mode("raise")
    ended = service.finish(service.submit(200))
    assert ended.state == "failed"
    assert ended.failure is not None and "nobody expected" in ended.failure["message"]
    assert ended.counts["failed"] < 10
    service.check_history(ended)


@pytest.mark.slow
def test_stopped_worker_loses_its_lease_and_its_late_result(start: Callable[..., Service]) -> None:
    service = start()
    service.mode("pause=1.5")
    job = service.submit(2)
    service.wait_for(lambda: service.store.jobs.get(job.id).counts["running"] == 2, 30, "both run")
    worker = service.worker("evaluate")
    worker.send_signal(signal.SIGSTOP)
    other = Service(service.home, str(service.environment["HEADRACE_DATABASE_URL"]))
    service.mode("")
    service.wait_for(
        lambda: service.store.jobs.get(job.id).counts["queued"] == 2, LEASE_SECONDS + 10, "the leases were reaped"
    )
    leases = [service.store.work.claim(t.id, "other", 60) for t in service.store.trials.history(job.id)]
    assert all(leases)
    worker.send_signal(signal.SIGCONT)
    time.sleep(2)
    assert service.store.jobs.get(job.id).counts["running"] == 2, "the late results were refused"
    for lease in leases:
        assert lease is not None
        assert service.store.work.record_result(
            lease.trial.id, lease.fence, {"state": "complete", "metrics": {"other": 1.0}}
        )
    ended = service.finish(job)
    service.check_history(ended, trials=2)
    assert all(
        t.result == {"state": "complete", "metrics": {"other": 1.0}} for t in service.store.trials.history(job.id)
    )
    other.store.close()


@pytest.mark.slow
def test_supervisor_killed_leaves_nothing(start: Callable[..., Service]) -> None:
    service = start()
    hang = str(next(_unique))
    service.mode(f"stubborn={hang}")
    job = service.submit(10)
    service.wait_for(lambda: len(processes_with(hang)) >= 2, 30, "two compilers run")
    tree = service.tree()
    assert service.process is not None
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    assert gone(tree, 20) == []
    assert processes_with(hang) == []
    service.mode("")
    service.start()
    ended = service.finish(job)
    service.check_history(ended, trials=10)


@pytest.mark.slow
def test_orderly_shutdown_gives_work_back(start: Callable[..., Service]) -> None:
    service = start()
    hang = str(next(_unique))
    service.mode(f"pause={hang}")
    job = service.submit(6)
    service.wait_for(lambda: len(processes_with(hang)) == 2, 30, "two compilers run")
    tree = service.tree()
    assert service.process is not None
    service.process.terminate()
    assert service.process.wait(timeout=25) == 0
    assert gone(tree, 5) == []
    assert processes_with(hang) == []
    assert service.store.jobs.get(job.id).counts["running"] == 0, "nothing waits for a lease to run out"
    service.mode("")
    service.start()
    ended = service.finish(job, 30)
    service.check_history(ended, trials=6)
    attempts = [a for t in service.store.trials.history(job.id) for a in service.store.trials.attempts(t.id)]
    assert [a.outcome for a in attempts if a.outcome not in ("complete", "infeasible", "done")] == [
        "worker_shutdown"
    ] * 2


@pytest.mark.slow
def test_broker_down_at_submission(start: Callable[..., Service]) -> None:
    service = start()
    server = next(p for p in service.tree() if "valkey-server" in p.cmdline()[0])
    server.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    job = service.submit(3)
    assert time.monotonic() - began < 0.5
    time.sleep(1)
    assert service.store.jobs.get(job.id).state == "queued"
    server.send_signal(signal.SIGCONT)
    service.check_history(service.finish(job, 60), trials=3)


@pytest.mark.slow
def test_database_stops_and_comes_back(start: Callable[..., Service]) -> None:
    server = Server()
    try:
        service = start(server.new_database())
        service.mode("pause=0.3")
        job = service.submit(30)
        service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 5, 60, "five trials")
        server.kill()
        with pytest.raises(UnavailableError):
            service.store.jobs.get(job.id)
        time.sleep(2)
        server.start()
        service.check_history(service.finish(job, 120), trials=30)
        service.close()
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills_of_everything(start: Callable[..., Service], seed: int) -> None:
    service = start()
    service.mode("pause=0.1")
    chance = random.Random(seed)
    job = service.submit(80, parallel=3, seed=seed)
    for _ in range(8):
        time.sleep(chance.uniform(0.2, 6.0))
        victim = chance.choice(["search", "evaluate", "valkey", "service"])
        if victim == "valkey":
            server = next((p for p in service.tree() if "valkey-server" in p.name()), None)
            if server is not None:
                server.kill()
        elif victim == "service":
            assert service.process is not None
            tree = service.tree()
            service.process.kill()
            service.process.wait()
            assert gone(tree, 20) == []
            service.start()
        else:
            with contextlib.suppress(AssertionError, psutil.NoSuchProcess):
                service.worker(victim).kill()
    ended = service.finish(job, 240)
    assert ended.state == "succeeded"
    service.check_history(ended, trials=80)
    assert set(service.starts().values()) <= {1, 2, 3}


def test_broker_socket_is_private(start: Callable[..., Service]) -> None:
    service = start()
    socket = valkey.socket_path(service.home)
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert socket.stat().st_mode & 0o077 == 0
    client = connect(valkey.broker_url(service.home))
    assert client.config_get("port") == {b"port": b"0"} or client.config_get("port") == {"port": "0"}
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=6379).ping()
