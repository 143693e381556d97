"""Settings of the API process, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(ValueError):
    """The environment asks for something the API refuses to run with; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What the API process needs to know.

    Attributes:
        home: data directory (``HEADRACE_HOME``): see ``db.artefacts`` for what lies where.
        database_url: SQLAlchemy URL (``HEADRACE_DATABASE_URL``).
        broker_url: Celery broker URL, only for readiness; by default the Valkey socket in ``home``.
        host: address the server binds to (``HEADRACE_HOST``).
        token: bearer token (``HEADRACE_TOKEN``); None only on loopback.
        allowed_hosts: names accepted in ``Host`` besides loopback names and ``host`` itself.
        max_model_bytes: cap on one uploaded model.
        max_dataset_bytes: cap on one uploaded dataset.
        max_json_bytes: cap on one JSON body.
        parse_seconds: wall-clock limit of the subprocess that reads an upload.
        max_queued_jobs: jobs not yet in a terminal state above which submission answers 429.
    """

    home: Path
    database_url: str
    broker_url: str
    host: str = "127.0.0.1"
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_model_bytes: int = 512 * 1024 * 1024
    max_dataset_bytes: int = 2 * 1024 * 1024 * 1024
    max_json_bytes: int = 1024 * 1024
    parse_seconds: float = 120.0
    max_queued_jobs: int = 10_000

    def __post_init__(self) -> None:
        if self.token is None and not is_loopback(self.host):
            raise SettingsError(
                f"refusing to bind {self.host} without authentication: set HEADRACE_TOKEN to a secret of at least "
                "16 characters, or bind 127.0.0.1"
            )
        if self.token is not None and len(self.token) < 16:
            raise SettingsError("HEADRACE_TOKEN is shorter than 16 characters: choose a longer secret")


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address literal) can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def default_home(environ: Mapping[str, str]) -> Path:
    """``HEADRACE_HOME``, or the XDG data directory of the user."""
    if environ.get("HEADRACE_HOME"):
        return Path(environ["HEADRACE_HOME"]).expanduser().resolve()
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "headrace"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a value is not usable, or the server would listen beyond loopback without a token.
    """
    home = default_home(environ)
    return Settings(
        home=home,
        database_url=environ.get("HEADRACE_DATABASE_URL") or f"sqlite:///{home / 'headrace.db'}",
        broker_url=environ.get("HEADRACE_BROKER_URL") or f"redis+socket://{home / 'valkey' / 'valkey.sock'}",
        host=environ.get("HEADRACE_HOST") or "127.0.0.1",
        token=environ.get("HEADRACE_TOKEN") or None,
        allowed_hosts=tuple(h.strip() for h in environ.get("HEADRACE_ALLOWED_HOSTS", "").split(",") if h.strip()),
        max_model_bytes=_positive(environ, "HEADRACE_MAX_MODEL_BYTES", 512 * 1024 * 1024),
        max_dataset_bytes=_positive(environ, "HEADRACE_MAX_DATASET_BYTES", 2 * 1024 * 1024 * 1024),
        parse_seconds=float(_positive(environ, "HEADRACE_PARSE_SECONDS", 120)),
        max_queued_jobs=_positive(environ, "HEADRACE_MAX_QUEUED_JOBS", 10_000),
    )


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError(f"{name} must be a positive whole number, not {text[:40]!r}")
    return int(text)
