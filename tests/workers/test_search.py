"""The search driver and the evaluation of trials, without a broker: budgets, verbs, duplicates, caches, failures."""

from __future__ import annotations

import time

from db.rows import TrialRow
from explorer.pareto import hypervolume, pareto_front
from explorer.result import TrialResult
from explorer.spec import JobSpec
from tests.workers.inprocess import InProcess, Start


def test_budget_front_and_progress_equal_a_recomputation(start: Start) -> None:
    service = start()
    job = service.finish(service.submit(30))
    trials = service.store.trials.history(job.id)
    assert (job.state, job.trials_done, len(trials)) == ("succeeded", 30, 30)
    assert len({t.candidate_hash for t in trials}) == 30, "asked twice, evaluated once"
    spec = JobSpec.from_json(job.spec)
    results = [TrialResult.from_json(t.result) for t in trials if t.result and t.state == "complete"]
    complete = [t for t in trials if t.state == "complete"]
    assert job.front == tuple(complete[i].id for i in pareto_front(spec, results))
    assert job.hypervolume == hypervolume(spec, results)
    best = max(complete, key=lambda t: t.result["metrics"]["accuracy"] if t.result else 0)
    assert job.best["accuracy"]["number"] == best.number
    assert [t.sign_off for t in complete if t.id in job.front[:2]] == ["done", "done"]
    assert sum(t.sign_off is not None for t in trials) == 2
    assert all(t.reason for t in trials if t.state == "infeasible")


