"""The dialogs of acts on a client in words: what happens, to whom, and what is said afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from peers.queries import ClientView
from peers.services.removal import undelete_time
from portal import formats
from portal.client.terms import names
from portal.client.verdicts import hold_words
from portal.client.wording import Scene


@dataclass(frozen=True)
class Words:
    """A dialog's: its title, what will happen, its button, and what is said afterwards."""

    title: str
    what: tuple[str, ...]
    button: str
    done: str
    is_bad: bool = False


def devices_words(view: ClientView) -> str:
    count = len(view.devices)
    return ngettext("Its %s device", "Its %s devices", count) % formats.number(count)


def _count(view: ClientView) -> dict[str, Any]:
    return {"name": view.client.name, "devices": devices_words(view)}


def off_words(view: ClientView, scene: Scene) -> Words:
    """Switching off."""
    names_ = _count(view)
    return Words(
        gettext("Switch off %(name)s?") % names_,
        (
            gettext("%(devices)s: the connection stops within a second.") % names_,
            gettext(
                "Address, key and usage are kept. Only a person switches it on again: no payment, "
                "no new period."
            ),
        ),
        gettext("Switch off"),
        gettext("%(name)s is switched off.") % names_,
        is_bad=True,
    )


def on_words(view: ClientView, scene: Scene) -> Words:
    """Switching on."""
    names_ = _count(view)
    return Words(
        gettext("Switch on %(name)s?") % names_,
        (
            gettext("%(devices)s: they connect again by themselves, with the file they have.")
            % names_,
            *_others(view, "manual"),
        ),
        gettext("Switch on"),
        gettext("%(name)s is switched on.") % names_,
    )


def _others(view: ClientView, reason: str) -> tuple[str, ...]:
    left = [hold_words(hold.reason) for hold in view.holds if hold.reason != reason]
    if not left:
        return ()
    return (gettext("It stays off all the same: %s.") % names(left),)


def suspend_words(view: ClientView, scene: Scene) -> Words:
    """Suspending."""
    names_ = _count(view)
    return Words(
        gettext("Suspend %(name)s?") % names_,
        (
            gettext("%(devices)s: the connection stops within a second.") % names_,
            gettext(
                "Address, key and usage are kept. A suspension is for an unpaid bill: your shop "
                "may end it too."
            ),
        ),
        gettext("Suspend"),
        gettext("%(name)s is suspended.") % names_,
        is_bad=True,
    )


def unsuspend_words(view: ClientView, scene: Scene) -> Words:
    """Ending a suspension."""
    names_ = _count(view)
    return Words(
        gettext("End the suspension of %(name)s?") % names_,
        (
            gettext("%(devices)s: they connect again by themselves, with the file they have.")
            % names_,
            *_others(view, "suspended"),
        ),
        gettext("End the suspension"),
        gettext("The suspension of %(name)s is over.") % names_,
    )


def kick_words(view: ClientView, scene: Scene) -> Words:
    """Kicking."""
    names_ = _count(view)
    return Words(
        gettext("Kick %(name)s?") % names_,
        (
            gettext("%(devices)s: no packet passes for so long, then all again.") % names_,
            gettext("The app connects again by itself; nothing has to be done."),
        ),
        gettext("Kick"),
        gettext("%(name)s is kicked for a moment.") % names_,
        is_bad=True,
    )


def extend_words(view: ClientView, scene: Scene) -> Words:
    """Extending."""
    client = view.client
    lines = []
    if client.expires_at is not None:
        if client.expires_at > scene.at:
            text = gettext("The days are added to its end, %s.")
            lines.append(text % scene.moment(client.expires_at))
        else:
            lines.append(gettext("It has ended: the days count from now, and it is back at once."))
    elif client.duration_days is not None:
        lines.append(gettext("The days are added to those that begin with the first use."))
    else:
        lines.append(gettext("It does not end, so no days can be added."))
    lines.append(gettext("Key, address and file stay; the connection is not interrupted."))
    return Words(
        gettext("Extend %s?") % client.name,
        tuple(lines),
        gettext("Extend"),
        gettext("%s is extended.") % client.name,
    )


