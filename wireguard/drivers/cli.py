"""The ``wg`` command (or ``awg``, which speaks the same) as a driver.

Rule 1: secrets reach it on stdin alone. argv holds public keys, networks, seconds, endpoints.
Rule 2: the verbs are show, set, addconf and syncconf. There is no setconf here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wireguard.allowed_ips import check_endpoint, check_keepalive, check_network
from wireguard.config import render_peers, render_sync
from wireguard.driver import Driver
from wireguard.drivers.refusals import refusal
from wireguard.dump import parse_dump
from wireguard.errors import InvalidConfig, TruncatedDump
from wireguard.keys import check_preshared_key, check_private_key, check_public_key
from wireguard.plan import CLEAR, PeerChange, Plan
from wireguard.runner import Completed, Runner
from wireguard.types import DeviceConfig, Dump, PeerConfig, Secret
from wireguard.values import check_fwmark, check_listen_port

_INTERFACE: Final = re.compile(r"[A-Za-z0-9_=+.][A-Za-z0-9_=+.-]{0,14}", re.ASCII)
_WORDS: Final = frozenset({"all", "interfaces", ".", ".."})
_STDIN: Final = "/dev/stdin"


class CliDriver(Driver):
    """Drives ``interface`` through ``runner``, which carries the prefix (sudo, a namespace).

    ``timeout`` is for one command, in seconds; a `sync` gets ``sync_timeout``, because it reads
    and writes every peer (about 1 s for 10,000 new ones).
    """

    def __init__(
        self,
        interface: str,
        runner: Runner,
        *,
        command: str = "wg",
        timeout: float = 5.0,
        sync_timeout: float = 30.0,
    ) -> None:
        if not _INTERFACE.fullmatch(interface) or interface in _WORDS:
            raise InvalidConfig("not the name of an interface", field="interface")
        self.interface = interface
        self._runner = runner
        self._command = command
        self._timeout = timeout
        self._sync_timeout = sync_timeout

    def read(self) -> Dump:
        """See `Driver`. Output is read whole: 7,000 peers pass 1 MiB."""
        stdout = self._run("show", self.interface, "dump", timeout=self._sync_timeout).stdout
        try:
            return parse_dump(stdout.decode("ascii"))
        except UnicodeDecodeError:
            raise TruncatedDump("the dump holds bytes that wg does not print") from None

    def apply(self, plan: Plan) -> None:
        """See `Driver`. One ``wg set``; one ``wg addconf`` for all peers that are stated whole
        with a preshared key; one ``wg set`` for each preshared key that changes alone.
        """
        words = [
            word for key in plan.removals for word in ("peer", check_public_key(key), "remove")
        ]
        whole: list[PeerConfig] = []
        keys: list[tuple[str, Secret]] = []
        for change in plan.changes:
            if isinstance(change.preshared_key, Secret):
                if change.is_new and change.allowed_ips is not None:
                    whole.append(_peer(change))
                    continue
                keys.append((change.public_key, check_preshared_key(change.preshared_key)))
            words += _words(change)
        sections = render_peers(whole).encode()
        if words:
            self._set(*words)
        if sections:
            self._run("addconf", self.interface, _STDIN, stdin=sections)
        for public_key, preshared_key in keys:
            self._set("peer", public_key, "preshared-key", _STDIN, stdin=_line(preshared_key))

    def sync(self, device: DeviceConfig) -> None:
        """See `Driver`: ``wg syncconf``."""
        text = render_sync(device).encode()
        self._run("syncconf", self.interface, _STDIN, stdin=text, timeout=self._sync_timeout)

    def set_interface(
        self,
        *,
        listen_port: int | None = None,
        fwmark: int | None = None,
        private_key: Secret | None = None,
    ) -> None:
        """See `Driver`: one ``wg set``, or none if nothing is given."""
        words: list[str] = []
        stdin = b""
        if listen_port is not None:
            words += ["listen-port", str(check_listen_port(listen_port))]
        if fwmark is not None:
            words += ["fwmark", str(check_fwmark(fwmark) or "off")]
        if private_key is not None:
            words += ["private-key", _STDIN]
            stdin = _line(check_private_key(private_key))
        if words:
            self._set(*words, stdin=stdin)

    def _set(self, *words: str, stdin: bytes = b"") -> None:
        self._run("set", self.interface, *words, stdin=stdin)

    def _run(self, *words: str, stdin: bytes = b"", timeout: float | None = None) -> Completed:
        done = self._runner.run(
            (self._command, *words), stdin=stdin, timeout=timeout or self._timeout
        )
        if done.returncode:
            raise refusal(f"{self._command} {words[0]}", done.returncode, done.stderr)
        return done


def _peer(change: PeerChange) -> PeerConfig:
    """A new peer, stated whole, as `render_peers` wants it."""
    secret = change.preshared_key if isinstance(change.preshared_key, Secret) else None
    return PeerConfig(
        change.public_key,
        change.allowed_ips or (),
        secret,
        change.persistent_keepalive or None,
        change.endpoint,
    )


def _words(change: PeerChange) -> Iterator[str]:
    """The part of a change that may be seen in argv."""
    yield from ("peer", check_public_key(change.public_key))
    if change.preshared_key is CLEAR:
        yield from ("preshared-key", "/dev/null")
    if change.endpoint is not None:
        yield from ("endpoint", check_endpoint(change.endpoint))
    if change.persistent_keepalive is not None:
        seconds = check_keepalive(change.persistent_keepalive)
        yield from ("persistent-keepalive", str(seconds or "off"))
    if change.allowed_ips is not None:
        yield from ("allowed-ips", ",".join(map(check_network, change.allowed_ips)))


def _line(secret: Secret) -> bytes:
    return secret.reveal().encode() + b"\n"
