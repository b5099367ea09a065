"""The second wall: what this request may reach, told to PostgreSQL for each of its transactions.

The web process connects as a role that sees no row of any tenant until it says for whom it acts
(`tenants.row_policies` makes the policies, `manage.py row_security` puts them in place). It says
so by settings that end with their transaction, so nothing of one request is left for the next on
the same connection. A request that says nothing sees nothing.

Only what `reach` and `door` are called for is told; where they may be called is a list in the
tests. Everywhere else, in workers, commands and on SQLite, all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, Escaping, ExecStatus, TransactionStatus

#: An operator's setting: every tenant.
EVERY: Final = "*"
#: Doors to rows of every tenant, for one purpose each. An address or a network is unique on its
#: gateway, so who gives one out must know what others hold.
ADDRESSES: Final = "addresses"
NETWORKS: Final = "networks"

#: Set together: what is not told is nothing, whatever the connection was told before.
_TELL: Final = (
    b"SELECT set_config('vwg.tenant', %s, true), set_config('vwg.user', %s, true),"
    b" set_config('vwg.token', %s, true), set_config('vwg.share', %s, true),"
    b" set_config('vwg.door', %s, true)"
)
_BACK: Final = "ROLLBACK TO SAVEPOINT"


@dataclass(frozen=True)
class Reach:
    """What the database is told. ``tenant``: an id or `EVERY`; ``user``: the id of who signs in;
    ``token``: a token's prefix; ``share``: a share link's digest; ``door``: one of the doors.
    """

    tenant: str = ""
    user: str = ""
    token: str = ""
    share: str = ""
    door: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        return (self.tenant, self.user, self.token, self.share, self.door)


_reach: ContextVar[Reach | None] = ContextVar("vwg_reach", default=None)


@contextmanager
def enforced() -> Iterator[None]:
    """For the time of one request: nothing is within reach until `reach` says so."""
    if not settings.VWG_ROW_SECURITY or connection.vendor != "postgresql":
        yield
        return
    before = _reach.set(Reach())
    try:
        with connection.execute_wrapper(_walled):
            _tell_if_begun()
            yield
    finally:
        _tell_if_begun(Reach())
        _reach.reset(before)


def reach(**parts: str) -> None:
    """Widen or change what is within reach, for the rest of the request (fields of `Reach`)."""
    now = _reach.get()
    if now is not None and (wanted := replace(now, **parts)) != now:
        _reach.set(wanted)
        _tell_if_begun()


@contextmanager
def together() -> Iterator[None]:
    """Statements of a read in one transaction, which is told once; nothing where none is told."""
    if _reach.get() is None or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield


@contextmanager
def door(name: str) -> Iterator[None]:
    """Open one of the doors named above. What is written must still be the caller's own."""
    now = _reach.get()
    before = "" if now is None else now.door
    reach(door=name)
    try:
        yield
    finally:
        reach(door=before)


def _walled(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement after the database was told what is within reach of its transaction."""
    if not connection.in_atomic_block:
        with transaction.atomic():
            _tell()
            return execute(sql, params, many, context)
    if _status() == TransactionStatus.IDLE:
        _tell()  # this statement begins the transaction
    result = execute(sql, params, many, context)
    if isinstance(sql, str) and sql.startswith(_BACK):
        _tell()  # what was told since the savepoint is forgotten
    return result


def _tell_if_begun(wanted: Reach | None = None) -> None:
    """Tell a transaction that runs already; one that does not is told by its first statement."""
    if connection.in_atomic_block and _status() == TransactionStatus.INTRANS:
        _tell(wanted)


def _tell(wanted: Reach | None = None) -> None:
    """Tell the transaction; one that has not begun begins here, in the same round trip.

    Straight to libpq: past the wrapper that calls this, and a tenth of what a cursor costs, some
    five times a request.
    """
    found = wanted or _reach.get() or Reach()
    raw = connection.connection.pgconn
    quoted = Escaping(raw).escape_literal
    said = _TELL % tuple(bytes(quoted(value.encode())) for value in found.values)
    with connection.wrap_database_errors:
        result = raw.exec_(b"BEGIN;" + said if _status() == TransactionStatus.IDLE else said)
        if result.status != ExecStatus.TUPLES_OK:
            if result.error_field(DiagnosticField.SQLSTATE):
                raise error_from_result(result)
            raise OperationalError(result.get_error_message())  # the connection is lost


def _status() -> TransactionStatus | None:
    raw = connection.connection
    return None if raw is None else raw.info.transaction_status