def top_up_words(view: ClientView, scene: Scene) -> Words:
    """Topping up."""
    client, usage = view.client, view.usage
    lines = [gettext("The data is for the period that runs, and is gone with it.")]
    if usage is not None and usage.period_ends_at is not None:
        text = gettext("The period runs until %s.")
        lines.append(text % scene.moment(usage.period_ends_at))
    if client.quota_bytes is None:
        lines = [
            gettext("It has no limit of both directions together: there is nothing to add to.")
        ]
    return Words(
        gettext("Top up %s?") % client.name,
        tuple(lines),
        gettext("Top up"),
        gettext("%s is topped up.") % client.name,
    )


def reset_words(view: ClientView, scene: Scene) -> Words:
    """Setting the usage to 0."""
    found = view.balance
    return Words(
        gettext("Begin the usage of %s at 0?") % view.client.name,
        (
            gettext("%s of this period count no more against its limit; the bill keeps them.")
            % formats.size(found.used),
            gettext("What was topped up is gone. The period ends when it would have."),
        ),
        gettext("Set the usage to 0"),
        gettext("The usage of %s begins at 0.") % view.client.name,
    )


def plan_words(view: ClientView, scene: Scene) -> Words:
    """Changing the plan."""
    client = view.client
    lines = [gettext("The plan brings its data, speed and limits.")]
    if client.expires_at is not None:
        text = gettext("Now, and at the next period, the end stays: %s. It is paid for.")
        lines.append(text % scene.moment(client.expires_at))
    lines.append(gettext("Key, address and file stay; the connection is not interrupted."))
    return Words(
        gettext("Change the plan of %s?") % client.name,
        tuple(lines),
        gettext("Change the plan"),
        gettext("The plan of %s is changed.") % client.name,
    )


def unqueue_words(view: ClientView, scene: Scene) -> Words:
    """Taking back what follows."""
    client = view.client
    follows = client.next_plan.name if client.next_plan is not None else ""
    return Words(
        gettext("Take back what follows for %s?") % client.name,
        (gettext("%s will not follow. What runs now goes on as it is.") % follows,),
        gettext("Take it back"),
        gettext("No other plan follows for %s.") % client.name,
    )


def move_words(view: ClientView, scene: Scene) -> Words:
    """Moving."""
    names_ = _count(view)
    return Words(
        gettext("Move %(name)s?") % names_,
        (
            gettext("%(devices)s: the keys stay, the addresses may become others.") % names_,
            gettext("Every file that was handed out stops working at once: hand out the new one."),
        ),
        gettext("Move"),
        gettext("%(name)s is moved. Hand out the new file.") % names_,
        is_bad=True,
    )


def delete_words(view: ClientView, scene: Scene) -> Words:
    """Deleting."""
    names_ = _count(view)
    keeps = undelete_time()
    lines = [gettext("%(devices)s: the connection stops at once.") % names_]
    if keeps:
        until = scene.moment(scene.at + keeps)
        lines.append(gettext("Until %s it can be brought back with keys and addresses.") % until)
    lines.append(
        gettext("Then its addresses go back to the pool. The bill keeps its %s.")
        % formats.size(view.balance.used)
    )
    return Words(
        gettext("Delete %(name)s?") % names_,
        tuple(lines),
        gettext("Delete 1 client"),
        gettext("%(name)s is deleted.") % names_,
        is_bad=True,
    )


def restore_words(view: ClientView, scene: Scene) -> Words:
    """Bringing back."""
    names_ = _count(view)
    return Words(
        gettext("Bring back %(name)s?") % names_,
        (
            gettext("%(devices)s: they are back with their keys and addresses; the files work.")
            % names_,
        ),
        gettext("Bring back"),
        gettext("%(name)s is back.") % names_,
    )
