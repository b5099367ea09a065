"""What operators may do in the admin site, by their level and not by Django's permission rows."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from tenants.models import User


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
