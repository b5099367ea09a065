"""What somebody who is signed in must do before anything opens to the session."""

from __future__ import annotations

from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings

from tenants.models import User

#: Codes of refusals; the empty text is no barrier.
CHANGE_PASSWORD: Final = "password_change_required"  # noqa: S105
ADD_SECOND_FACTOR: Final = "second_factor_required"

#: Recovery codes stand in for one of these; by themselves they are no second factor.
SECOND_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def barrier(user: User) -> str:
    """The code of what is in the way."""
    if user.must_change_password:
        return CHANGE_PASSWORD
    if needs_second_factor(user) and not has_second_factor(user):
        return ADD_SECOND_FACTOR
    return ""


def needs_second_factor(user: User) -> bool:
    """Whether this installation asks it of somebody like this."""
    return bool(settings.VWG_OPERATORS_NEED_SECOND_FACTOR and user.is_operator)


def has_second_factor(user: User) -> bool:
    """Whether a password alone does not open this account."""
    return bool(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists())
