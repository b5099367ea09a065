"""Wake-on-LAN: the magic packet, and sending it out of one of the host's links."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import threading
from typing import Final

from wireguard.errors import DriverError, InvalidConfig
from wireguard.host import NETNS_DIR, command_prefix

PORT: Final = 9
_MAC: Final = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.ASCII)
_CLONE_NEWNET: Final = 0x40000000
_TIMEOUT_S: Final = 5.0


def check_mac(value: object) -> str:
    """The address of a network card, as aa:bb:cc:dd:ee:ff. Raises `InvalidConfig`."""
    text = str(value).strip().lower().replace("-", ":")
    if not _MAC.fullmatch(text) or int(text[:2], 16) & 1 or text == "00:00:00:00:00:00":
        raise InvalidConfig("this is not the MAC address of a machine, like aa:bb:cc:dd:ee:ff")
    return text


def magic_packet(mac: str) -> bytes:
    """Six times FF, then the address sixteen times: 102 bytes."""
    return b"\xff" * 6 + bytes.fromhex(check_mac(mac).replace(":", "")) * 16


def wake(mac: str, *, broadcast: str, link: str = "", netns: str | None = None) -> None:
    """Send the packet. Raises `DriverError` with the kernel's reason."""
    packet = magic_packet(mac)
    failed: list[Exception] = []
    command_prefix(netns or None)  # a name that is none raises

    def send() -> None:
        try:
            if netns:
                _enter(netns)
            _send(packet, broadcast, link)
        except Exception as error:
            failed.append(error)

    # A thread enters a namespace alone, and ends there.
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(_TIMEOUT_S)
    if failed:
        reason = getattr(failed[0], "strerror", None) or str(failed[0])
        raise DriverError(f"the packet could not be sent: {reason}") from failed[0]
    if thread.is_alive():
        raise DriverError("the packet could not be sent: the kernel does not answer")


def _enter(netns: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(NETNS_DIR / netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)


def _send(packet: bytes, broadcast: str, link: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if link:
            out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode() + b"\0")
        out.sendto(packet, (broadcast, PORT))
