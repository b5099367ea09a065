"""What the fields of gateways, interfaces, pools and the global settings may hold.

Every check returns the value as it is stored, or raises `Invalid` naming the field. API and admin
come through the same door.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Any, Final
from zoneinfo import available_timezones

from django.conf import settings

from gateways.models import Interface
from rest.errors import Invalid
from rest.values import Check, check_text, checked_by, listed
from wireguard.allowed_ips import check_interface_address, check_keepalive, check_network
from wireguard.host import check_interface_name, command_prefix
from wireguard.values import (
    check_dialled_host,
    check_dns,
    check_fwmark,
    check_hook,
    check_listen_port,
    check_mtu,
    check_table,
)
from wireguard.wake import check_mac

MAX_DNS, MAX_ROUTES, MAX_HOOKS, MAX_ADDRESSES = 8, 100, 20, 8
LONGEST_HOOK: Final = 1000
LONGEST_HOLD: Final = 366 * 24 * 3600
MAX_PERCENT: Final = 10_000
LEAST_DAYS, MOST_DAYS = 2, 3650
_SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)


def text_of(longest: int) -> Check:
    """One line of text, or "", without space around it."""

    def check(value: object, field: str) -> str:
        text = check_text(value, field, longest=longest)
        if text != text.strip():
            raise Invalid("This has space around it.", field=field, code="blank")
        return text

    return check


def check_slug(value: object, field: str) -> str:
    """A gateway's short name: it also names its queue, and never changes."""
    text = check_text(value, field, longest=32)
    if not _SLUG.fullmatch(text):
        raise Invalid("1 to 32 of a-z, 0-9 and dashes, none at an end.", field=field)
    return text


def check_dialled(value: object, field: str) -> str:
    """What clients dial: a name or address, with or without a port; "" inherits."""
    text = check_text(value, field, longest=255)
    return str(checked_by(check_dialled_host, text, field)) if text else ""


def check_country(value: object, field: str) -> str:
    """Two capital letters of ISO 3166, or ""."""
    text = check_text(value, field, longest=2)
    if text and not _COUNTRY.fullmatch(text):
        raise Invalid("Two capital letters, like DE.", field=field)
    return text


def check_netns_name(value: object, field: str) -> str:
    """The name of a network namespace on the gateway's host, or "" for the host's own."""
    text = check_text(value, field, longest=64)
    if text:
        checked_by(lambda name: command_prefix(str(name)), text, field)
    return text


def check_dns_list(value: object, field: str) -> list[str]:
    """Name servers and search domains of customers' files."""
    return [checked_by(check_dns, server, field) for server in listed(value, field, MAX_DNS)]


def check_link(value: object, field: str) -> str:
    """The name of a link of the gateway's host, or "" for where its routes lead."""
    text = check_text(value, field, longest=15)
    if text:
        checked_by(lambda name: check_interface_name(str(name)), text, field)
    return text


def check_broadcast(value: object, field: str) -> str:
    """Where a magic packet goes: the broadcast address of a network."""
    try:
        address = IPv4Address(check_text(value, field, longest=15))
    except ValueError:
        raise Invalid("This is not an IPv4 address.", field=field) from None
    if address.is_multicast or address.is_unspecified:
        raise Invalid("This is not the broadcast address of a network.", field=field)
    return str(address)


def check_default_routes(value: object, field: str) -> list[str]:
    """Networks that devices send into the tunnel unless they have their own; [] is everything."""
    routes = [checked_by(check_network, one, field) for one in listed(value, field, MAX_ROUTES)]
    if len(set(routes)) != len(routes):
        raise Invalid("A route is named twice.", field=field, code="duplicate")
    return routes


def check_hooks(value: object, field: str) -> list[str]:
    """Commands of one line, run by a shell on the gateway's host."""
    hooks: list[str] = []
    for one in listed(value, field, MAX_HOOKS):
        hook = checked_by(lambda command: check_hook(command, field), one, field)
        if len(hook) > LONGEST_HOOK:
            raise Invalid(f"At most {LONGEST_HOOK} characters.", field=field, code="max_length")
        hooks.append(hook)
    return hooks


def check_addresses(value: object, field: str) -> list[str]:
    """An interface's own addresses with their prefix lengths, at least one."""
    given = listed(value, field, MAX_ADDRESSES)
    if not given:
        raise Invalid("An interface has at least one address.", field=field, code="empty")
    found = [str(checked_by(check_interface_address, one, field)) for one in given]
    if len(set(found)) != len(found):
        raise Invalid("An address is named twice.", field=field, code="duplicate")
    return found


