"""What a tenant's fields may hold, one check per field: the stored value, or `Invalid`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.conf import settings

from peers.values import check_email, check_name
from rest.errors import Invalid
from rest.values import check_text, listed
from tenants.models import Tenant

Check = Callable[[object, str], Any]

#: The largest number of a 32-bit and of a 64-bit column.
MAX_INT: Final = 2**31 - 1
MAX_BIG: Final = 2**63 - 1
#: At 100 percent an event of its own tells that the limit is met.
MAX_WARN_PERCENT: Final = 99
MAX_WARN_DAYS: Final = 365
MAX_THRESHOLDS: Final = 10
_SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?", re.ASCII)
_COLOR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_PREFIX: Final = re.compile(r"[a-z0-9-]{0,8}", re.ASCII)
_PHONE: Final = re.compile(r"\+?[0-9 ()./-]{0,31}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


def whole(most: int, least: int = 0) -> Check:
    """A check for a whole number from ``least`` to ``most``; None is no limit."""

    def check(value: object, field: str) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid("This must be an integer.", field=field)
        if not least <= value <= most:
            raise Invalid(f"This must be from {least} to {most}.", field=field, code="out_of_range")
        return value

    return check


def check_slug(value: object, field: str = "slug") -> str:
    """1 to 48 of a-z, 0-9 and dashes, none at an end."""
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise Invalid("Use 1 to 48 of a-z, 0-9 and dashes, none at an end.", field=field)
    return value


def check_color(value: object, field: str) -> str:
    """A colour as #rrggbb, stored in small letters; "" for the portal's own."""
    text = check_text(value, field, longest=7).lower()
    if text and not _COLOR.fullmatch(text):
        raise Invalid("This must be a colour like #1a2b3c.", field=field)
    return text


def check_support_url(value: object, field: str) -> str:
    """An https address of a page, or ""."""
    text = check_text(value, field, longest=255)
    if not text:
        return ""
    if not text.isascii() or any(char in text for char in " \"'<>\\^`{|}"):
        raise Invalid("This address holds characters that must be escaped.", field=field)
    try:
        parts = urlsplit(text)
        _ = parts.port  # read: ValueError for none that can be
        sound = parts.scheme == "https" and "@" not in parts.netloc
        sound = sound and _HOST.fullmatch(parts.hostname or "") is not None
    except ValueError:
        sound = False
    if not sound:
        raise Invalid("This must be an address like https://example.org/help.", field=field)
    return text


def check_config_prefix(value: object, field: str) -> str:
    """Up to 8 of a-z, 0-9 and dashes: how the names of customers' files begin."""
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise Invalid("Use up to 8 of a-z, 0-9 and dashes.", field=field)
    return value


def check_phone(value: object, field: str) -> str:
    """A telephone number as people write it, or ""."""
    text = check_text(value, field, longest=32)
    if text and not (_PHONE.fullmatch(text) and any(char.isdigit() for char in text)):
        raise Invalid("This is not a telephone number.", field=field)
    return text


def check_timezone(value: object, field: str) -> str:
    """The name of a zone of the IANA database ("Asia/Tehran")."""
    if not isinstance(value, str) or value not in _timezones():
        raise Invalid("There is no such time zone; use a name like Europe/Berlin.", field=field)
    return value


def check_language(value: object, field: str) -> str:
    """One of the portal's languages."""
    known = [code for code, _ in settings.LANGUAGES]
    if value not in known:
        raise Invalid(f"This must be one of: {', '.join(known)}.", field=field)
    return str(value)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


def check_flag(value: object, field: str) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise Invalid("This must be true or false.", field=field)
    return value


def _line(longest: int) -> Check:
    return lambda value, field: check_text(value, field, longest=longest)


def _word(choices: Collection[str]) -> Check:
    """A check for one of these words."""

    def check(value: object, field: str) -> str:
        if value not in choices:
            raise Invalid(f"This must be one of: {', '.join(choices)}.", field=field)
        return str(value)

    return check


def thresholds(most: int) -> Check:
    """A check for up to ten whole numbers from 1, each once."""

    def check(value: object, field: str) -> list[int]:
        found = [one for one in listed(value, field, MAX_THRESHOLDS)]
        for index, one in enumerate(found):
            if isinstance(one, bool) or not isinstance(one, int) or not 1 <= one <= most:
                text = f"This must be a number from 1 to {most}."
                raise Invalid(text, field=f"{field}.{index}", code="out_of_range")
        return list(dict.fromkeys(one for one in found if isinstance(one, int)))

    return check


#: What the tenant's owners may change.
OWN_CHECKS: Final[Mapping[str, Check]] = {
    "contact_name": _line(120),
    "contact_email": check_email,
    "contact_phone": check_phone,
    "brand_name": _line(60),
    "brand_color": check_color,
    "brand_color_dark": check_color,
    "support_url": check_support_url,
    "config_prefix": check_config_prefix,
    "timezone": check_timezone,
    "language": check_language,
    "customers_sign_in": check_flag,
    "warn_percents": thresholds(MAX_WARN_PERCENT),
    "warn_days": thresholds(MAX_WARN_DAYS),
}
#: What only operators may.
LIMIT_CHECKS: Final[Mapping[str, Check]] = {
    "max_clients": whole(MAX_INT),
    "max_devices_per_client": whole(MAX_INT, 1),
    "max_bytes_per_period": whole(MAX_BIG),
    "pool_counts": _word(Tenant.PoolCounts.values),
    "pool_reset": _word(Tenant.PoolReset.values),
    "pool_stops": _word(Tenant.PoolStops.values),
    "max_speed_kbit": whole(MAX_BIG, 1),
    "requests_per_minute": whole(MAX_INT, 1),
}
TENANT_CHECKS: Final[Mapping[str, Check]] = {"name": check_name, **OWN_CHECKS, **LIMIT_CHECKS}


def check_tenant(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the changes that are columns of a tenant, as they are stored."""
    return {
        name: TENANT_CHECKS[name](value, name)
        for name, value in changes.items()
        if name in TENANT_CHECKS
    }
