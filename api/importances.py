"""Importances of decisions: a program computes them in seconds, so the last ones of each job are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from api.job_views import ImportanceView
from db.rows import JobRow

_KEPT_JOBS = 256
_GROWTH = 1.1


class Importances:
    """The last importances of each job, with the number of trials that had ended then."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, ImportanceView]] = OrderedDict()
        self._lock = threading.Lock()
        self._computing = tuple(threading.Lock() for _ in range(16))

    def of(self, job: JobRow, compute: Callable[[str], dict[str, Any]]) -> ImportanceView:
        """The importances of a job; asked for at any rate, an active job costs one computation for a tenth more trials.

        Args:
            job: the job as it is now.
            compute: job id -> ``trials`` and ``importance``.
        """
        with self._computing[hash(job.id) % len(self._computing)]:
            known = self._fresh(job)
            if known is not None:
                return known
            answer = compute(job.id)
            view = ImportanceView(seq=job.seq, trials=answer["trials"], importance=answer["importance"])
            with self._lock:
                self._known[job.id] = (job.trials_done, view)
                self._known.move_to_end(job.id)
                while len(self._known) > _KEPT_JOBS:
                    self._known.popitem(last=False)
            return view

    def _fresh(self, job: JobRow) -> ImportanceView | None:
        with self._lock:
            trials, view = self._known.get(job.id, (0, None))
        if view is None or view.seq == job.seq:
            return view
        return None if job.terminal or job.trials_done >= _GROWTH * trials else view
