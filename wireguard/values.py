"""The values of an interface, and what a downloaded file may hold, each checked for one line.

Every check returns the value as it is written, or raises `InvalidConfig` naming the field; none
lets a line break, a control character or a comment through.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from wireguard.allowed_ips import check_address, check_endpoint
from wireguard.errors import InvalidConfig

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_DIALLED: Final = re.compile(r"([^:\[\]]+):([1-9][0-9]{0,4})", re.ASCII)
_TABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)


def check_listen_port(port: object, field: str = "ListenPort") -> int:
    """A UDP port, 1 to 65535."""
    return _between(port, 1, 65535, field)


def check_fwmark(mark: object, field: str = "FwMark") -> int | None:
    """A firewall mark of 32 bits; None for off (None or 0)."""
    return None if mark is None else _between(mark, 0, 0xFFFFFFFF, field) or None


def check_mtu(mtu: object, field: str = "MTU") -> int:
    """Bytes; 576 is the least that IPv4 promises to carry (RFC 791)."""
    return _between(mtu, 576, 65535, field)


def check_table(table: object, field: str = "Table") -> str:
    """A routing table: "off", "auto", a number or a name."""
    if not isinstance(table, str) or not _TABLE.fullmatch(table):
        raise InvalidConfig("neither off, auto, a number nor the name of a table", field=field)
    return table


def check_dns(server: object, field: str = "DNS") -> str:
    """The address of a name server, or a search domain."""
    with suppress(InvalidConfig):
        return str(check_address(server, field))
    if not isinstance(server, str) or not _is_host(server):
        raise InvalidConfig("neither an IP address nor a search domain", field=field)
    return server


def check_dialled_endpoint(text: object, field: str = "Endpoint") -> str:
    """What a client dials: like `allowed_ips.check_endpoint`, but host names are welcome."""
    match = _DIALLED.fullmatch(text) if isinstance(text, str) else None
    if match and _is_host(match[1]) and int(match[2]) <= 65535:
        return match[0]
    with suppress(InvalidConfig):
        return check_endpoint(text, field)
    raise InvalidConfig("not a host and port, like vpn.example.com:51820", field=field)


def check_dialled_host(text: object, field: str = "Endpoint") -> str:
    """What a client dials, with or without a port: a name, an address, "[2001:db8::1]:51820"."""
    bare = text[1:-1] if isinstance(text, str) and text[:1] == "[" and text[-1:] == "]" else text
    with suppress(InvalidConfig):
        address = check_address(bare, field)
        if bare is text or address.version == 6:
            return str(address)
    if isinstance(text, str) and _is_host(text):
        return text
    with suppress(InvalidConfig):
        return check_dialled_endpoint(text, field)
    raise InvalidConfig("not a host, with or without a port, like vpn.example.com", field=field)


def check_hook(command: object, field: str) -> str:
    """One line of shell text. "#" is refused: wg-quick(8) cuts the line there, even in quotes."""
    if not isinstance(command, str) or not command or command != command.strip():
        raise InvalidConfig("a hook is one line of text without space around it", field=field)
    if "#" in command or not command.isprintable():
        raise InvalidConfig("a hook holds neither '#' nor control characters", field=field)
    return command


def _is_host(text: str) -> bool:
    # All digits and dots is an address, and a wrong one, or it would have been taken as such.
    return bool(_HOST.fullmatch(text)) and not text.replace(".", "").isdigit()


def _between(number: object, least: int, most: int, field: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise InvalidConfig(f"not a number between {least} and {most}", field=field)
    return number
