"""A doorbell on the broker: whoever records a trial rings, the job's driver stops waiting and looks at the database.

Only a hint. Without the broker, or with a lost ring, the driver looks after its timeout all the same.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_EXPIRE_SECONDS = 60
_SOCKET_SECONDS = 5.0


def connect(broker_url: str) -> redis.Redis:
    """A client for ``redis://…`` or ``redis+socket:///path``; nothing is connected yet."""
    # One more try for a connection that the server closed; the default would wait seconds for a server that is away.
    retry = Retry(NoBackoff(), 1)
    if broker_url.startswith("redis+socket://"):
        path = urlsplit(broker_url).path
        return redis.Redis(unix_socket_path=path, socket_timeout=_SOCKET_SECONDS, retry=retry)
    return redis.Redis.from_url(
        broker_url, socket_timeout=_SOCKET_SECONDS, socket_connect_timeout=_SOCKET_SECONDS, retry=retry
    )


class Bell:
    """Rings for and waits on jobs."""

    def __init__(self, broker_url: str) -> None:
        self._client = connect(broker_url)

    def ring(self, job_id: str) -> None:
        """Say that something of the job changed."""
        try:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.lpush(f"headrace.bell.{job_id}", "1")
                pipe.ltrim(f"headrace.bell.{job_id}", 0, 0)
                pipe.expire(f"headrace.bell.{job_id}", _EXPIRE_SECONDS)
                pipe.execute()
        except redis.RedisError:
            return

    def wait(self, job_id: str, seconds: float) -> None:
        """Return when the bell rang since the last call, or after ``seconds`` (at most 4)."""
        started = time.monotonic()
        try:
            self._client.blpop([f"headrace.bell.{job_id}"], timeout=min(seconds, _SOCKET_SECONDS - 1.0))
        except redis.RedisError:
            time.sleep(max(0.0, min(seconds, 1.0) - (time.monotonic() - started)))

    def waiting(self, queue: str) -> int:
        """Messages in a Celery queue that no worker has taken. Raises redis.RedisError without a broker."""
        return int(self._client.llen(queue))
