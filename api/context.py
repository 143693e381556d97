"""What the routes share, and the annotated dependencies and parameters they take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from api.errors import Problem
from api.importances import Importances
from api.metrics import Metrics
from api.parsing import Parser
from api.settings import Settings
from api.views import ProblemView
from db.artefacts import Artefacts
from db.store import Store


@dataclass
class Keys:
    """Idempotency keys of requests that this process is working on."""

    _held: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def hold(self, key: str | None) -> Iterator[None]:
        """Hold a key for the time of one request.

        Raises:
            Problem: the first request with this key has not been answered yet.
        """
        if key is None:
            yield
            return
        with self._lock:
            if key in self._held:
                raise Problem("idempotency-in-flight", "Repeat the request in a moment.", headers={"Retry-After": "1"})
            self._held.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(key)


@dataclass(frozen=True)
class Context:
    """The wiring of one API process."""

    settings: Settings
    store: Store
    artefacts: Artefacts
    parser: Parser
    metrics: Metrics
    keys: Keys = field(default_factory=Keys)
    importances: Importances = field(default_factory=Importances)
    # Held while a model is looked up and used, or deleted, so that no job is left without its model.
    models: threading.Lock = field(default_factory=threading.Lock)
    _builds: tuple[threading.Lock, ...] = field(default_factory=lambda: tuple(threading.Lock() for _ in range(64)))

    def building(self, trial_id: str) -> threading.Lock:
        """The lock under which a trial's files are built, so that two downloads build them once."""
        return self._builds[hash(trial_id) % len(self._builds)]


def _context(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


ContextDep = Annotated[Context, Depends(_context)]
Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500, description="items per page")]
ResourceId = Annotated[str, Path(min_length=1, max_length=100)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="repeating the request with the same key and body starts nothing new",
    ),
]


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The ``responses`` of a route: problem documents for the given statuses and for those any route may answer."""
    return {
        status: {"model": ProblemView, "description": "problem document"}
        for status in sorted({*statuses, 400, 401, 422, 500, 503})
    }
