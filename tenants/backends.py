"""Who a name and a password belong to; and what operators may do in the admin site, by their level
and not by Django's permission rows.
"""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import BaseBackend

from tenants.models import User


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    """By user name or e-mail address. An account that is found both ways is tried once: else the
    time of a refusal would tell that the address has an account.
    """

    def __init__(self) -> None:
        self._tried: dict[int, User | None] = {}  # a backend is made for each try

    def _check_password(self, user: User | None, password: str) -> User | None:
        if user is None:
            return None
        if user.pk not in self._tried:
            self._tried[user.pk] = super()._check_password(user, password)
        return self._tried[user.pk]


class OperatorBackend(BaseBackend):
    """Full operators may do everything that an admin page offers, read-only ones may look."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not getattr(user_obj, "is_operator", False):
            return False
        if user_obj.operator == User.Operator.FULL:
            return True
        return perm.partition(".")[2].startswith("view_")

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Asked by the admin's index (`ModelBackend` offers it, the base class does not)."""
        return bool(getattr(user_obj, "is_operator", False))
