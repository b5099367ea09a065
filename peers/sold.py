"""What may be sold to a client: one check per field, and then what the fields say together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from quotas.models import Plan
from rest.errors import Invalid
from rest.values import Check
from tenants.models import Tenant

MAX_BYTES: Final = 2**63 - 1
#: A hundred years, 1 Tbit/s, a year: beyond is a slip of the finger.
MAX_DAYS: Final = 36_500
MAX_KBIT: Final = 10**9
MAX_GRACE: Final = 366 * 86_400
LAST_YEAR: Final = 2999
QUOTAS: Final = ("quota_bytes", "upload_quota_bytes", "download_quota_bytes")
SPEEDS: Final = ("upload_kbit", "download_kbit")


def check_moment(value: object, field: str) -> datetime | None:
    """A moment with its offset, in UTC; None for none."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Invalid("This is not a time with its offset.", field=field)
    if not 1 < value.year <= LAST_YEAR:  # an offset or a reckoning would lead out of time
        raise Invalid(f"At the latest in {LAST_YEAR}; null is no end.", field=field)
    return value.astimezone(UTC)


def _whole(most: int, least: int = 1) -> Check:
    def check(value: object, field: str) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid("This is not an integer.", field=field)
        if not least <= value <= most:
            raise Invalid(f"This must be from {least} to {most}.", field=field, code="out_of_range")
        return value

    return check


def _grace(value: object, field: str) -> int:
    if value is None:
        raise Invalid("This may not be null.", field=field, code="null")
    return int(_whole(MAX_GRACE, 0)(value, field))


def one_of(choices: type[Any]) -> Check:
    """A check for one of the words of a field's choices."""
    words = [str(word) for word in choices.values]

    def check(value: object, field: str) -> str:
        if value not in words:
            text = f"This must be one of: {', '.join(words)}."
            raise Invalid(text, field=field, code="invalid_choice")
        return str(value)

    return check


#: The terms of a client, each with its check. None is no limit, and no such moment.
TERM_CHECKS: Final[Mapping[str, Check]] = {
    **dict.fromkeys(QUOTAS, _whole(MAX_BYTES)),
    "reset": one_of(Plan.Reset),
    "starts_at": check_moment,
    "start_before": check_moment,
    "expires_at": check_moment,
    "duration_days": _whole(MAX_DAYS),
    **dict.fromkeys(SPEEDS, _whole(MAX_KBIT)),
    "at_limit": one_of(Plan.AtLimit),
    "throttle_kbit": _whole(MAX_KBIT),
    "grace_seconds": _grace,
    "delete_after_days": _whole(MAX_DAYS, 0),
}


def check_together(
    terms: Mapping[str, Any], *, said: Collection[str], tenant: Tenant, at: datetime
) -> None:
    """Raise `Invalid` where what was ``said`` contradicts itself, the other terms or the tenant's
    limits. What was not said, as a plan's part, is not asked again.
    """
    for field in ("starts_at", "start_before", "expires_at"):
        if field in said and terms[field] is not None and terms[field] <= at:
            raise Invalid("This is not in the future.", field=field, code="past")
    _check_quotas(terms, said)
    _check_start(terms, said)
    _check_speeds(terms, said, tenant.max_speed_kbit)


def _check_quotas(terms: Mapping[str, Any], said: Collection[str]) -> None:
    together, *apart = (terms[field] for field in QUOTAS)
    if together is None or all(limit is None for limit in apart):
        return
    if named := [field for field in QUOTAS if field in said and terms[field] is not None]:
        text = "Limit both directions together (quota_bytes) or each apart, not both."
        raise _contradiction(named[-1], text)


def _check_start(terms: Mapping[str, Any], said: Collection[str]) -> None:
    start, end, deadline = (terms[word] for word in ("starts_at", "expires_at", "start_before"))
    if deadline is not None and start is not None and "start_before" in said:
        text = "This counts only while the first handshake decides when it begins."
        raise _contradiction("start_before", text)
    named = [field for field in ("starts_at", "expires_at") if field in said]
    if named and start is not None and end is not None and end <= start:
        raise _contradiction(named[-1], "It would end before it begins.")


def _check_speeds(terms: Mapping[str, Any], said: Collection[str], most: int | None) -> None:
    for field in (*SPEEDS, "throttle_kbit"):
        if field in said and most is not None and (terms[field] or 0) > most:
            text = f"Your limit is {most} kbit/s."
            raise Invalid(text, field=field, code="beyond_limit")
    if not {*SPEEDS, "at_limit", "throttle_kbit"} & set(said):
        return
    slow, rate = terms["at_limit"] == Plan.AtLimit.THROTTLE, terms["throttle_kbit"]
    if slow and rate is None:
        raise _contradiction("throttle_kbit", "Say how slow: at_limit is throttle.")
    if not slow and rate is not None:
        raise _contradiction("throttle_kbit", "This counts only with at_limit = throttle.")
    speeds = [terms[field] for field in SPEEDS if terms[field] is not None]
    if rate is not None and speeds and rate > min(speeds):
        raise _contradiction("throttle_kbit", "This is faster than the client is anyway.")


def _contradiction(field: str, text: str) -> Invalid:
    return Invalid(text, field=field, code="contradiction")
