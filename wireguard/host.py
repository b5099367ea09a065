"""What a gateway's host is and can do: namespaces, rights, forwarding, versions.

Everything that runs a command takes the runner and a `command_prefix`; nothing here caches.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Final, NamedTuple

from wireguard.errors import DriverError, DriverUnavailable, InvalidConfig
from wireguard.runner import Runner
from wireguard.steps import Steps, failure

NETNS_DIR: Final = Path("/run/netns")
"""Where ip-netns(8) keeps named network namespaces."""

_CAP_NET_ADMIN: Final = 12  # linux/capability.h
_INTERFACE_NAME: Final = re.compile(r"[A-Za-z0-9_=+.][A-Za-z0-9_=+.-]{0,14}")  # wg-quick(8)
_NETNS_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_NO_SUCH_TYPE: Final = re.compile(r"Unknown device type|not supported", re.IGNORECASE)


class Forwarding(NamedTuple):
    """Whether the host passes packets on. IPv6 is None where the kernel has none."""

    ipv4: bool
    ipv6: bool | None


def check_interface_name(text: str) -> str:
    """Return ``text`` if Linux, wg-quick, nft and sysctl all take it for an interface's name.

    Raises `InvalidConfig`: an option ("-x"), a wildcard, a path or one of the names that sysctl
    keeps for itself must never reach a command.
    """
    if not _INTERFACE_NAME.fullmatch(text) or text in {".", "..", "all", "default", "lo"}:
        raise InvalidConfig("not a usable interface name (1-15 letters, digits, _ = + . -)")
    return text


def command_prefix(netns: str | None = None, *, sudo: bool = False) -> tuple[str, ...]:
    """The words that take a command into a network namespace, or to root, or both.

    Raises `InvalidConfig` on a namespace name that is a path or an option.
    """
    words: tuple[str, ...] = ("sudo", "-n") if sudo else ()
    if netns is None:
        return words
    return (*words, "ip", "netns", "exec", _check_netns(netns))


def _check_netns(name: str) -> str:
    if not _NETNS_NAME.fullmatch(name):
        raise InvalidConfig("not a usable network namespace name")
    return name


def boot_id() -> str:
    """The kernel's own name of this boot (a UUID); counters never survive it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def netns_id(name: str | None = None) -> int:
    """The inode of a network namespace, of this process's own without a name.

    Raises `DriverUnavailable` if there is no such namespace.
    """
    path = Path("/proc/self/ns/net") if name is None else NETNS_DIR / _check_netns(name)
    try:
        return path.stat().st_ino
    except OSError as error:
        raise DriverUnavailable(f"network namespace {name}: {error.strerror}") from None


