"""The values that everything else speaks of. Immutable, cheap, and silent about secrets.

Named tuples, not data classes: a dump of 10,000 peers is read every few seconds, and they are
the cheapest typed value there is. Secrets are `Secret`, whose repr hides them in every container.
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64
from hmac import compare_digest
from typing import Final, NamedTuple, NoReturn

UNKNOWN_ENDPOINT: Final = "*"
"""`Applied.endpoint` of a peer that was learnt from a dump: what was sent is not known."""


class Secret:
    """A text that never shows itself; `reveal` is the only way to it. Not picklable."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Every caller of this is a place to review."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would tell equal secrets from others

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def psk_digest(preshared_key: Secret | None) -> str:
    """Name a preshared key without telling it: 32 hex digits of SHA-256, "" for none.

    A preshared key is 32 random bytes, so its digest cannot be searched for. Raises `ValueError`
    if the text is not base64.
    """
    if preshared_key is None:
        return ""
    key = a2b_base64(preshared_key.reveal(), strict_mode=True)
    return hashlib.sha256(key).hexdigest()[:32]


class Applied(NamedTuple):
    """What was last sent to the interface for one peer.

    ``endpoint`` is what was last *sent* ("" if none), not where the client is now;
    `UNKNOWN_ENDPOINT` when this was taken from a dump. ``persistent_keepalive``: seconds or None.
    """

    allowed_ips: tuple[str, ...]
    psk_digest: str
    persistent_keepalive: int | None
    endpoint: str


class PeerConfig(NamedTuple):
    """What is wanted for one peer on the server's side.

    ``allowed_ips`` are canonical networks in the order of `allowed_ips.sort_networks`; () means
    blocked: known, but no packet passes. ``persistent_keepalive``: seconds, None is off.
    ``endpoint``: "192.0.2.1:51820" or "[2001:db8::1]:51820".
    """

    public_key: str
    allowed_ips: tuple[str, ...] = ()
    preshared_key: Secret | None = None
    persistent_keepalive: int | None = None
    endpoint: str | None = None

    def as_applied(self) -> Applied:
        """What is known of the peer once all of this has been sent."""
        return Applied(
            self.allowed_ips,
            psk_digest(self.preshared_key),
            self.persistent_keepalive,
            self.endpoint or "",
        )


class PeerStatus(NamedTuple):
    """One peer as a dump shows it.

    ``latest_handshake``: Unix seconds, 0 is never. ``rx_bytes`` and ``tx_bytes``: as the server
    counts, encrypted packets since the peer was added (rx is the client's upload).
    """

    public_key: str
    preshared_key: Secret | None
    endpoint: str | None
    allowed_ips: tuple[str, ...]
    latest_handshake: int
    rx_bytes: int
    tx_bytes: int
    persistent_keepalive: int | None

    def as_applied(self) -> Applied:
        """The same facts in the words of `plan.diff`; what endpoint was sent is unknown."""
        return Applied(
            self.allowed_ips,
            psk_digest(self.preshared_key),
            self.persistent_keepalive,
            UNKNOWN_ENDPOINT,
        )


class InterfaceStatus(NamedTuple):
    """The interface's own line of a dump. ``listen_port`` 0: none yet; ``fwmark`` None: off."""

    private_key: Secret | None
    public_key: str | None
    listen_port: int
    fwmark: int | None


class Dump(NamedTuple):
    """An interface and its peers by public key, at one moment."""

    interface: InterfaceStatus
    peers: dict[str, PeerStatus]


class InterfaceConfig(NamedTuple):
    """What is wanted of an interface: wg(8)'s three settings, then those of wg-quick(8).

    ``addresses`` keep their host part ("10.252.0.1/16"). ``dns`` are addresses or search domains.
    ``mtu`` is in bytes. ``fwmark`` None is off. Hooks are shell text of the operator.
    """

    private_key: Secret | None = None
    listen_port: int | None = None
    fwmark: int | None = None
    addresses: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    mtu: int | None = None
    table: str | None = None
    pre_up: tuple[str, ...] = ()
    post_up: tuple[str, ...] = ()
    pre_down: tuple[str, ...] = ()
    post_down: tuple[str, ...] = ()


class DeviceConfig(NamedTuple):
    """An interface with all its peers, as a configuration file states it."""

    interface: InterfaceConfig
    peers: tuple[PeerConfig, ...] = ()
