"""Another e-mail address for the own account: it counts once its owner has opened the link there.

Until then nothing of it is kept: the link holds it, signed, and stops to work with the next
address or password of the account, and after a day. The old address is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from portal.doors import actor_of, me, signed_in
from portal.forms import PageForm
from resellers.services.people import change_email, check_address
from rest.errors import Refusal
from tenants import row_security
from tenants.models import User
from tenants.throttling import spend

_SALT: Final = "vwg.email"
_LASTS_S: Final = 24 * 3600
#: Mails of one account, and to one address, in a minute.
_MOST: Final = 3


@dataclass(frozen=True)
class Wish:
    """Who wants which address."""

    user: User
    email: str


class EmailForm(PageForm):
    """The address."""

    email = forms.CharField(
        label=gettext_lazy("New e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        try:
            return check_address(self.cleaned_data["email"], "email")
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from None


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@reauthentication_required  # type: ignore[untyped-decorator]
def change(request: HttpRequest) -> HttpResponse:
    """Ask for it, and write to it. What is said is the same whether others have it or not."""
    user = me(request)
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        spent = spend([(f"email:{user.pk}", _MOST), (f"email-to:{email.lower()}", _MOST)])
        if spent is not None and spent.used > spent.limit:
            form.add_error(None, _("Too many tries. Wait a few minutes."))
        elif email == user.email:
            form.add_error("email", _("This is your address already."))
        else:
            _write(Wish(user, email))
            text = _("A mail is on its way to %s: the address counts once its link is opened.")
            messages.success(request, text % email)
            return redirect("account")
    status = 400 if form.is_bound else 200
    context = {"form": form, "by_file": not settings.VWG_EMAIL_URL}
    return render(request, "account/email_change.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail: a question, for programs that look into mail open links; then it."""
    wish = _read(token)
    if wish is None:
        return render(request, "account/email_over.html", status=404)
    refused = ""
    if request.method == "POST":
        row_security.reach(user=str(wish.user.pk))
        old, actor = wish.user.email, actor_of(request, wish.user)
        try:
            user = change_email(user=wish.user, email=wish.email, actor=actor)
        except Refusal as refusal:
            refused = refusal.message
        else:
            told = {"user": user, "kind": "email", "at": clock(), "from": actor.address}
            if old:
                get_adapter().send_mail("account/email/notice", old, told)
            return render(request, "account/email_done.html", {"email": user.email})
    context = {"wish": wish, "refusal": refused}
    return render(request, "account/email_confirm.html", context, status=409 if refused else 200)


confirm.scope = "everybody"  # type: ignore[attr-defined]


def _write(wish: Wish) -> None:
    told: dict[str, Any] = {"u": str(wish.user.uuid), "e": wish.email, "s": _state(wish.user)}
    place = reverse("account_email_confirm", args=[signing.dumps(told, salt=_SALT)])
    context = {"user": wish.user, "link": f"{settings.VWG_PUBLIC_URL}{place}"}
    get_adapter().send_mail("account/email/address", wish.email, context)


def _read(token: str) -> Wish | None:
    """What the link says, while the account is as it was when the link was made."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=_LASTS_S)
    except signing.BadSignature:
        return None
    user = User.objects.filter(uuid=UUID(told["u"]), is_active=True).first()
    if user is None or not constant_time_compare(told["s"], _state(user)):
        return None
    return Wish(user, told["e"])


def _state(user: User) -> str:
    """Changes with the address and with the password."""
    return salted_hmac(_SALT, f"{user.email}|{user.password}").hexdigest()[:32]
