"""The profile: who one is and how the pages read; and the two choices below every page."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.views import IndexView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from portal.account.forms import ProfileForm
from portal.cookies import keep_theme, theme_of
from portal.doors import actor_of, me, oneself, signed_in
from resellers.services.people import update_profile
from rest.errors import Refusal
from tenants.barriers import needs_second_factor
from tenants.models import User


class SafetyView(IndexView):  # type: ignore[misc]
    """What guards the account, and whether more must."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["must_add"] = needs_second_factor(me(self.request))
        return context


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change it."""
    user = me(request)
    kept = {name: getattr(user, name) for name in ProfileForm.base_fields}
    kept["theme"] = user.theme or theme_of(request) or User.Theme.SYSTEM
    form = ProfileForm(request.POST or None, initial=kept)
    if request.method == "POST" and form.is_valid():
        try:
            changed = update_profile(
                user=user, changes=form.cleaned_data, actor=actor_of(request, user)
            )
        except Refusal as refused:
            form.add_error(refused.field, refused.message)
        else:
            with override(changed.language or None):
                messages.success(request, _("Your profile is saved."))
            response = redirect("account")
            keep_theme(request, response, changed.theme)
            return response
    status = 400 if form.is_bound else 200
    context = {"form": form, "clock": clock()}
    return render(request, "account/profile.html", context, status=status)


@require_http_methods(["GET", "HEAD"])
def sent(request: HttpRequest) -> HttpResponse:
    """What follows a forgotten password: the same for every address."""
    return render(
        request, "account/password_reset_done.html", {"by_file": not settings.VWG_EMAIL_URL}
    )


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie, and with the account of who is signed in."""
    response = set_language(request)
    _keep(request, "language")
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme likewise; anything but light and dark means: as the system."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = HttpResponseRedirect(target if safe else "/")
    _keep(request, "theme")
    keep_theme(request, response, request.POST.get("theme", ""))
    return response


def _keep(request: HttpRequest, name: str) -> None:
    user: User | None = oneself(request)
    if user is None:
        return
    try:
        update_profile(
            user=user, changes={name: request.POST.get(name, "")}, actor=actor_of(request, user)
        )
    except Refusal:
        return  # a word that no button of ours sends
