"""One trial in one evaluator slot: claim, run in the child, record under the fence."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from db.artefacts import Artefacts
from db.errors import UnavailableError
from db.rows import FaultClass, FollowUp, TrialLease
from db.store import Store
from hwgen.synthesis.route import LEAST_ADDRESS_SPACE
from workers import provenance, sandbox
from workers.bell import Bell
from workers.settings import Settings
from workers.supervisor import AbandonedError, Child, ChildDiedError, TooLongError

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Purpose = Literal["evaluate"] | FollowUp

_CANCELLED, _LOST, _SHUTDOWN = "cancelled", "lease_lost", "worker_shutdown"
_RETRY_SECONDS = 0.25
_LONGEST_RETRY_SECONDS = 2.0


class EvaluatorSlots:
    """The long-lived evaluator children of this process, one per slot, started when first needed."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._idle: queue.LifoQueue[tuple[int, Child | None]] = queue.LifoQueue()
        self._children: dict[int, Child] = {}
        for index in reversed(range(count)):
            self._idle.put((index, None))

    @contextmanager
    def borrow(self) -> Iterator[Child]:
        """A child for one request; a dead one is replaced on the next use."""
        index, child = self._idle.get()
        try:
            if child is None or not child.alive():
                child = self._children[index] = self._start(str(index), self._settings.memory_bytes)
            yield child
        finally:
            self._idle.put((index, child))

    @contextmanager
    def router(self) -> Iterator[Child]:
        """A child for one routing: with the address space that the runtime of its programs reserves."""
        memory = max(self._settings.memory_bytes, LEAST_ADDRESS_SPACE)
        child = self._start("router", memory)
        try:
            yield child
        finally:
            child.close()

    def close(self) -> None:
        """End every child with all it started."""
        for child in list(self._children.values()):
            child.close()

    def _start(self, name: str, memory_bytes: int) -> Child:
        log = self._settings.logs / f"evaluator-{os.getpid()}-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return Child(evaluator_command(replace(self._settings, memory_bytes=memory_bytes)), log)


def evaluator_command(settings: Settings, writable: tuple[Path, ...] = ()) -> list[str]:
    """The sandboxed command line of an evaluator child: sees uploads and graphs, writes only the cache."""
    places = Artefacts(settings.home)
    settings.cache.mkdir(parents=True, exist_ok=True)
    return sandbox.detect().command(
        ["-m", "workers.evaluator_main", settings.evaluator],
        sandbox.Limits(settings.memory_bytes, settings.file_bytes),
        packages=("hwgen", "explorer", "workers", settings.evaluator.partition(".")[0]),
        read_only=(places.home / "blobs", places.home / "graphs"),
        writable=(settings.cache, *writable),
    )


