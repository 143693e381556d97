"""The log of a job: sequence numbers without a gap, trials in the order of their last change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from db.rows import TrialRow
from db.store import Store
from tests.db.given import add, complete, driven, sequence


def test_sequence_has_no_gap_under_concurrent_writers(store: Store) -> None:
    job, lease = driven(store, trials=40)
    trials = [add(store, job, lease, str(i)) for i in range(40)]

    def work(trial: TrialRow) -> None:
        complete(store, trial)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, trials))
    seq = sequence(store, job)
    assert seq == list(range(1, len(seq) + 1)) and seq[-1] == store.jobs.get(job.id).seq == store.jobs.seq(job.id)
    assert store.jobs.get(job.id).trials_done == 40


def test_trials_come_in_order_of_change(store: Store) -> None:
    job, lease = driven(store)
    trials = [add(store, job, lease, str(i)) for i in range(5)]
    before = store.jobs.seq(job.id)
    assert store.trials.page(job.id, since_seq=before).items == []
    complete(store, trials[1])
    complete(store, trials[0])
    assert [t.number for t in store.trials.page(job.id, since_seq=before).items] == [1, 0]
    everything, cursor = [], None
    while True:
        page = store.trials.page(job.id, cursor=cursor, limit=2)
        everything += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [t.number for t in everything] == [2, 3, 4, 1, 0]
    assert all(a.seq < b.seq for a, b in pairwise(everything))
    assert [t.number for t in store.trials.page(job.id, state="complete").items] == [1, 0]
