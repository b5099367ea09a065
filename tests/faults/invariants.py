"""The invariants of design.md section 8 that a fault may break, asserted on what is really there.

Desired comes from plain SQL, the truth from `wg show dump`, /proc and flock(2).
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from tests.faults.world import Caller, World
from tests.stack.processes import run

_LOCKS = Path("/run/vwg")
_SLOW = 3.0
_ADDRESSES = (
    "SELECT peer_id, address || CASE family WHEN 4 THEN '/32' ELSE '/128' END"
    " FROM peers_peeraddress WHERE peer_id IS NOT NULL"
    " UNION ALL SELECT peer_id, network FROM peers_peernetwork"
)
_LIVE = (
    "SELECT id, public_key, blocked, preshared_key <> '', coalesce(persistent_keepalive, 0)"
    " FROM peers_peer WHERE deleted_at IS NULL AND quarantine_reason = ''"
)


@dataclass(frozen=True)
class Running:
    """One peer as the dump shows it."""

    allowed_ips: frozenset[str]
    preshared: bool
    keepalive: int


def running(world: World) -> dict[str, Running]:
    """`wg show dump`, taken past the shim."""
    found = {}
    for line in world.wg("dump").splitlines()[1:]:
        key, preshared, _, allowed, _, _, _, keepalive = line.split("\t")
        found[key] = Running(
            frozenset() if allowed == "(none)" else frozenset(allowed.split(",")),
            preshared != "(none)",
            0 if keepalive == "off" else int(keepalive),
        )
    return found


def differences(world: World) -> list[str]:
    """I1 and I7: where the interface is not what the rows want."""
    allowed: dict[int, set[str]] = {}
    for peer_id, network in world.books.rows(_ADDRESSES):
        allowed.setdefault(peer_id, set()).add(network)
    shown = running(world)
    wrong = []
    for peer_id, key, blocked, preshared, keepalive in world.books.rows(_LIVE):
        peer = shown.pop(key, None)
        if blocked:
            if peer is not None and peer.allowed_ips:
                wrong.append(f"{key} may not connect and has {sorted(peer.allowed_ips)}")
            continue
        wanted = Running(frozenset(allowed.get(peer_id, ())), bool(preshared), keepalive)
        if peer != wanted:
            wrong.append(f"{key} is {peer}, wanted {wanted}")
    return [*wrong, *(f"{key} runs and nobody wants it" for key in shown)]


def double_holders(world: World) -> list[str]:
    """I6: addresses or keys held twice, in the rows or on the interface; and outside the pools."""
    wrong = [
        f"twice in the rows: {value}"
        for sql in (
            "SELECT address FROM peers_peeraddress GROUP BY address HAVING count(*) > 1",
            "SELECT public_key FROM peers_peer WHERE deleted_at IS NULL"
            " GROUP BY public_key HAVING count(*) > 1",
        )
        for (value,) in world.books.rows(sql)
    ]
    pools = [
        ipaddress.ip_network(network)
        for (network,) in world.books.rows("SELECT network FROM gateways_addresspool")
    ]
    seen: set[str] = set()
    for key, peer in running(world).items():
        wrong += [f"{key} shares {address}" for address in peer.allowed_ips & seen]
        seen |= peer.allowed_ips
        for text in peer.allowed_ips:
            network = ipaddress.ip_network(text)
            if not any(
                network.version == pool.version and network.subnet_of(pool)  # type: ignore[arg-type]
                for pool in pools
            ):
                wrong.append(f"{key} has {text}, outside every pool")
    return wrong


def broken_promises(caller: Caller) -> list[str]:
    """I5: what was accepted is in the rows; what was refused left no trace."""
    rows = dict(
        caller.world.books.rows("SELECT public_key, max(id) FROM peers_peer GROUP BY public_key")
    )
    wrong = [f"{key} was accepted and is not stored" for key in caller.added if key not in rows]
    return wrong + [f"{key} was refused and is stored" for key in caller.refused if key in rows]


def stuck(world: World) -> list[str]:
    """I10: open items and jobs, `wg` processes left behind, a held lock, zombies."""
    books = world.books
    wrong = [
        f"item {row} is open"
        for row in books.rows("SELECT id, message FROM gateways_jobitem WHERE status = 'open'")
    ]
    wrong += [
        f"job {row} is not finished"
        for row in books.rows("SELECT id, kind FROM gateways_job WHERE finished_at IS NULL")
    ]
    wrong += [
        f"process {pid} is left: {words[0]}"
        for pid, words in world.processes().items()
        if words[0] != "wireguard-go"
    ]
    return [*wrong, *_held_lock(world), *_zombies(world)]


def _held_lock(world: World) -> list[str]:
    inode = Path("/run/netns", world.netns).stat().st_ino
    path = _LOCKS / f"{inode}.{world.interface}.lock"
    if not path.exists():
        return ["the host lock's file is not where it was expected"]
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return ["the host lock is held"]
    finally:
        os.close(descriptor)
    return []


def _zombies(world: World) -> list[str]:
    groups = {str(process.pid) for process in world._processes.values()}
    lines = run("ps", "-eo", "pgid=,stat=,pid=,comm=").splitlines()
    return [
        f"zombie {line.split()[2:]}"
        for line in lines
        if line.split()[0] in groups and line.split()[1].startswith("Z")
    ]


def violations(caller: Caller) -> list[str]:
    """All of them."""
    world = caller.world
    return [
        *differences(world),
        *double_holders(world),
        *broken_promises(caller),
        *stuck(world),
    ]


def assert_all(caller: Caller, *, seconds: float = 15.0) -> float:
    """Every invariant holds within ``seconds``, at one moment; the seconds it took."""
    seen: list[list[str]] = [[]]

    def hold() -> bool:
        seen.append(violations(caller))
        return not seen[-1]

    try:
        took = caller.world.wait_until(hold, "every invariant holds", seconds=seconds)
    except AssertionError as error:
        raise AssertionError(f"{len(seen[-1])} violations: {seen[-1][:5]}\n{error}") from None
    if took > _SLOW:
        print(f"the last to go, after {took:.1f} s: {seen[-2][:3]}")
    return took
