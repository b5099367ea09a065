"""What the fields of a client and of its device may hold, one check per field.

Every check returns the value as it is stored, or raises `Invalid` naming the field. The API's
serializers look at shapes only; pages, admin and imports come through the same door here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from peers.sold import TERM_CHECKS
from rest.errors import Invalid
from rest.values import Check, check_text, checked_by, listed
from wireguard.allowed_ips import check_endpoint, check_keepalive, check_network
from wireguard.errors import InvalidConfig
from wireguard.keys import check_preshared_key, check_public_key, generate_preshared_key
from wireguard.types import Secret
from wireguard.values import check_dialled_endpoint, check_dns, check_mtu

GENERATE: Final = "generate"
MAX_DNS, MAX_ROUTES, MAX_TAGS = 8, 100, 50
MAX_METADATA = 8 * 1024  # bytes of its JSON
MAX_ADDRESSES: Final = 16
MAX_DEPTH: Final = 32

#: What stands behind a client in a path. An external id "a/enable" would be read as the act.
SUBROUTES: Final = frozenset(
    {
        "change-plan", "config", "disable", "enable", "extend", "kick", "logins", "move", "peers",
        "reset-usage", "restore", "rotate-keys", "series", "sessions", "share-links", "suspend",
        "terminate", "top-up", "transfer", "unsuspend", "usage",
    }
)  # fmt: skip
_TELEGRAM: Final = re.compile(r"@?[A-Za-z0-9_]{1,64}|-?[0-9]{1,20}", re.ASCII)


def check_name(value: object, field: str = "name") -> str:
    """1 to 120 characters, at least one of them visible, no space around."""
    text = check_text(value, field, longest=120)
    if not text or text != text.strip():
        raise Invalid("This is empty or has space around it.", field=field, code="blank")
    return text


def check_external_id(value: object, field: str) -> str | None:
    """1 to 120 characters without white space; None (or "") for none."""
    if value is None or value == "":
        return None
    text = check_text(value, field, longest=120)
    if any(character.isspace() for character in text):
        raise Invalid("No white space in an external id.", field=field, code="invalid")
    if "/" in text and text.rpartition("/")[2] in SUBROUTES:
        raise Invalid("This ending is the name of an act.", field=field, code="reserved")
    return text


def check_email(value: object, field: str) -> str:
    """An e-mail address, or "" for none."""
    text = check_text(value, field, longest=254)
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise Invalid("This is not an e-mail address.", field=field) from None
    return text


def check_telegram_id(value: object, field: str) -> str:
    """A user name or a number, or "" for none."""
    text = check_text(value, field, longest=64)
    if text and not _TELEGRAM.fullmatch(text):
        raise Invalid("This is not a Telegram user name or number.", field=field)
    return text


def check_note(value: object, field: str) -> str:
    """One line of up to 2,000 characters."""
    return check_text(value, field, longest=2000)


def check_tags(value: object, field: str) -> list[str]:
    """Up to 50 different tags of 1 to 64 characters, in the order given."""
    tags = [check_name(tag, field) for tag in listed(value, field, MAX_TAGS)]
    if any(len(tag) > 64 for tag in tags):
        raise Invalid("A tag has at most 64 characters.", field=field, code="max_length")
    return list(dict.fromkeys(tags))


def check_metadata(value: object, field: str) -> dict[str, Any]:
    """A JSON object of the seller's own, at most 8 KiB."""
    if not isinstance(value, dict):
        raise Invalid("This is not a JSON object.", field=field)
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError):  # NaN, a lone surrogate, endless depth
        raise Invalid("This is not plain JSON.", field=field) from None
    if _depth(value) > MAX_DEPTH:
        raise Invalid(f"At most {MAX_DEPTH} levels deep.", field=field, code="max_depth")
    if size > MAX_METADATA:
        raise Invalid(f"At most {MAX_METADATA} bytes.", field=field, code="max_length")
    if "\\u0000" in text:  # PostgreSQL's jsonb cannot hold it
        raise Invalid("A text in it holds a NUL character.", field=field, code="characters")
    return value


def _depth(value: object) -> int:
    """How many objects and lists lie in one another; never more than one beyond the limit."""
    level, depth = [value], 0
    while depth <= MAX_DEPTH:
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
        if not level:
            break
    return depth


def check_peer_keepalive(value: object, field: str) -> int | None:
    """Seconds between the server's keepalives to this device; None (or 0) for off."""
    seconds: int | None = checked_by(check_keepalive, value, field)
    return seconds


