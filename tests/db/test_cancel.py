"""Cancelling: nothing of the job runs on, and completion may come at the same time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from db.rows import JobRow, TrialRow
from db.store import Store
from tests.db.given import LEASE, add, complete, driven, sequence


def test_cancel_waits_for_what_runs(store: Store) -> None:
    job, lease = driven(store)
    running, waiting = add(store, job, lease, "a"), add(store, job, lease, "b")
    claim = store.work.claim(running.id, "w", LEASE)
    assert claim is not None
    assert store.jobs.cancel(job.id).state == "cancelling"
    assert store.jobs.cancel(job.id).state == "cancelling"
    assert store.trials.get(waiting.id).state == "cancelled"
    assert store.work.heartbeat(running.id, claim.fence, LEASE) == "cancelling"
    assert store.work.claim(waiting.id, "w", LEASE) is None
    assert store.work.record_fault(running.id, claim.fence, "cancelled", "cancelled", kind="withdrawal")
    ended = store.jobs.get(job.id)
    assert (ended.state, ended.counts["cancelled"]) == ("cancelled", 2)
    seq = ended.seq
    assert store.jobs.cancel(job.id).seq == seq
    assert store.events.after(job.id)[-1].type == "end"
    assert not store.searches.finish(job.id, lease.fence, "budget_trials")


def test_cancel_with_a_lost_worker_ends_by_the_reaper(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    store.work.claim(trial.id, "dead", 0.0)
    store.jobs.cancel(job.id)
    store.upkeep.reap_expired_leases()
    assert (store.jobs.get(job.id).state, store.trials.get(trial.id).state) == ("cancelled", "cancelled")


def test_cancel_races_completion(store: Store) -> None:
    for number in range(15):
        job, lease = driven(store)
        trial = add(store, job, lease, str(number))
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None
        gate = threading.Barrier(2)

        def finish(trial: TrialRow = trial, fence: int = claim.fence, gate: threading.Barrier = gate) -> None:
            gate.wait()
            store.work.record_result(trial.id, fence, {"state": "complete", "metrics": {}})

        def end(job: JobRow = job, fence: int = lease.fence, gate: threading.Barrier = gate) -> None:
            gate.wait()
            store.jobs.cancel(job.id)
            store.searches.finish(job.id, fence, "budget_trials")

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(finish), threads.submit(end)]:
                done.result()
        assert store.trials.get(trial.id).state == "complete"
        states = [e.data["state"] for e in store.events.after(job.id) if e.type == "job"]
        assert states[-1] == "cancelled" and states.count("cancelled") == 1 and "succeeded" not in states
        assert sequence(store, job) == list(range(1, store.jobs.get(job.id).seq + 1))


def test_cancelling_withdraws_routings(store: Store) -> None:
    job, lease = driven(store)
    trials = [add(store, job, lease, name) for name in "ab"]
    for trial in trials:
        complete(store, trial)
    store.searches.request("routing", job.id, lease.fence, [trial.id for trial in trials])
    claim = store.work.claim(trials[0].id, "w", LEASE)
    assert claim is not None and claim.purpose == "routing"
    store.jobs.cancel(job.id)
    assert store.trials.get(trials[1].id).routing is None, "it would wait for ever"
    assert store.work.record_fault(trials[0].id, claim.fence, "cancelled", "cancelled", kind="withdrawal")
    assert store.trials.get(trials[0].id).routing is None
    assert store.jobs.get(job.id).state == "cancelled"


def test_cancelling_withdraws_sign_offs_that_nobody_started(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    store.searches.request("sign_off", job.id, lease.fence, [trial.id])
    assert store.jobs.cancel(job.id).state == "cancelled"
    assert store.trials.get(trial.id).sign_off is None, "it would wait for ever"


def test_a_failed_job_leaves_nothing_running(store: Store) -> None:
    job, lease = driven(store)
    running, waiting, signing, asked = (add(store, job, lease, name) for name in "abcd")
    for trial in (signing, asked):
        complete(store, trial)
    claims = [store.work.claim(running.id, "w", LEASE)]
    store.searches.request("sign_off", job.id, lease.fence, [signing.id, asked.id])
    claims.append(store.work.claim(signing.id, "w", LEASE))
    assert store.searches.finish(
        job.id, lease.fence, "search_failed", {"code": "x", "message": "y", "retryable": False}
    )
    last = store.events.after(job.id)[-1]
    assert last.type == "end"
    for trial, claim in zip((running, signing), claims, strict=True):
        assert claim is not None
        assert store.work.heartbeat(trial.id, claim.fence, LEASE) is None, "its worker has to stop"
        assert not store.work.record_fault(trial.id, claim.fence, "fault", "late")
        assert store.trials.attempts(trial.id)[-1].outcome == "cancelled"
    assert not store.work.record_result(running.id, claims[0].fence if claims[0] else 0, {"state": "infeasible"})
    assert store.upkeep.reap_expired_leases() == 0
    rows = {trial.id: store.trials.get(trial.id) for trial in (running, waiting, signing, asked)}
    assert [row.state for row in rows.values()] == ["cancelled", "cancelled", "complete", "complete"]
    assert {row.sign_off for row in rows.values()} == {None}
    assert store.jobs.get(job.id).seq == last.seq, "nothing changes after the end"


def test_a_cancelled_pause_is_no_search_time(store: Store) -> None:
    job, _ = driven(store)
    store.jobs.pause(job.id)
    time.sleep(0.3)
    assert store.jobs.cancel(job.id).search_seconds < 0.2
    assert store.jobs.get(job.id).search_seconds < 0.2
