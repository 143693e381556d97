"""The search driver: one per job, by lease. It asks the search, adds trials, tells outcomes, and ends the job.

Rows are the truth and this object is disposable: a new driver restores the search from the rows and goes on. It
reuses no trial number and never exceeds the budget, because the store hands out numbers and refuses beyond it.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from db.artefacts import Artefacts
from db.rows import TERMINAL_TRIAL_STATES, EndReason, FollowUp, JobLease, TrialRow
from db.store import Store
from explorer.candidate import Candidate
from explorer.platform import routable
from explorer.spec import JobSpec
from workers.bell import Bell
from workers.scoreboard import Scoreboard, outcome_of
from workers.settings import Settings

_log = logging.getLogger(__name__)

# A search over a discrete space asks again for what is known; so many times in a row means it has nothing new.
_REPEATS_IN_A_ROW = 200
# When the first evaluations all fail by faults, the machine is broken, not the designs.
_FAULTS_AT_THE_START = 3
_SCORE_SECONDS = 0.5
# Why a search is over, as the reason of the trials that nobody had started then.
_OVER: Mapping[EndReason, str] = {
    "budget_trials": "the search is complete",
    "space_exhausted": "the search is complete",
    "stopped": "the job was stopped",
    "budget_seconds": "the job's wall-clock budget was used up",
    "evaluations_failed": "every evaluation failed",
}
_PAGE = 500


class Driver:
    """Drives one job until it ends, pauses, is cancelled, or the lease is lost."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        bell: Bell,
        lease: JobLease,
        publish: Callable[[], object],
        stopping: threading.Event,
    ) -> None:
        self._settings = settings
        self._store = store
        self._bell = bell
        self._publish = publish
        self._stopping = stopping
        self._fence = lease.fence
        self._job = lease.job
        self._spec = JobSpec.from_json(lease.job.spec)
        self._search = _make_search(settings, self._spec)
        self._scores = Scoreboard(self._spec)
        self._seq = 0
        self._pending: dict[str, Candidate] = {}
        self._asked_again: dict[str, int] = {}
        self._spare: Candidate | None = None
        self._exhausted = False
        self._scored_at = 0.0

    def run(self) -> None:
        """Search, sign the front off, route the best of it, finish; return early when the job has another driver."""
        self._restore()
        over = self._search_phase()
        if over is None:
            return
        self._score(force=True)
        for follow_up in (self._sign_off_phase, self._routing_phase):
            if self._job.state == "running" and not follow_up():
                return
        self._store.searches.finish(self._job.id, self._fence, *self._verdict(over))

    def _restore(self) -> None:
        history = self._store.trials.history(self._job.id)
        ended = [trial for trial in history if trial.state in TERMINAL_TRIAL_STATES]
        told = [(_candidate(t), outcome_of(t)) for t in ended if t.state != "cancelled"]
        if told:
            self._search.restore(told)
        for trial in ended:
            self._scores.add(trial)
        self._pending = {t.id: _candidate(t) for t in history if t.state not in TERMINAL_TRIAL_STATES}
        self._seq = max((trial.seq for trial in history), default=0)

    def _search_phase(self) -> EndReason | None:
        """Why the search is over; None when this driver has to let go."""
        while self._mine():
            self._take_changes()
            over = self._search_is_over()
            if over:
                self._store.searches.drop_queued(self._job.id, self._fence, _OVER[over])
                self._take_changes()
                if not self._pending:
                    return over
            elif self._fill():
                self._publish()
                continue
            self._score()
            self._bell.wait(self._job.id, self._settings.heartbeat_seconds)
        return None

    def _mine(self) -> bool:
        """Extend the lease when it is time; False when the job was paused, cancelled, ended or taken over."""
        if self._stopping.is_set():
            self._store.searches.release(self._job.id, self._fence, again=True)
            return False
        job = self._store.searches.heartbeat(self._job.id, self._fence, self._settings.lease_seconds)
        if job is None:
            _log.warning("job %s has another driver", self._job.id)
            return False
        self._job = job
        if job.state not in ("running", "stopping"):
            self._score(force=True)
            self._store.searches.release(job.id, self._fence)
            return False
        return True

    def _search_is_over(self) -> EndReason | None:
        """Why no further candidate is asked for; None while the search goes on."""
        if self._scores.count >= self._job.trials_total:
            return "space_exhausted" if self._space_is_smaller() else "budget_trials"
        if self._exhausted:
            return "space_exhausted"
        if self._job.state == "stopping":
            return "stopped"
        if self._job.search_seconds >= self._job.wall_seconds:
            return "budget_seconds"
        if self._scores.only_faults(_FAULTS_AT_THE_START):
            return "evaluations_failed"
        return None

    def _space_is_smaller(self) -> bool:
        """Whether the space, and not the user, set the number of trials: fewer than asked for, and nothing is left."""
        if self._job.trials_total >= self._spec.search.trials:
            return False
        if self._spare is None:
            self._spare = self._search.ask()
        return self._spare is None

    def _take_changes(self) -> None:
        """Tell the search what ended since the last look."""
        while True:
            page = self._store.trials.page(self._job.id, since_seq=self._seq, limit=_PAGE)
            for trial in page.items:
                self._seq = trial.seq
                if trial.state in TERMINAL_TRIAL_STATES and trial.id in self._pending:
                    self._tell(trial, self._pending.pop(trial.id))
            if page.next_cursor is None:
                return

    def _tell(self, trial: TrialRow, candidate: Candidate) -> None:
        self._scores.add(trial)
        if trial.state == "cancelled":
            return
        outcome = outcome_of(trial)
        for _ in range(1 + self._asked_again.pop(trial.candidate_hash, 0)):
            self._search.tell(candidate, outcome)

    def _fill(self) -> bool:
        """Add trials up to the allowed parallelism; whether any was added."""
        added = False
        repeats = 0
        while len(self._pending) < self._job.parallel_trials and repeats < _REPEATS_IN_A_ROW:
            candidate = self._ask()
            if candidate is None:
                # With work pending, an outcome may open the space again; with none it is used up.
                self._exhausted = not self._pending
                break
            digest = candidate.digest()
            known = self._scores.known(digest)
            if known is not None:
                self._search.tell(candidate, known)
            elif any(digest == other.digest() for other in self._pending.values()):
                self._asked_again[digest] = self._asked_again.get(digest, 0) + 1
            else:
                trial = self._store.searches.add_trial(self._job.id, self._fence, candidate.to_json(), digest)
                if trial is None:
                    break
                self._pending[trial.id] = candidate
                added, repeats = True, 0
                continue
            repeats += 1
        if repeats >= _REPEATS_IN_A_ROW:
            self._exhausted = not self._pending
        return added

    def _ask(self) -> Candidate | None:
        """The next candidate of the search; one that was asked for and not used comes first."""
        spare, self._spare = self._spare, None
        candidate: Candidate | None = self._search.ask() if spare is None else spare
        return candidate

    def _score(self, force: bool = False) -> None:
        """Publish hypervolume, best values and the front; not at every trial, it is quadratic in their number."""
        now = time.monotonic()
        if self._scores.changed and (force or now - self._scored_at >= _SCORE_SECONDS):
            self._scored_at = now
            score = self._scores.score()
            self._store.searches.set_progress(self._job.id, self._fence, score.hypervolume, score.best, score.front)

    def _sign_off_phase(self) -> bool:
        """Have the front built as one monolithic model each; False when this driver has to let go."""
        return self._follow_up("sign_off", self._scores.score().front[: self._settings.sign_off_designs])

    def _routing_phase(self) -> bool:
        """Have the best of the front placed and routed where open tools can; False when this driver has to let go."""
        if not routable(self._spec.platform):
            return True
        front = self._store.trials.get_all(list(self._scores.score().front))
        sound = [trial for trial in front if not trial.sign_off_result or trial.sign_off_result["equal"]]
        return self._follow_up("routing", [t.id for t in fastest(sound)[: self._spec.routing.designs]])

    def _follow_up(self, what: FollowUp, chosen: Sequence[str]) -> bool:
        self._store.searches.request(what, self._job.id, self._fence, chosen)
        self._publish()
        # When the job is stopped meanwhile, the store withdraws what waits, and this waits for what runs.
        while self._mine():
            trials = self._store.trials.get_all(list(chosen))
            waiting = [t for t in trials if getattr(t, what) in ("queued", "running")]
            if not waiting:
                return True
            self._bell.wait(self._job.id, self._settings.heartbeat_seconds)
        return False

    def _verdict(self, over: EndReason) -> tuple[EndReason, Mapping[str, Any] | None]:
        """Why the job ends, given why its search did: without a feasible design that was no success."""
        if self._scores.only_faults(1):
            message = f"no evaluation succeeded; the last failure: {self._scores.last_fault}"
            return "evaluations_failed", {"code": "evaluations-failed", "message": message, "retryable": True}
        stopped_before_any = over == "stopped" and self._scores.count == 0
        if self._scores.score().front or stopped_before_any:
            return over, None
        return "no_feasible_design", self._scores.no_feasible_design() | {"search_ended": over}


def fastest(trials: Sequence[TrialRow]) -> list[TrialRow]:
    """Complete trials, the one of the highest throughput first."""
    return sorted(trials, key=lambda t: (-(t.result or {})["metrics"]["throughput_per_s"], t.number))


def _candidate(trial: TrialRow) -> Candidate:
    return Candidate.from_json(trial.candidate)


def _make_search(settings: Settings, spec: JobSpec) -> Any:
    module, _, name = settings.search.partition(":")
    make = getattr(importlib.import_module(module), name)
    return make(spec, Path(Artefacts(settings.home).graph(spec.model)))
