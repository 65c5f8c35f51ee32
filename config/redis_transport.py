"""Kombu's transport for Redis and Valkey, for workers that outlive a silent broker."""

from typing import Final

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Counts a message as done before the broker is told, not only if it could be told.

    Kombu goes on counting what it could not acknowledge, and Celery only logs the failure: after
    as many as the worker has processes it asks for nothing more, on a connection that is well.
    The broker hands such a message out again after an hour; every task may run twice.
    """

    def ack(self, delivery_tag: str) -> None:
        """Count it, then tell the broker, which may fail."""
        virtual.QoS.ack(self, delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's shape
        """Count it, then tell the broker, which may fail."""
        virtual.QoS.ack(self, delivery_tag)
        super().reject(delivery_tag, requeue)


class Channel(redis.Channel):
    """Kombu's, with our counting."""

    QoS = QoS


class Transport(redis.Transport):
    """Kombu's, with our channel."""

    Channel = Channel


# As kombu wants to be told: it imports the module when it first connects.
TRANSPORT: Final = f"{__name__}:{Transport.__name__}"
