"""What a plan may say: one check per field, and then what its fields say together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from peers.sold import MAX_DAYS, MAX_GRACE, MAX_KBIT, one_of
from peers.values import check_name
from quotas.models import Plan
from resellers.values import MAX_BIG, Check, whole
from rest.errors import Invalid
from rest.values import check_text
from tenants.models import Tenant

MAX_DEVICES: Final = 1000


def _needed(check: Check) -> Check:
    """The check for a field that is never null."""

    def needed(value: object, field: str) -> Any:
        if value is None:
            raise Invalid("This may not be null.", field=field, code="null")
        return check(value, field)

    return needed


def _line(longest: int) -> Check:
    return lambda value, field: check_text(value, field, longest=longest)


CHECKS: Final[Mapping[str, Check]] = {
    "name": check_name,
    "description": _line(500),
    "price_label": _line(60),
    "total_bytes": whole(MAX_BIG, 1),
    "upload_bytes": whole(MAX_BIG, 1),
    "download_bytes": whole(MAX_BIG, 1),
    "duration_days": whole(MAX_DAYS, 1),
    "start": one_of(Plan.Start),
    "start_within_days": whole(MAX_DAYS, 1),
    "reset": one_of(Plan.Reset),
    "devices": _needed(whole(MAX_DEVICES, 1)),
    "upload_kbit": whole(MAX_KBIT, 1),
    "download_kbit": whole(MAX_KBIT, 1),
    "at_limit": one_of(Plan.AtLimit),
    "throttle_kbit": whole(MAX_KBIT, 1),
    "grace_seconds": _needed(whole(MAX_GRACE)),
    "delete_after_days": whole(MAX_DAYS),
}


def check_whole_plan(plan: Plan, tenant: Tenant, *, said: Collection[str]) -> None:
    """Raise `Invalid` where the plan's fields contradict each other, or what is ``said`` goes
    beyond the tenant's limits: a limit that was lowered keeps nobody from renaming a plan.
    """
    _check_volume(plan)
    _check_time(plan)
    _check_throttle(plan)
    most = tenant.max_devices_per_client
    if "devices" in said and most is not None and plan.devices > most:
        raise _contradiction("devices", f"Your limit is {most} devices a client.", "beyond_limit")
    for field in ("upload_kbit", "download_kbit", "throttle_kbit"):
        speed, most = getattr(plan, field), tenant.max_speed_kbit
        if field in said and speed is not None and most is not None and speed > most:
            raise _contradiction(field, f"Your limit is {most} kbit/s.", "beyond_limit")


def _check_volume(plan: Plan) -> None:
    if plan.total_bytes is None:
        return
    for field in ("upload_bytes", "download_bytes"):
        if getattr(plan, field) is not None:
            text = "Limit both directions together (total_bytes) or each apart, not both."
            raise _contradiction(field, text)


def _check_time(plan: Plan) -> None:
    if plan.start_within_days is not None and plan.start != Plan.Start.FIRST_HANDSHAKE:
        text = "This counts only with start = first-handshake."
        raise _contradiction("start_within_days", text)
    if plan.delete_after_days is not None and plan.duration_days is None:
        text = "A plan without duration_days never ends, so nothing is deleted after it."
        raise _contradiction("delete_after_days", text)


def _check_throttle(plan: Plan) -> None:
    slow = plan.at_limit == Plan.AtLimit.THROTTLE
    if slow and plan.throttle_kbit is None:
        raise _contradiction("throttle_kbit", "Say how slow: at_limit is throttle.")
    if not slow and plan.throttle_kbit is not None:
        raise _contradiction("throttle_kbit", "This counts only with at_limit = throttle.")
    if slow and not (plan.total_bytes or plan.upload_bytes or plan.download_bytes):
        raise _contradiction("at_limit", "Without a limit of bytes nothing is ever throttled.")
    speeds = [speed for speed in (plan.upload_kbit, plan.download_kbit) if speed is not None]
    if plan.throttle_kbit is not None and speeds and plan.throttle_kbit > min(speeds):
        raise _contradiction("throttle_kbit", "This is faster than the plan itself.")


def _contradiction(field: str, text: str, code: str = "contradiction") -> Invalid:
    return Invalid(text, field=field, code=code)
