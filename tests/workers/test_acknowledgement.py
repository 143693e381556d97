"""A broker that goes away between a task and its acknowledgement."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
import redis
from kombu.transport.redis import Channel

from workers import acknowledgement
from workers.acknowledgement import FreeingQoS


def test_failed_acknowledgement_frees_its_slot() -> None:
    channel = MagicMock()
    channel.conn_or_acquire.side_effect = redis.ConnectionError("refused")
    channel.do_restore = False
    qos = FreeingQoS(channel, prefetch_count=1)
    qos._quick_append("tag", MagicMock())
    assert not qos.can_consume()
    with pytest.raises(redis.ConnectionError):
        qos.ack("tag")
    assert qos.can_consume()


def test_channels_of_workers_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "QoS", Channel.QoS)
    acknowledgement.install()
    assert Channel.QoS is FreeingQoS
