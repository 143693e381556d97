"""What one worker process owns: the store, the bell, its evaluator slots, its drivers. Tasks call into it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from db.errors import StoreError
from db.rows import JobLease, OutboxRow
from db.store import Store
from workers import provenance, sandbox
from workers.bell import Bell
from workers.driver import Driver
from workers.evaluation import Evaluation
from workers.outage import outage
from workers.settings import Settings

_log = logging.getLogger(__name__)

Send = Callable[[OutboxRow], None]


class Runner:
    """Joins the search, the evaluator and the store. One per process; its methods run in any number of threads."""

    def __init__(self, settings: Settings, send: Send) -> None:
        """Connect nothing yet.

        Args:
            settings: of this process.
            send: hands one message to the broker; raises ``OSError`` (or a subclass) when it cannot.
        """
        self.settings = settings
        self.store = Store(settings.database_url)
        self.bell = Bell(settings.broker_url)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._send = send
        self._evaluation = Evaluation(settings, self.store, self.bell, self.name)
        self._stopping = threading.Event()
        self._publishing = threading.Lock()

    def info(self) -> Mapping[str, Any]:
        """What this worker says of itself in /readyz and /version."""
        found = sandbox.detect()
        return {
            "sandbox": {"mode": found.mode, "reason": found.reason},
            "tools": provenance.tool_versions(),
            "toolchain": provenance.toolchain_digest(self.settings.evaluator),
            "slots": self.settings.slots,
        }

    def evaluate(self, trial_id: str) -> None:
        """Run the trial's evaluation or sign-off, if it waits for one."""
        self._evaluation.run(trial_id)

    def drive(self, job_id: str) -> None:
        """Drive the job, if it has no driver and something to do."""
        if self._stopping.is_set():
            return
        lease = self.store.searches.claim(job_id, self.name, self.settings.lease_seconds)
        if lease is None:
            return
        try:
            driver = Driver(self.settings, self.store, self.bell, lease, self.publish, self._stopping)
            driver.run()
        except StoreError:
            # The job was deleted or the database is away; when the lease ends, another driver goes on with it.
            _log.exception("driver of job %s let go", job_id)
        except Exception as error:
            failed = outage(error)
            if failed is None:
                # A search that raises would raise again after every restart: the job must end and say why.
                self._give_up(lease, error)
            else:
                # The machine failed, not the search: the reconciler calls another driver in a while.
                _log.exception("driver of job %s let go: %s", job_id, failed)
                self.store.searches.release(job_id, lease.fence)

    def _give_up(self, lease: JobLease, error: Exception) -> None:
        _log.exception("the search of job %s failed", lease.job.id)
        message = f"{type(error).__name__}: {error}"[:2000]
        failure = {"code": "search-failed", "message": message, "retryable": False}
        self.store.searches.finish(lease.job.id, lease.fence, "search_failed", failure)

    def publish(self) -> int:
        """Hand waiting messages to the broker; returns how many it took. They stay waiting when it is down."""
        with self._publishing:
            taken: list[int] = []
            try:
                for message in self.store.outbox.pending():
                    self._send(message)
                    taken.append(message.id)
            except OSError as error:
                _log.warning("the broker takes no messages, they wait in the database: %s", error)
            if taken:
                self.store.outbox.sent(taken)
            return len(taken)

    def shut_down(self) -> None:
        """Give back what runs, so that others can take it at once."""
        self._stopping.set()
        self._evaluation.shut_down()

    def close(self) -> None:
        """End the evaluator children and close the database."""
        self._evaluation.close()
        self.store.close()
