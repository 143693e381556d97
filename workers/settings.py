"""Settings of a worker process, read once from the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 1 << 30
_USABLE_MEMORY = 0.85
_MAY_BE_ZERO = ("sign_off_designs",)


@dataclass(frozen=True)
class Settings:
    """What workers need to know. The environment variable of each field is ``HEADRACE_`` + its name in capitals.

    Attributes:
        home: data directory; see ``db.artefacts`` for what lies where.
        database_url: SQLAlchemy URL; SQLite in ``home`` when not given.
        broker_url: Celery broker URL (``redis+socket:///path`` or ``redis://host``).
        evaluator: ``module:Class`` with the interface of ``explorer.evaluate.Evaluator``.
        search: ``module:Class`` with the interface of ``explorer.search.Search``.
        slots: evaluations at a time in one worker process.
        lease_seconds: a worker silent for so long has lost its trial.
        heartbeat_seconds: how often a lease is extended and the cancel flag read.
        trial_seconds: wall-clock limit of one evaluation.
        sign_off_seconds: wall-clock limit of one monolithic check.
        sign_off_designs: Pareto designs checked at the end of a job; further ones are listed as not checked.
        routing_seconds: wall-clock limit of placing and routing one design.
        memory_bytes: address space of each process of an evaluation; by default a slot's share of the memory.
        file_bytes: size of one file that an evaluation may write.
        parse_seconds: wall-clock and processor limit of parsing an upload.
        parse_memory_bytes: address space of the parser.
        cache_bytes: disk that the cache of the evaluators may use; what was used longest ago is deleted.
        requeue_seconds: age at which a waiting row's message is taken for lost.
        retention_days: age at which ended jobs are deleted.
    """

    home: Path
    database_url: str
    broker_url: str
    evaluator: str = "explorer.evaluate:Evaluator"
    search: str = "explorer.search:Search"
    slots: int = 2
    lease_seconds: float = 15.0
    heartbeat_seconds: float = 1.0
    trial_seconds: float = 900.0
    sign_off_seconds: float = 900.0
    sign_off_designs: int = 32
    routing_seconds: float = 1800.0
    memory_bytes: int = 16 * GIB
    file_bytes: int = 4 * GIB
    parse_seconds: float = 120.0
    parse_memory_bytes: int = 8 * GIB
    cache_bytes: int = 8 * GIB
    requeue_seconds: float = 10.0
    retention_days: float = 90.0

    @property
    def cache(self) -> Path:
        """Content-addressed work of the evaluators: compiled operators, memory images, known accuracies."""
        return self.home / "cache"

    @property
    def logs(self) -> Path:
        """Standard error of the evaluator children."""
        return self.home / "logs"


def default_home(environ: Mapping[str, str]) -> Path:
    """``HEADRACE_HOME``, or the XDG data directory of the user."""
    if environ.get("HEADRACE_HOME"):
        return Path(environ["HEADRACE_HOME"]).expanduser().resolve()
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "headrace"


def _require_positive(name: str, value: object) -> None:
    least_allowed = name in _MAY_BE_ZERO and value == 0
    if isinstance(value, int | float) and not (0 < value < math.inf or least_allowed):
        raise ValueError(f"HEADRACE_{name.upper()} must be a positive number, not {value}")


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        ValueError: a number is not one, or not positive; the message names the variable.
    """
    home = default_home(environ)
    values: dict[str, object] = {}
    for name, field in Settings.__dataclass_fields__.items():
        text = environ.get(f"HEADRACE_{name.upper()}")
        if name == "home" or not text:
            continue
        kind = {"int": int, "float": float}.get(str(field.type), str)
        try:
            values[name] = kind(text)
        except ValueError as error:
            raise ValueError(f"HEADRACE_{name.upper()} must be a number, not {text[:40]!r}") from error
        _require_positive(name, values[name])
    values.setdefault("database_url", f"sqlite:///{home / 'headrace.db'}")
    values.setdefault("broker_url", f"redis+socket://{home / 'valkey' / 'valkey.sock'}")
    slots = values.setdefault("slots", os.cpu_count() or 2)
    share = int(psutil.virtual_memory().total * _USABLE_MEMORY) // int(str(slots))
    values.setdefault("memory_bytes", max(4 * GIB, share))
    return Settings(home=home, **values)  # type: ignore[arg-type]