def has_net_admin() -> bool:
    """Whether this process may configure networks without sudo (effective CAP_NET_ADMIN)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_NET_ADMIN & 1)
    return False


def kernel_wireguard_available(
    runner: Runner, prefix: tuple[str, ...] = (), kind: str = "wireguard"
) -> bool:
    """Whether this kernel makes links of ``kind``: a real try, which also loads the module.

    The try happens in a network namespace that dies with it; without the right to make one, a
    link with a random name is made and deleted at once. Raises `DriverForbidden` when neither is
    permitted and the module is not there to be seen.
    """
    if Path("/sys/module", kind).exists():
        return True
    steps = Steps(runner, prefix)
    make = ["ip", "link", "add", "name", f"vwgtry{secrets.token_hex(4)}", "type", kind]
    tried = steps.attempt("kernel", ["unshare", "--net", "--", *make])
    if tried.returncode and not lacks_kind(tried.stderr):
        tried = steps.attempt("kernel", make)
        if not tried.returncode:
            steps.run("kernel", ["ip", "link", "del", "dev", make[4]])
    if tried.returncode and not lacks_kind(tried.stderr):
        raise failure("kernel", "ip", tried)
    return not tried.returncode


def lacks_kind(stderr: bytes) -> bool:
    """Whether ``ip link add`` failed because the kernel does not know the kind of link."""
    return _NO_SUCH_TYPE.search(stderr.decode(errors="replace")) is not None


def default_route_address(
    runner: Runner, prefix: tuple[str, ...] = (), *, ipv6: bool = False
) -> str | None:
    """The host's own address on its default route, which clients can dial; None if it has none.

    Behind a NAT router it is a private address: the operator then says what clients dial. No
    packet is sent.
    """
    towards = "2606:4700:4700::1111" if ipv6 else "1.1.1.1"
    asked = Steps(runner, prefix).attempt("default route", ["ip", "-json", "route", "get", towards])
    if asked.returncode:
        return None
    routes = json.loads(asked.stdout)
    source = routes[0].get("prefsrc") if routes else None
    return source if isinstance(source, str) else None


def dialled_address(runner: Runner, prefix: tuple[str, ...] = ()) -> str | None:
    """What clients can dial, as far as the host knows: its address on the default route, or else
    the first global one of a link that is no tunnel; None if there is neither.
    """
    for ipv6 in (False, True):
        if found := default_route_address(runner, prefix, ipv6=ipv6):
            return found
    shown = Steps(runner, prefix).run(
        "addresses", ["ip", "-json", "-details", "address", "show", "scope", "global", "up"]
    )
    for link in json.loads(shown or "[]"):
        if link and link.get("linkinfo", {}).get("info_kind") not in {"tun", "wireguard"}:
            for entry in link.get("addr_info", []):
                return str(entry["local"])
    return None


def forwarding(runner: Runner, prefix: tuple[str, ...] = ()) -> Forwarding:
    """Whether packets are passed on, per family, in the namespace of ``prefix``."""
    steps = Steps(runner, prefix)
    ipv6 = steps.attempt("forwarding", ["sysctl", "-n", "net.ipv6.conf.all.forwarding"])
    ipv4 = steps.run("forwarding", ["sysctl", "-n", "net.ipv4.ip_forward"])
    return Forwarding(
        ipv4=ipv4.strip() == "1", ipv6=None if ipv6.returncode else ipv6.stdout.strip() == b"1"
    )


def enable_forwarding(
    runner: Runner, prefix: tuple[str, ...] = (), *, ipv4: bool = True, ipv6: bool = True
) -> None:
    """Let the host pass packets on, for the families asked for. What is on is not written.

    It lasts until a reboot, and is never switched off again: others may rely on it. A host that
    forwards IPv6 drops the default route it learnt from router advertisements unless its uplink
    has ``accept_ra`` 2 (kernel, ip-sysctl), so that is set first. Raises a `DriverError`.
    """
    steps = Steps(runner, prefix)
    now = forwarding(runner, prefix)
    if ipv4 and not now.ipv4:
        steps.run("forwarding", ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    if ipv6 and now.ipv6 is not True:
        _keep_advertised_routes(steps)
        steps.run("forwarding", ["sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1"])


def _keep_advertised_routes(steps: Steps) -> None:
    listed = steps.run("forwarding", ["ip", "-6", "-json", "route", "show", "default"])
    for device in sorted({route["dev"] for route in json.loads(listed or "[]")}):
        name = f"net/ipv6/conf/{device}/accept_ra"  # slashes: device names may hold dots
        if steps.run("forwarding", ["sysctl", "-n", name]).strip() == "1":
            steps.run("forwarding", ["sysctl", "-q", "-w", f"{name}=2"])


def versions(runner: Runner, prefix: tuple[str, ...] = ()) -> dict[str, str | None]:
    """The first line of what each tool says of itself; None for a tool that is not there."""
    asked = {"wg": "--version", "wireguard-go": "--version", "nft": "--version", "ip": "-V"}
    found: dict[str, str | None] = {"kernel": os.uname().release}
    for program, option in asked.items():
        try:
            answer = Steps(runner, prefix).run("versions", [program, option])
            found[program] = (answer.strip().splitlines() or [""])[0] or None
        except DriverError:
            found[program] = None
    return found