def request(settings: Settings, op: str, trial: Any, spec: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The evaluator child's request about a trial (a ``TrialRow``)."""
    places = Artefacts(settings.home)
    dataset = spec.get("dataset")
    return {
        "op": op,
        "job": trial.job_id,
        "spec": dict(spec),
        "model": str(places.graph(spec["model"]).resolve()),
        "dataset": None if dataset is None else str(places.blob(dataset).resolve()),
        "cache": str(settings.cache.resolve()),
        "candidate": trial.candidate,
        **more,
    }


class Evaluation:
    """Runs evaluations, sign-offs and routings of this worker process."""

    def __init__(self, settings: Settings, store: Store, bell: Bell, worker: str) -> None:
        self._settings = settings
        self._store = store
        self._bell = bell
        self._worker = worker
        self._slots = EvaluatorSlots(settings, settings.slots)
        self._free = threading.Semaphore(settings.slots)
        self._stopping = threading.Event()

    def run(self, trial_id: str) -> None:
        """Do what the trial waits for, if it waits for anything. Any number of calls does it once."""
        # First a slot, then the lease: a lease that waits would end, and count as a lost worker.
        with self._free:
            self._run(trial_id)

    def _run(self, trial_id: str) -> None:
        if self._stopping.is_set():
            return
        lease = self._store.work.claim(trial_id, self._worker, self._settings.lease_seconds)
        if lease is None:
            return
        try:
            if lease.purpose != "evaluate" or not self._answer_from_cache(lease):
                self._run_in_child(lease)
        finally:
            self._bell.ring(lease.trial.job_id)

    def shut_down(self) -> None:
        """Give running trials back and end the children; further messages are left alone."""
        self._stopping.set()

    def close(self) -> None:
        """End the children."""
        self._slots.close()

    def _key(self, lease: TrialLease) -> str:
        toolchain = provenance.toolchain_digest(self._settings.evaluator)
        return provenance.evaluation_key(lease.spec, lease.trial.candidate_hash, toolchain)

    def _answer_from_cache(self, lease: TrialLease) -> bool:
        known = self._insist(lambda: self._store.work.known_result(self._key(lease)))
        if known is None:
            return False
        source, stored = known
        stage = {"name": "stored_evaluation", "seconds": 0.0, "cache_hit": True}
        result = {**stored, "stages": [stage]}
        self._insist(lambda: self._store.work.record_result(lease.trial.id, lease.fence, result, cached_from=source))
        return True

    def _run_in_child(self, lease: TrialLease) -> None:
        seconds = self._seconds(lease.purpose)
        more = {} if lease.purpose == "evaluate" else {"trial_result": lease.trial.result}
        asked = request(self._settings, lease.purpose, lease.trial, lease.spec, **more)
        pulse = _Pulse(self._store, lease, self._settings.lease_seconds, self._stopping)
        try:
            with self._child(lease) as child:
                answer = child.call(asked, seconds, self._settings.heartbeat_seconds, pulse.beat)
        except TooLongError as error:
            self._too_long(lease, seconds, str(error))
        except OSError as error:
            self._fault(lease, "evaluator_not_started", str(error), "infrastructure")
        except ChildDiedError as error:
            self._fault(lease, "evaluator_died", str(error))
        except AbandonedError as error:
            self._abandoned(lease, str(error.args[0]))
        else:
            self._record(lease, answer)

    def _seconds(self, purpose: Purpose) -> float:
        limits = {
            "evaluate": self._settings.trial_seconds,
            "sign_off": self._settings.sign_off_seconds,
            "routing": self._settings.routing_seconds,
        }
        return limits[purpose]

    def _child(self, lease: TrialLease) -> AbstractContextManager[Child]:
        return self._slots.router() if lease.purpose == "routing" else self._slots.borrow()

    def _record(self, lease: TrialLease, answer: Mapping[str, Any]) -> None:
        if "fault" in answer and answer["outage"] is not None:
            self._fault(lease, answer["outage"], answer["fault"], "infrastructure")
        elif "fault" in answer:
            self._fault(lease, "fault", answer["fault"])
        elif lease.purpose != "evaluate":
            self._record_follow_up(lease.purpose, lease, answer["result"])
        else:
            self._record_result(lease, answer["result"], self._key(lease))

    def _record_result(self, lease: TrialLease, result: Mapping[str, Any], key: str | None) -> None:
        if not self._insist(lambda: self._store.work.record_result(lease.trial.id, lease.fence, result, cache_key=key)):
            _log.warning("late result of %s was refused: the lease had moved on", lease.trial.id)

    def _record_follow_up(self, what: FollowUp, lease: TrialLease, outcome: Mapping[str, Any]) -> None:
        self._insist(lambda: self._store.work.record_follow_up(what, lease.trial.id, lease.fence, outcome))

    def _insist(self, verb: Callable[[], Answer]) -> Answer:
        """Try again as long as the database is away: without it there is no other work, and this result would be lost.

        A fenced write that did commit makes the next try a no-op.

        Raises:
            UnavailableError: the database is away and this process has to end.
        """
        pause = _RETRY_SECONDS
        while True:
            try:
                return verb()
            except UnavailableError:
                if self._stopping.wait(pause):
                    raise
                pause = min(2 * pause, _LONGEST_RETRY_SECONDS)

    def _too_long(self, lease: TrialLease, seconds: float, reason: str) -> None:
        if lease.purpose != "evaluate":
            unknown = {"equal": None} if lease.purpose == "sign_off" else {}
            self._record_follow_up(lease.purpose, lease, {**unknown, "error": reason})
            return
        # Equal work would take as long again: a property of the design, told to the search as such.
        text = f"the evaluation {reason}: fewer samples, a smaller network or more lanes need less simulation"
        result = {"state": "infeasible", "reason": text, "constraints": {"evaluation_seconds": seconds}}
        self._record_result(lease, result, None)

    def _fault(self, lease: TrialLease, outcome: str, reason: str, kind: FaultClass = "evaluation") -> None:
        _log.warning("attempt %d of %s: %s: %s", lease.fence, lease.trial.id, outcome, reason)
        self._insist(lambda: self._store.work.record_fault(lease.trial.id, lease.fence, outcome, reason, kind))

    def _abandoned(self, lease: TrialLease, why: str) -> None:
        if why == _LOST:
            _log.warning("lost the lease of %s: its evaluator was stopped", lease.trial.id)
        else:
            self._fault(lease, why, why.replace("_", " "), "withdrawal")


class _Pulse:
    """Keeps one lease alive, and says when to abandon the work."""

    def __init__(self, store: Store, lease: TrialLease, lease_seconds: float, stopping: threading.Event) -> None:
        self._store = store
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._stopping = stopping

    def beat(self, stage: str | None) -> str | None:
        """Extend the lease; the reason to stop, None to go on.

        While the database is away nobody else can take the work; when it is back, the fence says whose it is.
        """
        if self._stopping.is_set():
            return _SHUTDOWN
        try:
            state = self._store.work.heartbeat(self._lease.trial.id, self._lease.fence, self._lease_seconds, stage)
        except UnavailableError:
            return None
        if state is None:
            return _LOST
        return _CANCELLED if state in ("cancelling", "cancelled") else None