def check_name_of_interface(value: object, field: str) -> str:
    """A name that Linux, wg-quick, nft and sysctl all take."""
    text = check_text(value, field, longest=15)
    return str(checked_by(lambda name: check_interface_name(str(name)), text, field))


def check_route_table(value: object, field: str) -> str:
    """A routing table of the host: off, auto, a number or a name; "" inherits."""
    text = check_text(value, field, longest=16)
    return str(checked_by(check_table, text, field)) if text else ""


def check_boot_path(value: object, field: str) -> str:
    """Where the default interface's boot file lies: an absolute path to a .conf file; "" is ours.

    A worker with rights writes there, so nothing else can be named.
    """
    text = check_text(value, field, longest=255)
    path = PurePosixPath(text)
    if text and (not path.is_absolute() or ".." in path.parts or path.suffix != ".conf"):
        raise Invalid("An absolute path to a .conf file.", field=field)
    return text


def check_seconds(value: object, field: str) -> int:
    """A time of at most a year."""
    return _between(value, field, 0, LONGEST_HOLD)


def check_percent(value: object, field: str) -> int:
    """Billed per 100 bytes that were counted: 0 is free, 10,000 a hundred times."""
    return _between(value, field, 0, MAX_PERCENT)


def check_days_kept(value: object, field: str) -> int:
    """For how many days rows are kept: what is summed up in days needs two at the least."""
    return _between(value, field, LEAST_DAYS, MOST_DAYS)


def check_timezone(value: object, field: str) -> str:
    """A time zone of the IANA database."""
    text = check_text(value, field, longest=64)
    if text not in available_timezones():
        raise Invalid("There is no such time zone.", field=field)
    return text


def check_language(value: object, field: str) -> str:
    """A language that the portal speaks."""
    text = check_text(value, field, longest=8)
    if text not in dict(settings.LANGUAGES):
        known = ", ".join(dict(settings.LANGUAGES))
        raise Invalid(f"This must be one of: {known}.", field=field)
    return text


def check_flag(value: object, field: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Invalid("This is neither true nor false.", field=field)
    return value


def _optional(check: Check) -> Check:
    return lambda value, field: None if value is None else check(value, field)


def _by(check: Any) -> Check:
    return lambda value, field: checked_by(check, value, field)


def _word(choices: list[str]) -> Check:
    def check(value: object, field: str) -> str:
        if value not in choices:
            raise Invalid(f"This must be one of: {', '.join(sorted(choices))}.", field=field)
        return str(value)

    return check


def _between(value: object, field: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(f"This is not a number between {least} and {most}.", field=field)
    return value


def _keepalive(value: object, field: str) -> int:
    return int(checked_by(check_keepalive, value, field) or 0)


GATEWAY_CHECKS: Final[Mapping[str, Check]] = {
    "name": text_of(120),
    "endpoint_address": check_dialled,
    "relay_endpoint": check_dialled,
    "location": text_of(64),
    "country": check_country,
    "netns": check_netns_name,
    "usage_percent": check_percent,
}
WAKE_CHECKS: Final[Mapping[str, Check]] = {
    "name": text_of(120),
    "mac": _by(check_mac),
    "link": check_link,
    "broadcast": check_broadcast,
}
#: What may be changed of an interface that is there.
INTERFACE_CHECKS: Final[Mapping[str, Check]] = {
    "label": text_of(64),
    "endpoint_address": check_dialled,
    "relay_endpoint": check_dialled,
    "dns_servers": check_dns_list,
    "mtu": _optional(_by(check_mtu)),
    "listen_port": _by(check_listen_port),
    "firewall_mark": _by(check_fwmark),
    "table": check_route_table,
    "pre_up": check_hooks,
    "post_up": check_hooks,
    "pre_down": check_hooks,
    "post_down": check_hooks,
    "nat": check_flag,
    "forward": check_flag,
    "backend": _word(list(Interface.Backend.values)),
    "restart_policy": _word(list(Interface.RestartPolicy.values)),
    "enabled": check_flag,
    "is_default": check_flag,
}
SETTING_CHECKS: Final[Mapping[str, Check]] = {
    "endpoint_address": check_dialled,
    "relay_endpoint": check_dialled,
    "dns_servers": check_dns_list,
    "mtu": _by(check_mtu),
    "persistent_keepalive": _keepalive,
    "default_routes": check_default_routes,
    "firewall_mark": _by(check_fwmark),
    "table": _by(check_table),
    "config_file_path": check_boot_path,
    "timezone": check_timezone,
    "language": check_language,
    "address_hold_seconds": check_seconds,
    "undelete_seconds": check_seconds,
    "keep_ledger_days": check_days_kept,
    "keep_quarters_days": check_days_kept,
    "keep_sessions_days": check_days_kept,
}
