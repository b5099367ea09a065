"""Observing an interface: one dump gives the bytes used, presence, verified state and drift.

Only the dump is taken under the host lock; the books are kept after it, so that a change never
waits for them. Two numbers put that in order: the dump's own (a later dump's books win), and the
interface's apply number at that moment (peers applied later are not judged by this dump).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from control import adjust, bootfile, cutoff, link, meters, sessions, shaping
from control.beginning import begin_terms
from control.drift import Drift, compare
from control.healing import catch_up, heal, heal_link, revive
from control.metering import account
from control.presence import Rows, load_buried, load_known, write_presence
from control.reading import Reading, take
from control.samples import samples
from gateways.drivers import Station, station
from gateways.models import Gateway, Interface
from wireguard.errors import DriverError, InterfaceMissing, TruncatedDump
from wireguard.host import boot_id
from wireguard.lock import LockBusy

logger = logging.getLogger("WireGuard")

LOCK_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Found:
    """What an observation led to."""

    drift: Drift
    healing: bool

    @property
    def summary(self) -> str:
        """In words, for a job's item."""
        kinds = self.drift.counts()
        if not kinds:
            return "The interface matches its records"
        return "Drift: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items())


def observe_interface(*, interface_id: int) -> Found | None:
    """Read the interface and keep the books; None when it could not be read."""
    interface = Interface.objects.select_related("gateway").get(pk=interface_id, simulated=False)
    post = station(interface)
    try:
        with post.lock(timeout_s=LOCK_TIMEOUT_S):
            interface.refresh_from_db()
            reading = read(interface, post)
            shaping.follow(interface, post)
    except LockBusy:
        return None
    except (DriverError, TruncatedDump) as error:
        _unreadable(interface, error)
        return None
    return keep_books(interface, post, reading)


def check(interface: Interface, post: Station) -> Found:
    """Observe while the caller holds the lock. Raises DriverError, TruncatedDump."""
    return keep_books(interface, post, read(interface, post))


def read(interface: Interface, post: Station) -> Reading:
    """Take a dump under the lock. Raises link.NotOurs, DriverError, TruncatedDump."""
    sight = post.look()
    if sight.exists and link.is_unfinished(interface, sight):
        raise InterfaceMissing(f"interface {interface.name} was not brought up to the end")
    if sight.exists and not link.is_ours(interface, sight):
        raise link.refuse(interface)
    if sight.exists and not sight.up:
        raise InterfaceMissing(f"interface {interface.name} is set down")
    return take(interface, post)


def keep_books(interface: Interface, post: Station, reading: Reading) -> Found:
    """Sessions and the ledger; then presence, verified state, drift and its healing.

    Of a dump that is older than the books, each device's bytes are counted unless they are, and
    the rest is dropped.
    """
    counted = cutoff.look(interface, post, number=reading.number)
    running = reading.dump.peers
    rows = load_known(interface, running, reading.run)
    load_buried(interface, running, rows)
    latest = _last_apply(interface, reading, rows)
    sessions.follow(interface, running, rows.shown, at=reading.at)
    moved = samples(
        running,
        rows.counted,
        run=reading.run,
        apply_seq=reading.apply_seq,
        latest=latest,
        resting=rows.resting,
    )
    account(interface, reading, moved)
    drift = compare(
        running,
        rows.known,
        seq=reading.apply_seq,
        latest=latest,
        recorded=() if any(row.live for row in rows.known) else bootfile.recorded_keys(interface),
    )
    drift.link = adjust.differing(interface, reading.dump.interface)
    with transaction.atomic():  # clients, meters, peers, the interface: as requests lock them
        begin_terms(running, rows.shown)
        meters.close_missing((row.id for row in drift.missing), seq=reading.number)
        write_presence(running, rows.shown, drift.verified, at=reading.at, also=drift.differing)
        healing = heal(interface, drift, running, at=reading.at)
        healing |= catch_up(interface, at=reading.at)
        heal_link(interface, drift.link, at=reading.at)
        if not _write_seen(interface, post, reading, drift):
            transaction.set_rollback(True)
            return Found(drift, healing=False)
        Gateway.objects.filter(pk=interface.gateway_id).update(last_seen_at=reading.at)
    cutoff.follow(interface, post, counted, number=reading.number, taken_at=reading.at)
    return Found(drift, healing=healing)


def _write_seen(interface: Interface, post: Station, reading: Reading, drift: Drift) -> bool:
    """Write what the dump showed of the interface; False when a later dump's books are kept."""
    older = Interface.objects.filter(pk=interface.pk, observed_done_seq__lt=reading.number)
    written = older.update(
        observed_done_seq=reading.number,
        observed_at=reading.at,
        observed_peers=len(reading.dump.peers),
        observed_backend=post.backend,
        state=Interface.State.UP,
        state_reason="",
        boot_id=boot_id(),
        drift=drift.counts(),
        **_guard(interface, drift, reading.at),
    )
    return bool(written)


def _last_apply(interface: Interface, reading: Reading, rows: Rows) -> int:
    """The number of the last apply, as far as it matters to these rows."""
    if all(row.applied_key for row in rows.known):
        return reading.apply_seq
    return Interface.objects.values_list("apply_seq", flat=True).get(pk=interface.pk)


def _guard(interface: Interface, drift: Drift, at: datetime) -> dict[str, object]:
    """The interface's guard fields, when they change."""
    if drift.guarded == interface.guard_keys:
        return {}
    if drift.guarded:
        logger.error(
            "WireGuard interface %s runs %d peers that vwg has no record of; they are left alone"
            " until an operator decides (`manage.py adopt` or `manage.py remove_strays`)",
            interface.name,
            len(drift.guarded),
        )
    return {"guard_keys": drift.guarded, "guard_since": at if drift.guarded else None}


def _unreadable(interface: Interface, error: Exception) -> None:
    """The interface gave no dump: say so, and bring it back when it is gone and may be."""
    if isinstance(error, link.NotOurs):
        return
    missing = isinstance(error, InterfaceMissing)
    state = Interface.State.DOWN if missing else Interface.State.UNREACHABLE
    if interface.state != state:
        logger.warning("WireGuard interface %s: %s", interface.name, error)
    Interface.objects.filter(pk=interface.pk).update(state=state, state_reason=str(error)[:500])
    if missing and interface.enabled:
        revive(interface, at=timezone.now())
