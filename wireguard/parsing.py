"""Reading wg(8) and wg-quick(8) text, strictly: a line that is not understood is an error.

Section and key names match in any case, "#" starts a comment anywhere, lists may be given in one
line or in several (wireguard-tools config.c; wg-quick linux.bash, parse_options).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from wireguard import values
from wireguard.allowed_ips import check_interface_address, check_keepalive, sort_networks
from wireguard.errors import InvalidConfig, InvalidKey
from wireguard.keys import check_preshared_key, check_private_key, check_public_key
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

NO_PRESHARED_KEY: Final = "A" * 43 + "="
"""32 zero bytes: how wg(8) text states that there is no preshared key."""

_LISTS: Final = ("Address", "DNS", "AllowedIPs", "PreUp", "PostUp", "PreDown", "PostDown")
_KEYS: Final = {
    section: {key.lower(): key for key in keys.split()}
    for section, keys in {
        "[interface]": "PrivateKey ListenPort FwMark Address DNS MTU Table"
        " PreUp PostUp PreDown PostDown SaveConfig",
        "[peer]": "PublicKey PresharedKey AllowedIPs Endpoint PersistentKeepalive",
    }.items()
}
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_HEX: Final = re.compile(r"0x[0-9A-Fa-f]{1,8}", re.ASCII)

_T = TypeVar("_T")


class _Value(NamedTuple):
    line: int
    text: str


class _Section:
    """The lines of one section: values by the canonical name of their key."""

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self._values: dict[str, list[_Value]] = {}

    def add(self, key: str, value: _Value) -> None:
        field = _KEYS[self.name].get(key.lower())
        if field is None:
            raise InvalidConfig(f"no such setting in {self.name}", line=value.line)
        if field in self._values and field not in _LISTS:
            raise InvalidConfig("given twice", field=field, line=value.line)
        self._values.setdefault(field, []).append(value)

    def one(self, field: str, check: Callable[[str], _T]) -> _T | None:
        """The checked value of a setting, None if it is not given."""
        found = self._values.get(field)
        return _checked(field, found[0], check) if found else None

    def many(self, field: str, check: Callable[[str], _T]) -> tuple[_T, ...]:
        """Each line's checked value, in order."""
        return tuple(_checked(field, value, check) for value in self._values.get(field, ()))

    def words(self, field: str, check: Callable[[str], _T]) -> tuple[_T, ...]:
        """The checked values between the commas of all lines, in order."""
        return tuple(
            _checked(field, _Value(value.line, word.strip()), check)
            for value in self._values.get(field, ())
            for word in value.text.split(",")
            if value.text
        )


def parse(text: str) -> DeviceConfig:
    """Read a configuration. Raises `InvalidConfig`, which names the line and the field.

    Allowed IPs come sorted, the rest in the order of the text. Endpoints may be host names (a
    client's file has them), though the renderers for a server refuse those.
    """
    interface = InterfaceConfig()
    peers: dict[str, PeerConfig] = {}
    seen_interface = False
    for section in _sections(text):
        if section.name == "[interface]":
            if seen_interface:
                raise InvalidConfig("a second [Interface]", line=section.line)
            interface, seen_interface = _interface(section), True
        else:
            peer = _peer(section)
            if peer.public_key in peers:
                raise InvalidConfig("the peer is listed twice", line=section.line)
            peers[peer.public_key] = peer
    return DeviceConfig(interface, tuple(peers.values()))


def _sections(text: str) -> Iterator[_Section]:
    section: _Section | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").partition("#")[0]
        if _UNPRINTABLE.search(line):
            raise InvalidConfig("a control character", line=number)
        line = line.strip()
        if not line:
            continue
        if line.lower() in _KEYS:
            if section is not None:
                yield section
            section = _Section(line.lower(), number)
            continue
        key, equals, value = line.partition("=")
        if not equals or section is None:
            raise InvalidConfig("neither a section nor a setting in one", line=number)
        section.add(key.strip(), _Value(number, value.strip()))
    if section is not None:
        yield section


def _interface(section: _Section) -> InterfaceConfig:
    section.one("SaveConfig", _save_config)
    return InterfaceConfig(
        private_key=section.one("PrivateKey", check_private_key),
        listen_port=section.one("ListenPort", lambda text: values.check_listen_port(_int(text))),
        fwmark=section.one("FwMark", lambda text: values.check_fwmark(_mark(text))),
        addresses=section.words("Address", check_interface_address),
        dns=section.words("DNS", values.check_dns),
        mtu=section.one("MTU", lambda text: values.check_mtu(_int(text))),
        table=section.one("Table", values.check_table),
        pre_up=section.many("PreUp", lambda text: values.check_hook(text, "PreUp")),
        post_up=section.many("PostUp", lambda text: values.check_hook(text, "PostUp")),
        pre_down=section.many("PreDown", lambda text: values.check_hook(text, "PreDown")),
        post_down=section.many("PostDown", lambda text: values.check_hook(text, "PostDown")),
    )


def _peer(section: _Section) -> PeerConfig:
    public_key = section.one("PublicKey", check_public_key)
    if public_key is None:
        raise InvalidConfig("a peer without one", field="PublicKey", line=section.line)
    return PeerConfig(
        public_key,
        sort_networks(
            network
            for group in section.words("AllowedIPs", lambda text: sort_networks([text]))
            for network in group
        ),
        section.one("PresharedKey", _preshared_key),
        section.one("PersistentKeepalive", lambda text: check_keepalive(_int(text))),
        section.one("Endpoint", values.check_dialled_endpoint),
    )


def _checked(field: str, value: _Value, check: Callable[[str], _T]) -> _T:
    try:
        return check(value.text)
    except InvalidConfig as error:
        raise InvalidConfig(error.message, field=field, line=value.line) from None
    except InvalidKey as error:
        raise InvalidConfig(str(error), field=field, line=value.line) from None


def _int(text: str) -> int:
    """The number, 0 for "off", and -1, which no check lets pass, for anything else."""
    if text.lower() == "off":
        return 0
    return int(text) if _NUMBER.fullmatch(text) else -1


def _mark(text: str) -> int:
    return int(text, 16) if _HEX.fullmatch(text) else _int(text)


def _preshared_key(text: str) -> Secret | None:
    return None if text == NO_PRESHARED_KEY else check_preshared_key(text)


def _save_config(text: str) -> None:
    if text.lower() != "false":
        raise InvalidConfig("wg-quick would overwrite the file that vwg writes; remove it")
