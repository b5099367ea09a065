"""The mail that a new member gets: where to sign in, and how to choose a first password.

The link goes to the address alone, never to who invites: whoever could see it would hold the
account of somebody who may be a member elsewhere too.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.http import HttpRequest
from django.urls import reverse

from tenants.models import Tenant, User


def invite(*, request: HttpRequest, user: User, tenant: Tenant) -> None:
    """Write to the member, if there is an address. A password is asked of who has none."""
    if not user.email:
        return
    adapter = get_adapter(request)
    link = request.build_absolute_uri(reverse("tenant-home", args=[tenant.slug]))
    if not user.has_usable_password():
        token = PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
        link = adapter.get_reset_password_from_key_url(f"{user_pk_to_url_str(user)}-{token}")
    told = {"user": user, "tenant": tenant, "link": link, "first": not user.has_usable_password()}
    adapter.send_mail("account/email/invitation", user.email, told)
