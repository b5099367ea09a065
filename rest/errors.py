"""Refusals: what a service answers when it will not do what was asked.

Services raise these with a sentence a customer may read; `vwg.errors` alone knows what they mean
in HTTP. A message never holds a secret, and never a name of another tenant's thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """The request will not be carried out, and (but for NotApplied) nothing was changed.

    ``field`` names the input that is to blame (dotted for nested ones), None for the whole;
    ``code`` is a stable word for programs. Raise one of the subclasses.
    """

    default_code = "refused"

    def __init__(self, message: str, *, field: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or self.default_code


class Invalid(Refusal):
    """A value cannot be used as it is."""

    default_code = "invalid"


class Conflict(Refusal):
    """The value is sound, but what exists already stands against it."""

    default_code = "conflict"


class Missing(Refusal):
    """What was named does not exist for this caller (foreign things do not exist)."""

    default_code = "not_found"


class Forbidden(Refusal):
    """The caller may not do this."""

    default_code = "permission_denied"


class InProgress(Conflict):
    """The same request is being carried out; ask again ``retry_after`` seconds later."""

    default_code = "idempotency_in_progress"
    retry_after = 1


class StaleVersion(Refusal):
    """``If-Match`` names a version that is no longer the current one."""

    default_code = "stale_version"


class Unprocessable(Refusal):
    """Understood, but it contradicts an earlier request (an idempotency key used again)."""

    default_code = "unprocessable"


class Unavailable(Refusal):
    """Something vwg leans on is away; ``retry_after`` seconds later it may be back."""

    default_code = "unavailable"

    def __init__(
        self, message: str, *, field: str | None = None, code: str = "", retry_after: int = 5
    ) -> None:
        super().__init__(message, field=field, code=code)
        self.retry_after = retry_after


class NotApplied(Refusal):
    """The change is stored, but its job failed; ``extra`` (job, client …) joins the body."""

    default_code = "not_applied"

    def __init__(self, message: str, *, extra: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.extra = dict(extra)
