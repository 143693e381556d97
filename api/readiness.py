"""Whether the parts the service needs are there: what ``/readyz`` and the pages report."""

from __future__ import annotations

import redis

from api.context import Context
from api.service_views import ReadyView
from db.errors import UnavailableError
from workers.names import DRIVE_QUEUE, EVALUATE_QUEUE

_WORKER_SECONDS = 30.0
_BROKER_SECONDS = 1.0


def readiness(context: Context) -> ReadyView:
    """Ask the database, the broker and the list of workers; takes about a second at most when one is away."""
    broker = _broker(context.settings.broker_url)
    try:
        workers = context.store.workers.alive(_WORKER_SECONDS)
    except UnavailableError:
        return ReadyView(ready=False, database="it does not answer", broker=broker, workers="unknown")
    queues = {queue for worker in workers for queue in worker.queues}
    missing = [queue for queue in (DRIVE_QUEUE, EVALUATE_QUEUE) if queue not in queues]
    heard = (
        f"none was heard for {' and '.join(missing)} in the last {_WORKER_SECONDS:.0f} s: start `headrace serve`"
        if missing
        else "ok"
    )
    return ReadyView(ready=broker == "ok" and not missing, database="ok", broker=broker, workers=heard)


def _broker(url: str) -> str:
    # Celery writes redis+socket:// for what redis-py calls unix://.
    target = url.replace("redis+socket://", "unix://", 1)
    client = redis.Redis.from_url(target, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS)
    try:
        client.ping()
    except redis.RedisError:
        return "it does not answer"  # the exception's text may hold the URL with its password
    finally:
        client.close()
    return "ok"
