"""django-allauth's rules for this site: who gets in, what is told to whom, what is written down."""

from __future__ import annotations

import logging
from typing import Any, Final

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now as clock
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from audit.events import Actor
from portal import mail
from resellers.services.people import note_security, set_password
from tenants import row_security
from tenants.barriers import SECOND_FACTORS, needs_second_factor
from tenants.models import User
from tenants.scoping import client_address
from vault.rings import gateway_ring

logger = logging.getLogger("vwg.tenants")

#: What allauth tells the owner of an account by mail, as the audit has it. A new password has its
#: event from the service that sets it.
_NOTED: Final = {
    "mfa/email/totp_activated": "user.totp_added",
    "mfa/email/totp_deactivated": "user.totp_removed",
    "mfa/email/webauthn_added": "user.passkey_added",
    "mfa/email/webauthn_removed": "user.passkey_removed",
    "mfa/email/recovery_codes_generated": "user.recovery_codes_made",
}
_SEALED_FOR: Final = "mfa_authenticator|data"
_NO: Final = _("That did not work. Check the name and the password.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by operators and tenant owners: nobody signs up by himself."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _NO,
        "email_password_mismatch": _NO,
        "invalid_login": _NO,
        "too_many_login_attempts": _("Too many tries. Sign-in pauses for 5 minutes."),
        "enter_current_password": _("This is not your present password."),
        "incorrect_password": _("This is not your password."),
        "incorrect_code": _("This code is not right, or has been used."),
        "rate_limited": _("Too many tries. Wait a few minutes."),
        "same_as_current": _("This is the password you have. Choose another one."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say from where, once a try: tries are limited. The name may be a mistyped password."""
        logger.warning("a sign-in from %s was refused", client_address(request))

    def get_client_ip(self, request: HttpRequest) -> str:
        """A unix socket has no address; what counts tries then counts them together."""
        return client_address(request) or "::"

    def set_password(self, user: User, password: str) -> None:
        row_security.reach(user=str(user.pk))
        set_password(user=user, password=password, actor=_oneself(self.request, user))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand it over: the answer must not wait, and not tell by its time whether one was sent."""
        message = self.written(template_prefix, email, context)
        if context.get("user") is None or context["user"].pk:
            mail.send(message)

    def written(self, template_prefix: str, email: str, context: dict[str, Any]) -> EmailMessage:
        """The mail, in the language of who gets it; else in the one that ``context`` names."""
        user = context.get("user")
        language = getattr(user, "language", "") or context.get("language") or None
        with override(language):
            message: EmailMessage = self.render_mail(template_prefix, email, context)
        return message

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Write down what changed about an account's safety, and tell its owner."""
        row_security.reach(user=str(user.pk))
        actor = _oneself(self.request, user)
        if template_prefix in _NOTED:
            note_security(user=user, action=_NOTED[template_prefix], actor=actor)
        if user.email:
            told = {"user": user, "kind": template_prefix, "at": clock(), "from": actor.address}
            self.send_mail("account/email/notice", user.email, told)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are sealed, the QR code drawn as all others; the last factor may have to stay."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": _("An operator's account keeps a second factor here."),
    }

    def get_totp_issuer(self) -> str:
        return f"vwg {self._get_site_name()}"

    def build_totp_svg(self, url: str) -> str:
        drawn: str = segno.make(url, error="m", mask=2).svg_inline(border=2, light="#fff")
        return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)

    def encrypt(self, text: str) -> str:
        return gateway_ring().seal(text, place=_SEALED_FOR)

    def decrypt(self, encrypted_text: str) -> str:
        return gateway_ring().open(encrypted_text, place=_SEALED_FOR)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        if not needs_second_factor(authenticator.user):
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=SECOND_FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        return ""


class OutsideAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-in by OpenID Connect opens accounts that are there; it makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False


def _oneself(request: HttpRequest, user: User) -> Actor:
    address = client_address(request)
    return Actor("user", str(user.uuid), user.get_username(), address, user.is_operator)
