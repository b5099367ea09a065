"""The way to the broker: who lost it knocks every few seconds, however long it was away.

Celery's workers wait 2 s longer after each failure, up to 30 s: after an outage of a minute they
would let changes lie for 16 s more, although Redis is back.
"""

from __future__ import annotations

from typing import Any, Final

from celery.app.amqp import AMQP
from kombu import Connection

#: Seconds between two tries: the first pause, what is added each time, the longest.
PAUSES: Final = {"interval_start": 1, "interval_step": 1, "interval_max": 3}


class SteadyConnection(Connection):
    """kombu's, with short pauses where the caller names none: workers and beat name none."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        return super().ensure_connection(*args, **{**PAUSES, **options})


class SteadyAMQP(AMQP):
    """Celery's, with that connection for everyone."""

    Connection = BrokerConnection = SteadyConnection
