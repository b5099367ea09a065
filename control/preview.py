"""What an apply would change, from the rows and the last observation. Touches nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from control import bootfile, link
from control.desired import load_all
from control.drift import compare
from control.presence import load_known
from control.work import arrange
from gateways.drivers import Station, station
from gateways.models import Interface
from wireguard.errors import DriverError, TruncatedDump
from wireguard.plan import diff
from wireguard.types import Applied


@dataclass(frozen=True)
class Preview:
    """A plan in words. ``tier`` None: nothing would be sent, or nothing may be."""

    interface: Interface
    tier: int | None
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    unblocked: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)
    observed_at: datetime | None = None
    #: Why an apply would not be done, if it would not.
    obstacle: str = ""
    source: str = "last observation"

    @property
    def total(self) -> int:
        return sum(len(self.peers(kind)) for kind in KINDS)

    def peers(self, kind: str) -> list[str]:
        """Public keys by kind (see KINDS)."""
        keys: list[str] = getattr(self, kind)
        return keys

    @property
    def others_untouched(self) -> bool:
        """Whether the plan proves that nobody else is touched."""
        return not self.obstacle and self.tier in (None, 1)


KINDS = ("added", "changed", "blocked", "unblocked", "removed")


def preview(interface: Interface) -> Preview:
    """From the rows: wanted against applied, and the drift that the last observation found."""
    tier, obstacle = _tier(interface)
    kinds = _kinds(interface)
    total = sum(map(len, kinds.values())) + sum(
        number for kind, number in interface.drift.items() if kind != "guarded"
    )
    return Preview(
        interface,
        tier if total or tier == 3 else None,
        drift=dict(interface.drift),
        observed_at=interface.observed_at,
        obstacle=obstacle,
        added=kinds["added"],
        changed=kinds["changed"],
        blocked=kinds["blocked"],
        unblocked=kinds["unblocked"],
        removed=kinds["removed"],
    )


def preview_live(interface: Interface) -> Preview:
    """The same against a dump taken now; for the gateway's own host. Raises nothing of a driver."""
    post = station(interface)
    rows = preview(interface)
    try:
        sight = post.look()
        if sight.exists and not link.is_ours(interface, sight):
            return _with(rows, tier=None, obstacle=str(link.refusal(interface)))
        if not sight.exists:
            tier, obstacle = _when_down(interface)
            return _with(rows, tier=tier, obstacle=obstacle, source="no such interface")
        drift = _drift_now(interface, post)
    except (DriverError, TruncatedDump) as error:
        return _with(rows, tier=None, obstacle=str(error))
    changes = rows.total + sum(number for kind, number in drift.items() if kind != "guarded")
    return _with(rows, tier=1 if changes else None, drift=drift, source="a dump taken now")


def _with(rows: Preview, **changes: Any) -> Preview:
    return replace(rows, **changes)


def _drift_now(interface: Interface, post: Station) -> dict[str, int]:
    known = load_known(interface).known
    running = post.driver.read().peers
    recorded = () if any(row.live for row in known) else bootfile.recorded_keys(interface)
    return compare(running, known, seq=interface.apply_seq, recorded=recorded).counts()


def _tier(interface: Interface) -> tuple[int | None, str]:
    if interface.state == Interface.State.FOREIGN:
        return None, interface.state_reason
    if interface.state == Interface.State.DOWN:
        return _when_down(interface)
    return 1, ""


def _when_down(interface: Interface) -> tuple[int | None, str]:
    if interface.restart_policy == Interface.RestartPolicy.NEVER:
        return None, "the interface is down, and its restart policy is `never`"
    return 3, ""


def _kinds(interface: Interface) -> dict[str, list[str]]:
    loaded = load_all(interface)
    work = arrange(loaded.rows, server_key=interface.public_key, problems=loaded.problems)
    plan = diff(work.desired, work.applied)
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    found["removed"].extend(plan.removals)
    for change in plan.changes:
        kind = _kind(work.applied.get(change.public_key), change.allowed_ips)
        found[kind].append(change.public_key)
    return found


def _kind(known: Applied | None, allowed_ips: tuple[str, ...] | None) -> str:
    if known is None:
        return "added"
    if allowed_ips == ():
        return "blocked"
    if allowed_ips and not known.allowed_ips:
        return "unblocked"
    return "changed"
