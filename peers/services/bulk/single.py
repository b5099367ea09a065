"""One entry of a bulk request by itself, in a savepoint of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction

from gateways.models import Job
from peers.models import Client
from peers.services.bulk.entries import Entry, Failure, Outcome
from rest.errors import Refusal

logger = logging.getLogger("vwg.bulk")

#: No fault of an item or of a run: what was begun is rolled back, and done again later.
NOT_OURS: Final = (OperationalError, InterfaceError, SoftTimeLimitExceeded)
_CONFLICT = Failure("conflict", "Something else was changed at the same time. Try again.")
_RANGE = Failure("invalid", "A value is out of range.")
_BROKEN = Failure("server_error", "Something went wrong. It has been logged.")


def attempt(
    entry: Entry, change: Callable[[], tuple[Client, Job | None]]
) -> tuple[Outcome, Job | None]:
    """Carry out ``change``; whatever stands against it is the entry's failure, and undoes it.

    A lost database and a worker whose time is up are everybody's: they are raised.
    """
    try:
        with transaction.atomic():
            client, job = change()
        return Outcome(entry, client), job
    except Refusal as refusal:
        failure = Failure.of(refusal)
    except IntegrityError:
        failure = _CONFLICT
    except DataError:
        failure = _RANGE
    except NOT_OURS:
        raise
    except Exception:
        logger.exception("bulk item %d", entry.index)
        failure = _BROKEN
    return Outcome(entry, failure=failure), None
