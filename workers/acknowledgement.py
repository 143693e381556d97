"""Acknowledgements that cannot block a worker for ever."""

from __future__ import annotations

from kombu.transport import redis, virtual


class FreeingQoS(redis.QoS):
    """Counts a message as done even if the broker could not be told.

    Kombu keeps counting a message whose acknowledgement failed. If the broker goes away while all slots work, each of
    them counts for ever: the worker never asks for another message, so it does not even notice that the connection is
    gone. The broker delivers such a message again after its timeout, which changes nothing.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message.

        Raises:
            ConnectionError: the broker cannot be reached; the message no longer takes a slot.
        """
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except Exception:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
            raise


def install() -> None:
    """Make every channel to a Redis broker in this process use it."""
    redis.Channel.QoS = FreeingQoS
