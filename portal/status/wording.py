"""From a row of the database to what the page says about it. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from gateways.models import Interface, Job
from peers.models import Peer
from peers.queries import ONLINE_WITHIN
from portal import formats
from portal.status.rows import InterfaceRow, JobRow, PeerRow
from quotas.models import Hold
from tenants.models import DEFAULT_TENANT

#: Figures older than this are shown as old.
STALE_SECONDS = 30


def drift_size(drift: Mapping[str, int]) -> int:
    """How many differences an observation found that vwg puts right (guarded ones it does not)."""
    return sum(count for kind, count in drift.items() if kind != "guarded")


def interface_row(
    row: Interface,
    found: Mapping[str, int],
    *,
    endpoint: str,
    changed_at: datetime | None,
    now: datetime,
) -> InterfaceRow:
    """An interface as the table shows it; ``endpoint`` is what clients dial."""
    drift = drift_size(row.drift)
    read_age = formats.age(row.observed_at, now)
    glyph, words = _interface_state(row, found, drift, read_age)
    return InterfaceRow(
        uuid=row.uuid,
        gateway=row.gateway.slug,
        name=row.name,
        glyph=glyph,
        words=words,
        wanted=found["wanted"],
        applied=found["applied"],
        seen=row.observed_peers,
        online=found["online"],
        waiting=found["waiting"],
        failed=found["failed"],
        endpoint=endpoint,
        link=_link(row.observed_backend),
        changed_at=changed_at,
        observed_at=row.observed_at,
        stale=read_age is None or read_age > STALE_SECONDS,
        foreign=row.state == Interface.State.FOREIGN,
        guarded=len(row.guard_keys),
        drift=drift,
        reason=row.state_reason,
        alarm=row.gateway.alarm,
        apart=_apart(row, found) if row.observed_at else "",
    )


def _apart(row: Interface, found: Mapping[str, int]) -> str:
    """What makes the difference between the devices that are wanted and the peers that were seen.

    A reading is some seconds old, and who is off need not have a peer.
    """
    if row.observed_peers == found["wanted"] or row.state == Interface.State.FOREIGN:
        return ""
    unread = found["wanted"] - found["seen"] - found["absent"]
    more = row.observed_peers - found["seen"]
    sentences = {
        ngettext(
            "%s device is off and has no peer there.",
            "%s devices are off and have no peer there.",
            found["absent"],
        ): found["absent"],
        ngettext(
            "%s device came since then, or is being applied.",
            "%s devices came since then, or are being applied.",
            unread,
        ): unread,
        ngettext(
            "%s more peer is there: it is being removed, or is not vwg's.",
            "%s more peers are there: they are being removed, or are not vwg's.",
            more,
        ): more,
    }
    return " ".join(text % formats.number(n) for text, n in sentences.items() if n > 0)


def _link(backend: str) -> str:
    return {"kernel": gettext("kernel"), "userspace": "wireguard-go"}.get(backend, backend)


def _interface_state(
    row: Interface, found: Mapping[str, int], drift: int, read_age: float | None
) -> tuple[str, str]:
    fixed = {
        Interface.State.UNKNOWN: ("new", gettext("Not seen yet")),
        Interface.State.DOWN: ("bad", gettext("Down")),
        Interface.State.FOREIGN: ("warn", gettext("Foreign")),
        Interface.State.UNREACHABLE: ("bad", gettext("No answer")),
    }
    if not row.enabled:
        return "off", gettext("Off")
    if row.state in fixed:
        return fixed[Interface.State(row.state)]
    if row.guard_keys:
        count = len(row.guard_keys)
        text = ngettext("%s unknown peer", "%s unknown peers", count)
        return "warn", text % formats.number(count)
    if found["failed"]:
        return "bad", gettext("%s set aside") % formats.number(found["failed"])
    if found["waiting"]:
        return "wait", gettext("Applying %s") % formats.number(found["waiting"])
    if drift:
        return "warn", gettext("Drift: %s") % formats.number(drift)
    if read_age is not None and read_age > STALE_SECONDS:
        return "warn", gettext("Up, not read lately")
    return "live", gettext("Up, matches")


def peer_row(row: Peer, told: Mapping[str, Any], now: datetime) -> PeerRow:
    """A device as the table shows it. ``told`` holds the annotations of `peers.queries.with_status`
    and the names of client, tenant and interface, the oldest open hold, and its bytes.
    """
    glyph, words = _presence(row, told["hold_reason"], now)
    status, status_glyph, status_words, reason = _status(
        row, told["status_word"], told["status_reason"]
    )
    addresses = sorted((a.family, a.address) for a in row.addresses.all())
    return PeerRow(
        uuid=row.uuid,
        name=told["client_name"],
        device=row.name,
        tenant="" if told["tenant_slug"] == DEFAULT_TENANT else told["tenant_name"],
        interface=told["interface_name"],
        address=addresses[0][1] if addresses else "",
        glyph=glyph,
        words=words,
        endpoint=row.observed_endpoint,
        last_handshake_at=row.last_handshake_at,
        download=told["bytes_down"],
        upload=told["bytes_up"],
        status=status,
        status_glyph=status_glyph,
        status_words=status_words,
        reason=reason,
        going=row.deleted_at is not None,
    )


def _hold_words(reason: str) -> str:
    return {
        Hold.Reason.MANUAL: gettext("Off by hand"),
        Hold.Reason.QUOTA: gettext("Off: quota"),
        Hold.Reason.EXPIRED: gettext("Off: expired"),
        Hold.Reason.TENANT_SUSPENDED: gettext("Off: reseller suspended"),
        Hold.Reason.TENANT_POOL: gettext("Off: reseller's quota"),
        Hold.Reason.PLAN: gettext("Off: not begun yet"),
        Hold.Reason.SUSPENDED: gettext("Off: suspended by its shop"),
        Hold.Reason.KICK: gettext("Off for a moment"),
    }.get(Hold.Reason(reason), gettext("Off"))


def _presence(row: Peer, hold: str | None, now: datetime) -> tuple[str, str]:
    """Whether the device is connected. A handshake while blocked is not presence."""
    if row.deleted_at is not None:
        return "off", gettext("Removed")
    if row.blocked:
        return "off", _hold_words(hold) if hold else gettext("Off")
    since = formats.age(row.last_handshake_at, now)
    if since is None:
        return "new", gettext("Not used yet")
    if row.observed_present and since <= ONLINE_WITHIN.total_seconds():
        return "live", gettext("Online")
    return "idle", gettext("Idle")


def _status(row: Peer, word: str, reason: str) -> tuple[str, str, str, str]:
    """The API's status word, glyph, words and reason: what became of the last change."""
    if word == "quarantined":
        return word, "bad", gettext("Set aside"), reason
    if row.deleted_at is not None:
        return "pending", "wait", gettext("Removing"), ""
    if word == "failed":
        return word, "bad", gettext("Failed"), reason
    if word == "pending":
        return word, "wait", gettext("Applying"), ""
    if word == "applied":
        return word, "done", gettext("Sent, not read back yet"), ""
    if row.blocked:
        return word, "off", gettext("Off, confirmed"), ""
    return word, "live", gettext("Confirmed"), ""


