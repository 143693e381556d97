"""The service that ``headrace.connect()`` uses when no address is given: found where one runs, else started."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from headrace import service
from headrace.errors import ConnectionFailed

_PORT = 8765
DEFAULT_URL = f"http://127.0.0.1:{_PORT}"
_PROBE_SECONDS = 5.0


def find_or_start() -> str:
    """The URL of a service on this machine; when none answers, one is started that ends with this process.

    It listens on loopback and keeps its data where ``headrace serve`` does. Jobs that are not done when it ends go on
    when the next service starts on the same data.

    Raises:
        ConnectionFailed: none answers and the service is not installed; the message says what to do.
        HeadraceError: it is installed and does not come up; the message has its last words.
    """
    url = running_url()
    if url is not None:
        return url
    if service.code() is None:
        raise ConnectionFailed(
            f"no service answers at {DEFAULT_URL}, and none is installed here. To run one here: {service.INSTALL}. "
            "To use one elsewhere: headrace.connect('http://HOST:8765'), or set HEADRACE_URL"
        )
    home = default_home()
    with _one_at_a_time(home):
        return running_url() or _start(home)


def running_url() -> str | None:
    """Where a service answers: where the one on our data said that it listens, or at the default; None for nowhere."""
    return next((url for url in (announced(default_home()), DEFAULT_URL) if url is not None and answers(url)), None)


def announced(home: Path) -> str | None:
    """The URL that a service on ``home`` wrote down when it was ready; it may have been killed since."""
    try:
        return str(json.loads((home / "serve.json").read_text("utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def answers(url: str) -> bool:
    """Whether a Headrace service answers there."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/healthz", timeout=_PROBE_SECONDS, trust_env=False)
        return answer.is_success and answer.json() == {"status": "ok"}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def default_home() -> Path:
    """Where ``headrace serve`` keeps its data: ``HEADRACE_HOME``, or the XDG data directory of the user."""
    if os.environ.get("HEADRACE_HOME"):
        return Path(os.environ["HEADRACE_HOME"]).expanduser().resolve()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "headrace"


def _start(home: Path) -> str:
    own = service.LocalService(home, preferred_port=_PORT, of_user=True)
    own.start()
    atexit.register(own.stop)
    print(
        f"headrace: started a service at {own.url} (data in {home}); it ends with this process, `headrace serve` runs "
        "one that stays",
        file=sys.stderr,
    )
    return own.url


@contextlib.contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Notebooks that connect at the same moment wait for each other, and share the first one's service."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "connect.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
