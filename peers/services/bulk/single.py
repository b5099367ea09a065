"""One entry of a bulk request by itself: what stands against it is its own failure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    transaction,
)

from gateways.models import Job
from peers.models import Client
from peers.services.bulk.entries import Entry, Failure, Outcome
from rest.errors import Refusal

logger = logging.getLogger("vwg.bulk")
Key = TypeVar("Key")
Found = TypeVar("Found")

#: No fault of an item or of a run: what was begun is rolled back, and done again later.
NOT_OURS: Final = (OperationalError, InterfaceError)
_CONFLICT = Failure("conflict", "Something else was changed at the same time. Try again.")
_RANGE = Failure("invalid", "A value is out of range.")
_BROKEN = Failure("server_error", "Something went wrong. It has been logged.")


def attempt(
    entry: Entry, change: Callable[[], tuple[Client, Job | None]]
) -> tuple[Outcome, Job | None]:
    """Carry out ``change`` in a savepoint; whatever stands against it is the entry's failure, and
    undoes it.

    A lost database is everybody's: it is raised.
    """

    def undone_if_it_fails() -> tuple[Client, Job | None]:
        with transaction.atomic():
            return change()

    try:
        done, failure = decide(entry, undone_if_it_fails)
    except IntegrityError:
        done, failure = None, _CONFLICT
    except DataError:
        done, failure = None, _RANGE
    except NOT_OURS:
        raise
    except DatabaseError:
        logger.exception("bulk item %d", entry.index)
        done, failure = None, _BROKEN
    if done is None:
        return Outcome(entry, failure=failure), None
    client, job = done
    return Outcome(entry, client), job


def decide(
    entry: Entry, decision: Callable[[], Found]
) -> tuple[Found, None] | tuple[None, Failure]:
    """The decision on an entry, or what stands against it.

    What the database says is raised: the transaction is spoilt then.
    """
    try:
        return decision(), None
    except Refusal as refusal:
        return None, Failure.of(refusal)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("bulk item %d", entry.index)
        return None, _BROKEN


def remembered(find: Callable[[Key], Found]) -> Callable[[Key], Found]:
    """``find``, that looks once for each; what it refuses it refuses again unasked."""
    known: dict[Key, Found | Refusal] = {}

    def found(key: Key) -> Found:
        if key not in known:
            try:
                known[key] = find(key)
            except Refusal as refusal:
                known[key] = refusal
        answer = known[key]
        if isinstance(answer, Refusal):
            raise answer.with_traceback(None)
        return answer

    return found
