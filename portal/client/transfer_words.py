"""The dialog of a client that is handed over, in words: who loses what, and what stays."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from peers.models import Client
from peers.queries import ClientView
from portal import formats
from portal.client.act_words import Words, devices_words
from portal.client.terms import names
from portal.client.verdicts import hold_words
from quotas.policies import TENANT_POOL, TENANT_SUSPENDED
from tenants.models import Tenant

#: Holds of a client that are its reseller's.
_OF_THE_TENANT = frozenset({TENANT_SUSPENDED, TENANT_POOL})


def transfer_words(view: ClientView, *, gives: Tenant, takes: Tenant, links: int) -> Words:
    """Handing over to another reseller."""
    both = {
        "name": view.client.name,
        "devices": devices_words(view),
        "gives": gives.name,
        "takes": takes.name,
    }
    texts = [
        gettext("%(gives)s does not see it any more. %(takes)s has it, with note, tags and all."),
        gettext("%(devices)s: keys, addresses and files stay, and nothing is interrupted."),
        gettext("What was used is in the books of %(gives)s, what follows in those of %(takes)s."),
        gettext("Data, speed, end and the period that runs stay, whatever plan is named below."),
        *_comes_and_goes(view, takes),
    ]
    lines = [text % both for text in texts]
    return Words(
        gettext("Hand over %(name)s to %(takes)s?") % both,
        (*lines, *_lost(view.client), *_stays_off(view), *_ended(links)),
        gettext("Hand over 1 client"),
        gettext("%(name)s belongs to %(takes)s now.") % both,
        is_bad=True,
    )


def _comes_and_goes(view: ClientView, takes: Tenant) -> list[str]:
    held = {hold.reason for hold in view.holds}
    if takes.status == Tenant.Status.SUSPENDED:
        return [gettext("%(takes)s is suspended, so the client is off there.")]
    if held and held <= _OF_THE_TENANT:
        return [gettext("It is off because of %(gives)s: with %(takes)s it is back.")]
    return []


def _lost(client: Client) -> list[str]:
    plans = [plan.name for plan in (client.plan, client.next_plan) if plan is not None]
    return [gettext("It loses its plan, which is not theirs: %s.") % names(plans)] if plans else []


def _stays_off(view: ClientView) -> list[str]:
    left = [hold.reason for hold in view.holds if hold.reason not in _OF_THE_TENANT]
    words = names([hold_words(reason) for reason in left])
    return [gettext("It stays off all the same: %s.") % words] if left else []


def _ended(links: int) -> list[str]:
    text = ngettext("%s share link ends.", "%s share links end.", links)
    return [text % formats.number(links)] if links else []