def check_client_keepalive(value: object, field: str) -> int | None:
    """Seconds in the customer's file: None inherits, 0 is off."""
    return None if value is None else checked_by(check_keepalive, value, field) or 0


def check_peer_endpoint(value: object, field: str) -> str:
    """Where the server should look for the device ("192.0.2.1:51820"); "" for wherever it calls."""
    return "" if value in (None, "") else checked_by(check_endpoint, value, field)


def check_endpoint_override(value: object, field: str) -> str:
    """What this device dials instead of the interface's endpoint; "" inherits."""
    return "" if value in (None, "") else checked_by(check_dialled_endpoint, value, field)


def check_file_mtu(value: object, field: str) -> int | None:
    """Bytes, 576 to 65535; None inherits."""
    return None if value is None else checked_by(check_mtu, value, field)


def check_dns_servers(value: object, field: str) -> list[str] | None:
    """Name servers and search domains of the customer's file; None inherits, [] is none."""
    if value is None:
        return None
    return [checked_by(check_dns, server, field) for server in listed(value, field, MAX_DNS)]


def check_routes(value: object, field: str) -> list[str]:
    """Networks that the device sends into the tunnel; None (or []) inherits."""
    routes = [
        checked_by(check_network, one, field) for one in listed(value or [], field, MAX_ROUTES)
    ]
    if len(set(routes)) != len(routes):
        raise Invalid("A route is named twice.", field=field, code="duplicate")
    return routes


def check_key(value: object, field: str = "public_key") -> str:
    """A usable public key in its one spelling."""
    return str(checked_by(check_public_key, value, field))


def check_key_mode(value: object, public_key: object, field: str = "key_mode") -> bool:
    """Whether the customer makes the key: "customer". "portal" (and None): we, unless it is given.

    Raises `Invalid`, also for a key that is given and to be made.
    """
    if value is None or value == "portal":
        return False
    if value != "customer":
        raise Invalid('This must be "portal" or "customer".', field=field)
    if public_key is not None:
        text = "The customer makes the key, or it is given here: not both."
        raise Invalid(text, field=field, code="key_given")
    return True


def check_psk(value: object, field: str = "preshared_key") -> Secret | None:
    """A preshared key: "generate" makes one, None is none."""
    if value is None:
        return None
    if value == GENERATE:
        return generate_preshared_key()
    return checked_by(check_preshared_key, value, field)  # type: ignore[no-any-return]


def check_addresses(addresses: Iterable[object], *, field: str) -> tuple[str, ...]:
    """The addresses, bare and canonical, IPv4 first. Raises `Invalid`.

    "10.252.0.9" and "10.252.0.9/32" are one address; host bits and networks are refused.
    """
    given = list(addresses)
    if not 1 <= len(given) <= MAX_ADDRESSES:
        raise Invalid(
            f"A device has 1 to {MAX_ADDRESSES} addresses.", field=field, code="address_count"
        )
    found = [_check_address(text, field) for text in given]
    if len(set(found)) != len(found):
        raise Invalid("An address is named twice.", field=field, code="duplicate")
    return tuple(
        sorted(found, key=lambda text: (ip_address(text).version, ip_address(text).packed))
    )


def _check_address(text: object, field: str) -> str:
    try:
        network = check_network(text)
    except InvalidConfig as error:
        raise Invalid(
            f"An address is {error.message}.", field=field, code="address_invalid"
        ) from None
    address, _, length = network.partition("/")
    if int(length) != ip_address(address).max_prefixlen:
        raise Invalid(
            f"{network} is a network, not an address.", field=field, code="address_invalid"
        )
    return address


CLIENT_CHECKS: Final[Mapping[str, Check]] = {
    "name": check_name,
    "external_id": check_external_id,
    "email": check_email,
    "telegram_id": check_telegram_id,
    "note": check_note,
    "tags": check_tags,
    "metadata": check_metadata,
    **TERM_CHECKS,
}
#: Fields of `Peer` that are set as they are; addresses, networks and keys have rules of their own.
DEVICE_CHECKS: Final[Mapping[str, Check]] = {
    "persistent_keepalive": check_peer_keepalive,
    "endpoint": check_peer_endpoint,
    "dns_servers": check_dns_servers,
    "mtu": check_file_mtu,
    "client_keepalive": check_client_keepalive,
    "routes": check_routes,
    "endpoint_override": check_endpoint_override,
}
