"""What waits for a person, the worst first: one line each, with the page where it is dealt with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language_bidi, gettext, ngettext

from gateways.models import AddressPool
from gateways.schedule import Standing
from peers.pools import Utilisation
from portal import formats
from portal.overview.rows import Alarm, Work
from portal.schedule.wording import title as job_title
from portal.status.rows import InterfaceRow

#: From here on a pool is nearly given out, in percent.
NEARLY = 90
#: So many late jobs are named; the rest are counted.
TOLD = 3
_ORDER = {"bad": 0, "warn": 1, "wait": 2}


@dataclass(frozen=True)
class Seen:
    """All that alarms are made of."""

    interfaces: Sequence[InterfaceRow]
    silent: Sequence[str]
    late: Sequence[Standing]
    pools: Sequence[tuple[AddressPool, Utilisation]]
    work: Work
    stopped: int


def isolated(name: str) -> str:
    """A Latin name in a sentence that runs from right to left: else the two change places."""
    return f"\u2066{name}\u2069" if get_language_bidi() else name


def alarms(seen: Seen) -> tuple[Alarm, ...]:
    """Everything that waits for somebody."""
    found = [
        *_interfaces(seen.interfaces),
        *_machinery(seen),
        *_pools(seen.pools),
        *_counted(seen),
    ]
    return tuple(sorted(found, key=lambda alarm: _ORDER[alarm.glyph]))


def _interfaces(rows: Sequence[InterfaceRow]) -> Iterator[Alarm]:
    told: set[str] = set()
    for row in rows:
        url = reverse("interface-page", args=[row.uuid])
        if row.alarm and row.gateway not in told:
            told.add(row.gateway)
            yield Alarm("bad", f"{isolated(row.gateway)}: {row.alarm}", reverse("gateway-list"))
        if row.foreign:
            words = gettext("%s is not vwg's own: adopt it, or leave it alone") % isolated(
                row.label
            )
            yield Alarm("warn", words, url)
        elif row.glyph == "bad" and not row.failed:
            yield Alarm("bad", f"{isolated(row.label)}: {row.words}", url, row.observed_at)
        elif row.stale and row.glyph not in ("off", "new"):
            words = gettext("%s was not read for a while") % isolated(row.label)
            yield Alarm("warn", words, url, row.observed_at)
        if row.guarded:
            words = ngettext(
                "%(name)s: %(count)s unknown peer, adopt or remove",
                "%(name)s: %(count)s unknown peers, adopt or remove",
                row.guarded,
            )
            counts = {"name": isolated(row.label), "count": formats.number(row.guarded)}
            yield Alarm("warn", words % counts, url)


def _machinery(seen: Seen) -> Iterator[Alarm]:
    for queue in seen.silent:
        words = gettext("The worker of %s does not answer") % isolated(queue)
        yield Alarm("bad", words, reverse("system"))
    for one in seen.late[:TOLD]:
        words = gettext("Late: %s") % job_title(one.job.name)
        yield Alarm("warn", words, reverse("schedule"), one.job.finished_at)
    if len(seen.late) > TOLD:
        rest = len(seen.late) - TOLD
        words = ngettext("%s more job is late", "%s more jobs are late", rest)
        yield Alarm("warn", words % formats.number(rest), f"{reverse('schedule')}?late=1")


def _pools(pools: Sequence[tuple[AddressPool, Utilisation]]) -> Iterator[Alarm]:
    for pool, used in pools:
        if 100 * (pool.size - used.free) < NEARLY * pool.size:
            continue
        words = ngettext(
            "%(name)s: %(free)s address left of %(size)s",
            "%(name)s: %(free)s addresses left of %(size)s",
            used.free,
        ) % {
            "name": isolated(f"{pool.interface} {pool.name}"),
            "free": formats.number(max(used.free, 0)),
            "size": formats.number(pool.size),
        }
        yield Alarm("bad" if used.free <= 0 else "warn", words, reverse("pool-list"))


def _counted(seen: Seen) -> Iterator[Alarm]:
    set_aside = sum(row.failed for row in seen.interfaces)
    if set_aside:
        words = ngettext("%s device is in quarantine", "%s devices are in quarantine", set_aside)
        yield Alarm("bad", words % formats.number(set_aside), reverse("quarantine"))
    if seen.work.failed:
        words = ngettext(
            "%s job failed within a day", "%s jobs failed within a day", seen.work.failed
        )
        url = f"{reverse('job-list')}?{urlencode({'show': 'failed'})}"
        yield Alarm("warn", words % formats.number(seen.work.failed), url)
    if seen.stopped:
        words = ngettext(
            "%s reseller's pool is used up", "The pools of %s resellers are used up", seen.stopped
        )
        url = f"{reverse('tenant-list')}?{urlencode({'show': 'stopped'})}"
        yield Alarm("warn", words % formats.number(seen.stopped), url)
