"""The way to the broker: who lost it knocks every few seconds, however long it was away.

Celery's workers wait 2 s longer after each failure, up to 30 s: after an outage of a minute they
would let changes lie for 16 s more, although Redis is back.

And an acknowledgement that was lost with the connection leaves no credit behind. A worker takes as
many messages as it has processes; kombu (transport/redis.py, ``QoS.ack``) counts one as answered
only after Redis said so, Celery logs the failure and goes on, and a worker without credit listens
to nothing: no message, and no closed connection that would wake it, ever. The message itself stays
with Redis and comes once more after the visibility timeout; messages are hints, so that is no harm.
"""

from __future__ import annotations

from typing import Any, Final

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis, virtual
from kombu.transport.base import Transport

#: Seconds between two tries: the first pause, what is added each time, the longest.
PAUSES: Final = {"interval_start": 1, "interval_step": 1, "interval_max": 3}


class SteadyQoS(redis.QoS):
    """kombu's, whose credit comes back whether Redis heard the acknowledgement or not."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue)
        finally:
            virtual.QoS.ack(self, delivery_tag)


class SteadyChannel(redis.Channel):
    QoS = SteadyQoS


class SteadyRedis(redis.Transport):
    Channel = SteadyChannel


class SteadyConnection(Connection):
    """kombu's, with short pauses where the caller names none: workers and beat name none."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        return super().ensure_connection(*args, **{**PAUSES, **options})

    def get_transport_cls(self) -> type[Transport]:
        """Ours for Redis; what was asked for otherwise."""
        asked = super().get_transport_cls()
        return SteadyRedis if asked is redis.Transport else asked


class SteadyAMQP(AMQP):
    """Celery's, with that connection for everyone."""

    Connection = BrokerConnection = SteadyConnection
