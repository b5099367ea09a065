"""The mail that a new member or customer gets: where to sign in, and how to choose a first
password.

The link goes to the address alone, never to who invites: whoever could see it would hold the
account of somebody who may belong elsewhere too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from peers.models import CustomerAccess
from tenants.models import Membership, Tenant, User
from tenants.throttling import spend

#: Mails of this kind to one address in one minute, whoever has them sent.
_MOST: Final = 3


@dataclass(frozen=True)
class _Invitation:
    """To whom, in whose name, and where it leads who has a password."""

    user: User
    tenant: Tenant
    place: str
    as_customer: bool


def invite_member(member: Membership, tenant: Tenant) -> None:
    """Write to a new member, once the membership is there for good."""
    place = reverse("tenant-home", args=[tenant.slug])
    _send_later(_Invitation(member.user, tenant, place, as_customer=False))


def invite_customer(login: CustomerAccess, tenant: Tenant) -> None:
    """Write to a customer who may look at one of his clients now; not from a sandbox."""
    if not tenant.is_sandbox:
        place = reverse("mine", args=[login.uuid])
        _send_later(_Invitation(login.user, tenant, place, as_customer=True))


def _send_later(invitation: _Invitation) -> None:
    if invitation.user.email:
        transaction.on_commit(partial(_send, invitation), robust=True)


def _send(invitation: _Invitation) -> None:
    """A password is asked of who has none."""
    user, tenant = invitation.user, invitation.tenant
    spent = spend([(f"invitation:{user.pk}", _MOST)])
    if spent is not None and spent.used > spent.limit:
        return  # added and removed in circles: that address has mail enough
    first, place = not user.has_usable_password(), invitation.place
    if first:
        token = PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
        place = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), token])
    told: dict[str, Any] = {
        "user": user,
        "name": (tenant.brand_name if invitation.as_customer else "") or tenant.name,
        "language": tenant.language if invitation.as_customer else "",
        # What a browser sees: a shop may ask by an address of its own.
        "link": f"{settings.VWG_PUBLIC_URL}{place}",
        "first": first,
        "as_customer": invitation.as_customer,
    }
    get_adapter().send_mail("account/email/invitation", user.email, told)
