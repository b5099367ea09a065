"""What an act on many would do, and to whom: counted before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext, ngettext

from peers.filters import online
from peers.models import Peer
from peers.queries import visible_clients
from portal import formats
from portal.bulk.selection import Selection
from quotas.models import Hold
from quotas.policies import EXPIRED, MANUAL, QUOTA
from tenants.scoping import Caller

#: So many are named; of more, only how many they are.
NAMED: Final = 5


@dataclass(frozen=True)
class Facts:
    """The clients of an act in figures."""

    chosen: int
    others: int
    online: int
    by_hand: int
    held_else: int
    by_time: int
    by_quota: int
    devices: int
    names: tuple[str, ...]


def facts_of(caller: Caller, selection: Selection, at: datetime) -> Facts:
    """Count them. Raises `Invalid` where the view is not understood."""
    rows = selection.rows(caller)
    holds = Hold.objects.filter(client=OuterRef("pk"), closed_at__isnull=True)

    def held(*reasons: str) -> Exists:
        return Exists(holds.filter(reason__in=reasons))

    found = rows.aggregate(
        chosen=Count("pk"),
        online=Count("pk", filter=online(at)),
        by_hand=Count("pk", filter=Q(held(MANUAL))),
        held_else=Count("pk", filter=Q(Exists(holds.exclude(reason=MANUAL)))),
        by_time=Count("pk", filter=Q(held(EXPIRED))),
        by_quota=Count("pk", filter=Q(held(QUOTA))),
    )
    few = rows.order_by("name", "pk").values_list("name", flat=True)[: NAMED + 1]
    devices = Peer.objects.filter(client__in=rows.order_by().values("pk"))
    return Facts(
        **found,
        others=visible_clients(caller).count() - found["chosen"],
        devices=devices.filter(deleted_at__isnull=True).count(),
        names=tuple(few),
    )


def consequences(act: str, facts: Facts, *, days_kept: int) -> list[tuple[int, str]]:
    """Lines of what happens: a number, and to whom; those of nobody are left out."""
    lines = {
        "disable": _disable,
        "enable": _enable,
        "extend": _more,
        "top-up": _more,
        "move": _move,
        "delete": _delete,
    }
    found = lines[act](facts, days_kept) if act in lines else []
    return [(count, words) for count, words in found if count]


Lines = list[tuple[int, str]]


def _disable(facts: Facts, _: int) -> Lines:
    return [
        (
            facts.online,
            ngettext(
                "is online now; the connection stops within a second",
                "are online now; their connections stop within a second",
                facts.online,
            ),
        ),
        (
            facts.by_hand,
            ngettext(
                "is off by hand already, and stays so",
                "are off by hand already, and stay so",
                facts.by_hand,
            ),
        ),
    ]


def _enable(facts: Facts, _: int) -> Lines:
    return [
        (
            facts.by_hand,
            ngettext(
                "is off by hand; that ends now", "are off by hand; that ends now", facts.by_hand
            ),
        ),
        (
            facts.held_else,
            ngettext(
                "stays off for another reason: quota, end or suspension",
                "stay off for another reason: quota, end or suspension",
                facts.held_else,
            ),
        ),
    ]


def _more(facts: Facts, _: int) -> Lines:
    return [
        (
            facts.by_time,
            ngettext(
                "is off since its time ended; more days bring it back",
                "are off since their time ended; more days bring them back",
                facts.by_time,
            ),
        ),
        (
            facts.by_quota,
            ngettext(
                "is off by quota; enough bytes bring it back",
                "are off by quota; enough bytes bring them back",
                facts.by_quota,
            ),
        ),
    ]


def _move(facts: Facts, _: int) -> Lines:
    return [
        (
            facts.devices,
            ngettext(
                "device keeps its key; its address may become another",
                "devices keep their keys; their addresses may become others",
                facts.devices,
            ),
        ),
        (
            facts.online,
            ngettext(
                "client is online now, and is cut off until the new file is in use",
                "clients are online now, and are cut off until the new files are in use",
                facts.online,
            ),
        ),
    ]


def _delete(facts: Facts, days_kept: int) -> Lines:
    kept = ngettext(
        "device stops for good. Its address is kept for %s days, so long it can be brought back",
        "devices stop for good. Addresses are kept for %s days, so long they can be brought back",
        facts.devices,
    )
    return [
        (facts.devices, kept % formats.number(days_kept)),
        (
            facts.online,
            ngettext("client is online now", "clients are online now", facts.online),
        ),
    ]


def title_of(act: str, count: int) -> str:
    """The question above the dialog."""
    titles = {
        "disable": ngettext("Switch off %s client?", "Switch off %s clients?", count),
        "enable": ngettext("Switch on %s client?", "Switch on %s clients?", count),
        "extend": ngettext("Extend %s client", "Extend %s clients", count),
        "top-up": ngettext("Top up %s client", "Top up %s clients", count),
        "plan": ngettext("Change the plan of %s client", "Change the plan of %s clients", count),
        "move": ngettext("Move %s client?", "Move %s clients?", count),
        "tag": ngettext("Tag %s client", "Tag %s clients", count),
        "delete": ngettext("Delete %s client?", "Delete %s clients?", count),
        "configs": ngettext("Files of %s client", "Files of %s clients", count),
    }
    return titles[act] % formats.number(count)


def button_of(act: str, count: int) -> str:
    """What the button says: the verb and the count."""
    words = {
        "disable": ngettext("Switch off %s", "Switch off %s", count),
        "enable": ngettext("Switch on %s", "Switch on %s", count),
        "extend": ngettext("Extend %s", "Extend %s", count),
        "top-up": ngettext("Top up %s", "Top up %s", count),
        "plan": ngettext("Change %s", "Change %s", count),
        "move": ngettext("Move %s", "Move %s", count),
        "tag": ngettext("Tag %s", "Tag %s", count),
        "delete": ngettext("Delete %s", "Delete %s", count),
        "configs": ngettext("Download %s", "Download %s", count),
    }
    return words[act] % formats.number(count)


def rest_words(act: str, facts: Facts) -> str:
    """What does not happen, where that is known."""
    if act in ("disable", "delete") and facts.others:
        text = ngettext(
            "The other %s client notices nothing.",
            "The other %s clients notice nothing.",
            facts.others,
        )
        return text % formats.number(facts.others)
    fixed = {
        "extend": gettext("More days follow the present end; more bytes count in every period."),
        "top-up": gettext("The bytes are for the period that runs, and end with it."),
        "plan": gettext("The plan brings its limits now; the period goes on, and the end stays."),
        "move": gettext(
            "Every file that was handed out for them stops working: hand out the new ones. Who is "
            "there already stays as it is."
        ),
        "configs": gettext("Files hold private keys: who takes them is in the history."),
    }
    return fixed.get(act, "")