def job_row(row: Job, where: str, worst: str, now: datetime) -> JobRow:
    """A job as the table shows it."""
    took = formats.age(row.created_at, row.finished_at) if row.finished_at else None
    glyph, words = _job_state(row)
    return JobRow(
        uuid=row.uuid,
        kind=row.kind,
        title=_job_title(row),
        interface=where,
        status=row.status,
        glyph=glyph,
        words=words,
        total=row.total,
        done=row.done,
        failed=row.failed,
        tier=row.tier,
        took=took,
        by=row.actor_name or "vwg",
        created_at=row.created_at,
        message=row.message or worst,
    )


def _job_title(row: Job) -> str:
    count = formats.number(row.total)
    titles = {
        Job.Kind.CREATE: ngettext("Add %s device", "Add %s devices", row.total),
        Job.Kind.UPDATE: ngettext("Change %s device", "Change %s devices", row.total),
        Job.Kind.DELETE: ngettext("Remove %s device", "Remove %s devices", row.total),
        Job.Kind.ENABLE: ngettext("Switch on %s device", "Switch on %s devices", row.total),
        Job.Kind.DISABLE: ngettext("Switch off %s device", "Switch off %s devices", row.total),
        Job.Kind.SUSPEND: ngettext("Suspend %s device", "Suspend %s devices", row.total),
        Job.Kind.RESUME: ngettext("Resume %s device", "Resume %s devices", row.total),
        Job.Kind.KICK: ngettext("Kick %s device", "Kick %s devices", row.total),
        Job.Kind.ROTATE: ngettext("New keys for %s device", "New keys for %s devices", row.total),
        Job.Kind.MOVE: ngettext("Move %s device", "Move %s devices", row.total),
        Job.Kind.TRANSFER: ngettext("Hand over %s device", "Hand over %s devices", row.total),
        Job.Kind.RESTORE: ngettext("Bring back %s device", "Bring back %s devices", row.total),
        Job.Kind.BULK: ngettext("Change %s device", "Change %s devices", row.total),
    }
    fixed = {
        Job.Kind.APPLY: gettext("Apply"),
        Job.Kind.HEAL: gettext("Heal drift"),
        Job.Kind.LINK: gettext("Bring up the interface"),
        Job.Kind.WAKE: gettext("Wake a machine"),
    }
    kind = Job.Kind(row.kind)
    if kind in titles and not row.total:
        return gettext("Nothing to apply")
    return titles[kind] % count if kind in titles else fixed[kind]


def _job_state(row: Job) -> tuple[str, str]:
    if row.status == Job.Status.SUCCEEDED:
        return "done", gettext("Done")
    if row.status == Job.Status.FAILED:
        if row.failed < row.done:
            return "warn", gettext("Partly done")
        return "bad", gettext("Failed")
    if row.status == Job.Status.RUNNING:
        return "wait", gettext("Running")
    return "idle", gettext("Waits")
