"""The way in, and the pages where one looks after the own account. allauth does the work; its
names of URLs are kept, for it asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, re_path
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods
from django.views.generic import RedirectView

from portal.account import addresses, sessions, views
from portal.doors import signed_in

_METHODS: Final = ["GET", "HEAD", "POST"]


def own(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """A page about oneself."""

    @require_http_methods(_METHODS)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    return signed_in(page)


def entrance(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page for nobody yet: open to everybody, and kept by no cache."""

    @require_http_methods(_METHODS)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    opened.scope = "everybody"  # type: ignore[attr-defined]
    return opened


urlpatterns = [
    path("sign-in/", entrance(account.login), name="account_login"),
    path("sign-in/code/", entrance(factors.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey/", entrance(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("sign-in/inactive/", entrance(account.account_inactive), name="account_inactive"),
    # An OpenID Connect provider, where one is set.
    path("sign-in/with/<slug:provider_id>/", entrance(oidc.login), name="openid_connect_login"),
    path(
        "sign-in/with/<slug:provider_id>/back/",
        entrance(oidc.callback),
        name="openid_connect_callback",
    ),
    path(
        "sign-in/with/",
        entrance(RedirectView.as_view(pattern_name="account_login")),
        name="socialaccount_login_cancelled",
    ),
    path("sign-in/again/", own(account.reauthenticate), name="account_reauthenticate"),
    path("sign-in/again/code/", own(factors.reauthenticate), name="mfa_reauthenticate"),
    path(
        "sign-in/again/passkey/",
        own(passkeys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "sign-out/",
        entrance(account.LogoutView.as_view(http_method_names=["post"])),
        name="account_logout",
    ),
    path("password/", entrance(account.password_reset), name="account_reset_password"),
    path("password/sent/", entrance(views.sent), name="account_reset_password_done"),
    path(
        "password/done/",
        entrance(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[-\w]+)/$",
        entrance(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("account/", views.profile, name="account"),
    path("account/email/", addresses.change, name="account_email"),
    path("account/email/<str:token>/", addresses.confirm, name="account_email_confirm"),
    path("account/password/", own(account.password_change), name="account_change_password"),
    path("account/password/set/", own(account.password_set), name="account_set_password"),
    path("account/sessions/", sessions.sessions, name="usersessions_list"),
    path("account/security/", own(views.SafetyView.as_view()), name="mfa_index"),
    path("account/security/app/", own(totp.activate_totp), name="mfa_activate_totp"),
    path("account/security/app/off/", own(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "account/security/codes/",
        own(codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/security/codes/new/",
        own(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/security/codes/file/",
        own(codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path(
        "account/security/passkeys/",
        own(RedirectView.as_view(pattern_name="mfa_index")),
        name="mfa_list_webauthn",
    ),
    path("account/security/passkeys/add/", own(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "account/security/passkeys/<int:pk>/remove/",
        own(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/security/passkeys/<int:pk>/name/",
        own(passkeys.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
]
