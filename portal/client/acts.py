"""The acts on a client, each with the words of its dialog: what happens, to whom, and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext

from peers.queries import ClientView
from peers.services.changes import Changed
from peers.services.extension import extend_client, reset_usage, top_up_client
from peers.services.moving import move_client
from peers.services.planning import change_plan
from peers.services.removal import delete_client, restore_client
from peers.services.switching import (
    disable_client,
    enable_client,
    kick_client,
    suspend_client,
    unsuspend_client,
)
from portal.client import act_words
from portal.client.act_words import Words
from portal.client.forms import (
    ActForm,
    ExtendForm,
    KickForm,
    MoveForm,
    PlanForm,
    ReasonForm,
    TopUpForm,
)
from portal.client.rows import Offer
from portal.client.wording import Scene


@dataclass(frozen=True)
class Act:
    """An act: the service that carries it out, what it is told, and its words."""

    service: Callable[..., Changed]
    words: Callable[[ClientView, Scene], Words]
    form: type[ActForm] = ActForm
    #: Whether it is refused where somebody else changed the client meanwhile.
    is_versioned: bool = True
    #: Whether it touches what is on the gateway: then who else is touched is a question.
    touches: bool = True
    deleted_too: bool = False
    shows_plans: bool = False
    shows_interfaces: bool = False


#: By the word in the address.
ACTS: Final[Mapping[str, Act]] = {
    "switch-off": Act(disable_client, act_words.off_words, ReasonForm, is_versioned=False),
    "switch-on": Act(enable_client, act_words.on_words, is_versioned=False),
    "suspend": Act(suspend_client, act_words.suspend_words, ReasonForm, is_versioned=False),
    "unsuspend": Act(unsuspend_client, act_words.unsuspend_words, is_versioned=False),
    "kick": Act(kick_client, act_words.kick_words, KickForm, is_versioned=False),
    "extend": Act(extend_client, act_words.extend_words, ExtendForm),
    "top-up": Act(top_up_client, act_words.top_up_words, TopUpForm),
    "reset-usage": Act(reset_usage, act_words.reset_words),
    "plan": Act(change_plan, act_words.plan_words, PlanForm, touches=False, shows_plans=True),
    "unqueue": Act(change_plan, act_words.unqueue_words, touches=False),
    "move": Act(move_client, act_words.move_words, MoveForm, shows_interfaces=True),
    "delete": Act(delete_client, act_words.delete_words),
    "restore": Act(restore_client, act_words.restore_words, deleted_too=True),
}


def told(name: str, form: ActForm) -> dict[str, Any]:
    """What the act's service is told besides the client."""
    if name == "unqueue":
        return {"plan": None, "when": form.view.client.next_plan_when or "end"}
    return form.details()


def may_happen(name: str, view: ClientView) -> bool:
    """Whether an act makes sense now: which ones the page offers."""
    client, reasons = view.client, {hold.reason for hold in view.holds}
    if client.deleted_at is not None:
        return name == "restore"
    ends = client.expires_at is not None or client.duration_days is not None
    answers = {
        "switch-off": "manual" not in reasons,
        "switch-on": "manual" in reasons,
        "suspend": "suspended" not in reasons,
        "unsuspend": "suspended" in reasons,
        "kick": not reasons and bool(view.devices),
        "extend": ends or client.quota_bytes is not None,
        "top-up": client.quota_bytes is not None,
        "reset-usage": view.balance.used > 0,
        "unqueue": client.next_plan is not None,
        "restore": False,
    }
    return answers.get(name, True)


def offers(view: ClientView, *, has_places: bool) -> dict[str, list[Offer]]:
    """What the page offers: at first sight, and behind "More"."""
    first = [
        Offer("extend", gettext("Extend"), "clock"),
        Offer("top-up", gettext("Top up"), "topup"),
        Offer("switch-on", gettext("Switch on"), "power"),
        Offer("switch-off", gettext("Switch off"), "power"),
        Offer("unsuspend", gettext("End the suspension"), ""),
    ]
    more = [
        Offer("suspend", gettext("Suspend")),
        Offer("kick", gettext("Kick")),
        Offer("plan", gettext("Change the plan")),
        Offer("unqueue", gettext("Take back what follows")),
        Offer("reset-usage", gettext("Set the usage to 0")),
        *([Offer("move", gettext("Move"))] if has_places else []),
        Offer("delete", gettext("Delete")),
    ]
    return {
        "first": [one for one in first if may_happen(one.name, view)],
        "more": [one for one in more if may_happen(one.name, view)],
    }
