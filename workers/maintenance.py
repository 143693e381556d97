"""The sweeps that make losing any process or message harmless. Idempotent; one worker at a time by lease.

* outbox relay: messages of committed transactions go to the broker;
* reaper: trials whose worker went silent are queued again;
* retries: what an outage ended gets its message when its pause is over;
* reconciler: rows that wait although the broker's queue is empty get a new message;
* retention: ended jobs, cached evaluations, bundles, scratch and logs past their age are deleted, and the cache of the
  evaluators is kept below its size.
"""

from __future__ import annotations

import logging
import shutil
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from db.errors import StoreError, UnavailableError
from hwgen.tools.eviction import trim
from workers import names
from workers.runner import Runner

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.2
_LEASE = "maintenance"
_LEASE_SECONDS = 5.0
_HEARD_SECONDS = 5.0
_EVALUATION_DAYS = 365.0
_DAY = 86400.0
_FILE_DAYS = 7.0


@dataclass
class _Chore:
    run: Callable[[], object]
    every_seconds: float
    shared: bool = True
    due: float = 0.0


class Upkeep:
    """The maintenance threads of one worker process: one for the database alone, one for what needs the broker.

    A broker that hangs must not keep anyone from reaping leases.
    """

    def __init__(self, runner: Runner, queues: Sequence[str]) -> None:
        self._runner = runner
        self._queues = queues
        self._stop = threading.Event()
        self._leader = False
        self._reap_from = 0.0
        store, settings = runner.store, runner.settings
        chores = [
            _Chore(self._heard, _HEARD_SECONDS, shared=False),
            _Chore(self._elect, 1.0, shared=False),
            _Chore(self._reap, min(2.0, settings.lease_seconds / 4)),
            _Chore(store.upkeep.send_due_retries, 0.5),
            _Chore(store.upkeep.settle_cancelling_jobs, 2.0),
            _Chore(self.retain, 600.0),
            # By every process: workers need not share their cache.
            _Chore(lambda: trim(settings.cache, settings.cache_bytes), 300.0, shared=False),
        ]
        messages = [_Chore(runner.publish, _TICK_SECONDS), _Chore(self._reconcile, settings.requeue_seconds / 2)]
        self._threads = [
            threading.Thread(target=self._loop, args=(work,), name=name, daemon=True)
            for name, work in (("upkeep", chores), ("relay", messages))
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads, hand over, and sign off in the database."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        try:
            self._runner.store.leases.release(_LEASE, self._runner.name)
            self._runner.store.workers.gone(self._runner.name)
        except UnavailableError:
            _log.warning("the database was gone before this worker", exc_info=True)

    def _loop(self, chores: Sequence[_Chore]) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            for chore in chores:
                if time.monotonic() < chore.due or (chore.shared and not self._leader):
                    continue
                chore.due = time.monotonic() + chore.every_seconds
                try:
                    chore.run()
                except UnavailableError as error:
                    self._reap_from = time.monotonic() + self._runner.settings.lease_seconds
                    _log.warning("maintenance waits: %s", error)
                except (StoreError, redis.RedisError, OSError) as error:
                    # The broker or the disk is away, or a row was deleted: all is tried again, forever.
                    _log.warning("maintenance waits: %s", error)
                except Exception:
                    # A defect, but without this thread nothing at all would be reaped or sent any more.
                    _log.exception("a sweep failed")

    def _heard(self) -> None:
        self._runner.store.workers.heard(self._runner.name, self._queues, self._runner.info())

    def _reap(self) -> None:
        """End expired leases; after an outage of the database their workers first get a lease's time to renew them."""
        if time.monotonic() >= self._reap_from:
            self._runner.store.upkeep.reap_expired_leases()

    def _elect(self) -> None:
        self._leader = False
        self._leader = self._runner.store.leases.acquire(_LEASE, self._runner.name, _LEASE_SECONDS)

    def _reconcile(self) -> None:
        """Republish only what the broker does not hold: with a backlog in its queue nothing is taken for lost."""
        store, age = self._runner.store, self._runner.settings.requeue_seconds
        if self._runner.bell.waiting(names.EVALUATE_QUEUE) == 0:
            store.upkeep.requeue_lost_trials(age)
        if self._runner.bell.waiting(names.DRIVE_QUEUE) == 0:
            store.upkeep.requeue_lost_drivers(age)

    def retain(self) -> None:
        """Delete what is past its age."""
        store, settings = self._runner.store, self._runner.settings
        store.workers.forget_silent(_DAY)
        store.upkeep.purge_expired(settings.retention_days * _DAY, _EVALUATION_DAYS * _DAY)
        for directory in (settings.home / "bundles", settings.home / "incoming", settings.logs):
            _remove_older(directory, _FILE_DAYS * _DAY)


def _remove_older(directory: Path, seconds: float) -> None:
    """Delete files that can be made again or that nobody reads any more, and scratch directories of killed parsers."""
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        status = path.lstat()
        if time.time() - status.st_mtime <= seconds:
            continue
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
