"""The sweeps that make losing any process or message harmless. Idempotent; one worker at a time by lease.

* outbox relay: messages of committed transactions go to the broker;
* reaper: trials whose worker went silent are queued again, or failed as poison;
* reconciler: rows that wait although the broker's queue is empty get a new message;
* retention: ended jobs and cached evaluations past their age are deleted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis

from db.errors import UnavailableError
from workers import names
from workers.runner import Runner

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.2
_LEASE = "maintenance"
_LEASE_SECONDS = 5.0
_HEARD_SECONDS = 5.0
_EVALUATION_DAYS = 365.0
_DAY = 86400.0


@dataclass
class _Chore:
    run: Callable[[], object]
    every_seconds: float
    due: float = 0.0


class Upkeep:
    """The maintenance thread of one worker process."""

    def __init__(self, runner: Runner, queues: Sequence[str]) -> None:
        self._runner = runner
        self._queues = queues
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)
        settings = runner.settings
        self._leader = False
        self._own = [_Chore(self._heard, _HEARD_SECONDS), _Chore(self._elect, 1.0)]
        self._shared = [
            _Chore(runner.publish, _TICK_SECONDS),
            _Chore(runner.store.reap_expired_leases, min(2.0, settings.lease_seconds / 4)),
            _Chore(runner.store.settle_cancelling_jobs, 2.0),
            _Chore(self._reconcile, settings.requeue_seconds / 2),
            _Chore(self._retain, 600.0),
        ]

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, hand over, and sign off in the database."""
        self._stop.set()
        self._thread.join(timeout=10)
        try:
            self._runner.store.release_lease(_LEASE, self._runner.name)
            self._runner.store.worker_gone(self._runner.name)
        except UnavailableError:
            _log.warning("the database was gone before this worker", exc_info=True)

    def _loop(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            for chore in [*self._own, *(self._shared if self._leader else ())]:
                if time.monotonic() < chore.due:
                    continue
                chore.due = time.monotonic() + chore.every_seconds
                try:
                    chore.run()
                except (UnavailableError, redis.RedisError) as error:
                    # The database or the broker is away: everything here is tried again, forever.
                    self._leader = False
                    _log.warning("maintenance waits: %s", error)

    def _heard(self) -> None:
        self._runner.store.worker_heard(self._runner.name, self._queues, self._runner.info())

    def _elect(self) -> None:
        self._leader = self._runner.store.acquire_lease(_LEASE, self._runner.name, _LEASE_SECONDS)

    def _reconcile(self) -> None:
        """Republish only what the broker does not hold: with a backlog in its queue nothing is taken for lost."""
        store, age = self._runner.store, self._runner.settings.requeue_seconds
        if self._runner.bell.waiting(names.EVALUATE_QUEUE) == 0:
            store.requeue_lost_trials(age)
        if self._runner.bell.waiting(names.DRIVE_QUEUE) == 0:
            store.requeue_lost_drivers(age)

    def _retain(self) -> None:
        store = self._runner.store
        store.forget_silent_workers(_DAY)
        store.purge_expired(self._runner.settings.retention_days * _DAY, _EVALUATION_DAYS * _DAY)
