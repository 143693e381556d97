"""A job says why it ended, and one without a feasible design has failed."""

from __future__ import annotations

import pytest

from tests.workers.inprocess import InProcess, Start

TINY = "tests.workers.fakes:TinySearch"


@pytest.mark.parametrize(
    ("search", "trials", "space", "reason"),
    [
        (TINY, 3, 4, "budget_trials"),
        (TINY, 4, 4, "budget_trials"),
        (TINY, 50, 4, "space_exhausted"),
        (TINY, 50, 50, "space_exhausted"),
        ("tests.workers.fakes:FakeSearch", 6, 1024, "budget_trials"),
    ],
)
def test_budget_and_space(start: Start, search: str, trials: int, space: int, reason: str) -> None:
    service = start(search=search)
    ended = service.finish(service.submit(trials, space=space))
    assert (ended.state, ended.end_reason, ended.failure) == ("succeeded", reason, None)
    told, last = service.store.events.after(ended.id, limit=10_000)[-2:]
    assert (told.type, told.data) == ("job", {"state": "succeeded", "end_reason": reason})
    assert (last.type, last.data) == ("end", {"state": "succeeded"})


def test_a_lowered_budget_is_no_small_space(start: Start) -> None:
    service = start()
    service.mode("pause=0.05")
    job = service.submit(1000)
    service.until(lambda: service.store.jobs.get(job.id).trials_done >= 3, "three trials")
    service.store.jobs.limit(job.id, trials=6)
    assert service.finish(job).end_reason == "budget_trials"


def test_wall_clock(start: Start) -> None:
    service = start()
    service.mode("pause=0.1")
    ended = service.finish(service.submit(1000, parallel=4, wall_seconds=1.0))
    assert (ended.state, ended.end_reason) == ("succeeded", "budget_seconds")


def test_stop_and_cancel(start: Start) -> None:
    service = start()
    service.mode("pause=0.1")
    stopped, cancelled = running(service), running(service)
    service.store.jobs.stop(stopped)
    service.store.jobs.cancel(cancelled)
    for job_id, state, reason in ((stopped, "succeeded", "stopped"), (cancelled, "cancelled", "cancelled")):
        service.until(lambda job_id=job_id: service.store.jobs.get(job_id).terminal, "it ends")
        ended = service.store.jobs.get(job_id)
        assert (ended.state, ended.end_reason) == (state, reason)


def running(service: InProcess) -> str:
    job = service.submit(1000)
    service.until(lambda: service.store.jobs.get(job.id).counts["complete"] >= 1, "a feasible design")
    return job.id


def test_stopped_before_anything_was_evaluated(start: Start) -> None:
    service = start()
    service.mode("pause=0.5")
    job = service.submit(1000, parallel=1)
    service.store.jobs.stop(job.id)
    ended = service.finish(job)
    assert ended.trials_done > 0 or (ended.state, ended.end_reason) == ("succeeded", "stopped")


def test_no_feasible_design_is_a_failure_that_names_the_constraint(start: Start) -> None:
    service = start(search="tests.workers.fakes:Oversized")
    ended = service.finish(service.submit(5))
    assert (ended.state, ended.end_reason, ended.counts["infeasible"]) == ("failed", "no_feasible_design", 5)
    trials = service.store.trials.history(ended.id)
    violations = {t.number: t.result["constraints"]["est_lut"] for t in trials if t.result}
    nearest = min(violations, key=lambda number: (violations[number], number))
    missed = {
        "constraint": "est_lut <= 800",
        "metric": "est_lut",
        "best": 800 + violations[nearest],
        "number": nearest,
    }
    assert ended.failure is not None
    assert (ended.failure["code"], ended.failure["search_ended"]) == ("no-feasible-design", "budget_trials")
    assert ended.failure["constraints"] == [missed] and not ended.failure["retryable"]
    assert f"est_lut <= 800: best {missed['best']:g} reached by trial {nearest}" in ended.failure["message"]


def test_faults_alone(start: Start) -> None:
    service = start()
    service.mode("raise")
    ended = service.finish(service.submit(50))
    assert (ended.state, ended.end_reason) == ("failed", "evaluations_failed")


def test_a_search_that_raises(start: Start) -> None:
    service = start(search="tests.workers.fakes:BrokenSearch")
    assert service.finish(service.submit(5)).end_reason == "search_failed"
