"""The Celery application. Messages carry an id and mean "look": no results, no pickles, no remote control."""

from __future__ import annotations

import redis
from celery import Celery, signals
from kombu.exceptions import OperationalError

from db.rows import OutboxRow
from workers import acknowledgement, maintenance, names
from workers.runner import Runner
from workers.settings import from_environment

_settings = from_environment()

# A message is held unacknowledged while its task runs. The database republishes lost work within seconds, so a long
# timeout costs nothing; a short one would deliver running work a second time (to be refused by its lease).
_VISIBILITY_SECONDS = 12 * 3600

acknowledgement.install()

app = Celery("headrace", broker=_settings.broker_url, include=["workers.tasks"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue=names.EVALUATE_QUEUE,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": _VISIBILITY_SECONDS,
        "socket_timeout": 10.0,
        "socket_connect_timeout": 5.0,
        "socket_keepalive": True,
        "health_check_interval": 20,
        "retry_on_timeout": True,
    },
)


def send(message: OutboxRow) -> None:
    """Hand one outbox row to the broker.

    Raises:
        OSError: the broker cannot be reached.
    """
    task, queue = names.MESSAGES[message.task]
    try:
        app.send_task(task, args=[message.target_id], queue=queue, retry=False)
    except (OperationalError, redis.RedisError) as error:
        raise OSError(str(error)) from error


_runner: Runner | None = None


def runner() -> Runner:
    """This process's runner, made on first use: after any fork, and not by a process that only sends."""
    global _runner
    if _runner is None:
        _runner = Runner(_settings, send)
    return _runner


_upkeep: maintenance.Upkeep | None = None


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _start_upkeep(sender: object, **_: object) -> None:
    global _upkeep
    queues = [queue.name for queue in sender.task_consumer.queues]  # type: ignore[attr-defined]
    _upkeep = maintenance.Upkeep(runner(), queues)
    _upkeep.start()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _give_back(**_: object) -> None:
    runner().shut_down()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _stop(**_: object) -> None:
    if _upkeep is not None:
        _upkeep.stop()
    runner().close()