def test_space_smaller_than_the_budget(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch")
    job = service.finish(service.submit(50))
    assert (job.state, job.trials_done) == ("succeeded", 4)


def test_equal_evaluations_of_other_jobs_are_not_repeated(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch")
    first = service.finish(service.submit(4))
    assert service.starts() == 4
    again = service.finish(service.submit(4))
    assert service.starts() == 4
    sources = {t.id for t in service.store.trials.history(first.id)}
    copies = service.store.trials.history(again.id)
    assert {t.cached_from for t in copies} == sources
    assert all(t.result and t.result["stages"][0]["cache_hit"] for t in copies)
    service.finish(service.submit(4, seed=1))
    assert service.starts() == 8, "another seed is another evaluation"


def test_pause_resume_and_a_new_driver_go_on_where_it_was(start: Start) -> None:
    service = start()
    service.mode("pause=0.05")
    job = service.submit(20)
    service.until(lambda: service.store.jobs.get(job.id).trials_done >= 5, "five trials")
    service.store.jobs.pause(job.id)
    service.until(lambda: service.store.jobs.get(job.id).counts["running"] == 0, "what ran has ended")
    done = service.store.jobs.get(job.id).trials_done
    seconds = service.store.jobs.get(job.id).search_seconds
    service.until(lambda: service.store.searches.claim(job.id, "nobody", 1.0) is None, "nobody drives a paused job")
    assert service.store.jobs.get(job.id).trials_done == done < 20
    assert service.store.jobs.get(job.id).search_seconds == seconds, "the budget does not run while paused"
    service.store.jobs.resume(job.id)
    ended = service.finish(job)
    numbers = [t.number for t in service.store.trials.history(job.id)]
    assert (ended.state, ended.trials_done, numbers) == ("succeeded", 20, list(range(20)))


def test_stop_lets_running_trials_finish(start: Start) -> None:
    service = start()
    service.mode("pause=0.3")
    job = service.submit(100, parallel=6)
    service.until(lambda: service.store.jobs.get(job.id).counts["running"] == 2, "two run")
    service.store.jobs.stop(job.id)
    ended = service.finish(job)
    assert ended.state == "succeeded"
    assert (ended.counts["running"], ended.counts["queued"]) == (0, 0)
    assert ended.trials_done >= 2 and ended.counts["cancelled"] == 4


def test_stop_lets_running_sign_offs_finish_and_starts_no_other(start: Start) -> None:
    service = start(sign_off_designs=6, search="tests.workers.fakes:TinySearch")
    service.mode("sign=1")
    job = service.submit(4)

    def signed() -> list[str | None]:
        return sorted((t.sign_off for t in service.store.trials.history(job.id)), key=str)

    service.until(lambda: signed() == ["queued", "queued", "running", "running"], "two of four are signed off")
    service.store.jobs.stop(job.id)
    ended = service.finish(job)
    assert ended.state == "succeeded"
    assert signed() == [None, None, "done", "done"]
    assert service.store.events.after(job.id, limit=10_000)[-1].type == "end"


def test_the_fastest_designs_of_the_front_are_routed_and_the_front_stays(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch")
    job = service.finish(service.submit(4, routed=1))
    trials = service.store.trials.history(job.id)
    front = [t for t in trials if t.id in job.front]
    (routed,) = [t for t in trials if t.routing is not None]
    assert routed.id == min(front, key=lambda t: (-metrics(t)["throughput_per_s"], t.number)).id
    assert routed.routing == "done" and routed.routing_result is not None
    assert routed.routing_result["metrics"]["meas_fmax_mhz"] == 50.0
    assert "meas_fmax_mhz" not in metrics(routed), "what the search saw stays"
    assert service.finish(service.submit(4, seed=1, routed=0)).state == "succeeded"
    assert sum(t.routing is not None for t in service.store.trials.history(job.id)) == 1


def test_nothing_is_asked_for_where_no_open_tool_routes(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch")
    job = service.finish(service.submit(4, routed=1, device="u250"))
    trials = service.store.trials.history(job.id)
    assert job.state == "succeeded" and job.front and all(t.routing is None for t in trials)
    purposes = {attempt.purpose for t in trials for attempt in service.store.trials.attempts(t.id)}
    assert purposes == {"evaluate", "sign_off"}


def metrics(trial: TrialRow) -> dict[str, float]:
    assert trial.result is not None
    return dict(trial.result["metrics"])


def test_no_trial_is_lost_when_a_router_is_killed(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch")
    service.mode("kill-router")
    assert routing_of_the_best(service) == ("failed", "evaluator_died")


def test_no_trial_is_lost_when_routing_takes_too_long(start: Start) -> None:
    service = start(search="tests.workers.fakes:TinySearch", routing_seconds=0.5)
    service.mode("route=600")
    assert routing_of_the_best(service) == ("done", "took longer")


def routing_of_the_best(service: InProcess) -> tuple[str | None, str]:
    """State and reason of the one routing of a job, which succeeds with its trial complete."""
    job = service.finish(service.submit(4, routed=1))
    (routed,) = [t for t in service.store.trials.history(job.id) if t.routing is not None]
    assert (job.state, routed.state) == ("succeeded", "complete") and routed.routing_result is not None
    error = routed.routing_result["error"]
    return routed.routing, next(words for words in ("evaluator_died", "took longer") if words in error)


def test_wall_clock_budget_ends_the_search(start: Start) -> None:
    service = start()
    service.mode("pause=0.2")
    ended = service.finish(service.submit(1000, parallel=8, wall_seconds=1.5))
    assert ended.state == "succeeded"
    assert 2 <= ended.trials_done < 40
    assert ended.search_seconds < 8


def test_each_of_several_jobs_gets_its_own_wall_clock_budget(start: Start) -> None:
    service = start(slots=1)
    service.mode("pause=0.1")
    budget = 2.0
    jobs = [service.submit(1000, parallel=2, seed=seed, wall_seconds=budget) for seed in range(4)]
    for job in jobs:
        ended = service.finish(job)
        assert ended.end_reason == "budget_seconds"
        assert ended.search_seconds >= budget
        assert _seconds_in_slots(service, job.id) >= budget / 2, "it waited for the slot of the others at its own cost"


def _seconds_in_slots(service: InProcess, job_id: str) -> float:
    attempts = [a for t in service.store.trials.history(job_id) for a in service.store.trials.attempts(t.id)]
    return sum((a.ended_at - a.started_at).total_seconds() for a in attempts if a.ended_at)


def test_limits_can_be_lowered_and_raised(start: Start) -> None:
    service = start()
    service.mode("pause=0.05")
    lowered = service.submit(1000)
    service.until(lambda: service.store.jobs.get(lowered.id).trials_done >= 3, "three trials")
    service.store.jobs.limit(lowered.id, trials=6, parallel_trials=1)
    assert 6 <= service.finish(lowered).trials_done <= 10


def test_search_that_raises_fails_the_job_with_the_reason(start: Start) -> None:
    service = start(search="tests.workers.fakes:BrokenSearch")
    ended = service.finish(service.submit(5))
    assert ended.state == "failed"
    assert ended.failure == {
        "code": "search-failed",
        "message": "RuntimeError: the sampler has no idea",
        "retryable": False,
    }


def test_evaluation_over_its_time_is_infeasible(start: Start) -> None:
    service = start(trial_seconds=0.7, search="tests.workers.fakes:TinySearch")
    service.mode("pause=60")
    job = service.submit(4)
    service.until(lambda: service.store.jobs.get(job.id).counts["infeasible"] >= 1, "one took too long")
    service.mode("")
    ended = service.finish(job)
    slow = [t for t in service.store.trials.history(job.id) if t.state == "infeasible"]
    assert ended.state == "succeeded"
    assert all(t.result and t.result["constraints"] == {"evaluation_seconds": 0.7} for t in slow)
    assert all("took longer than 0.7 s" in (t.reason or "") for t in slow)


def test_no_trial_is_leased_before_a_slot_is_free(start: Start) -> None:
    service = start(slots=1, lease_seconds=0.5, search="tests.workers.fakes:TinySearch")
    service.mode("pause=1.2")
    job = service.submit(2)
    reaped = 0
    while not service.store.jobs.get(job.id).terminal:
        reaped += service.store.upkeep.reap_expired_leases()
        time.sleep(0.02)
    assert reaped == 0, "a trial that waits for a slot loses no lease"


def test_stage_of_a_running_trial_is_shown(start: Start) -> None:
    service = start()
    service.mode("pause=1")
    job = service.submit(2)
    service.until(lambda: "compile" in [t.stage for t in service.store.trials.history(job.id)], "a stage is shown")
    service.mode("")
    service.finish(job)
    assert {t.stage for t in service.store.trials.history(job.id)} == {None}
