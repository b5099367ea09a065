"""The admin site, behind the same door as the portal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import pgettext_lazy

from tenants import row_security


class VwgAdminSite(AdminSite):
    """For operators. It has no password form of its own, so throttling and second factors hold."""

    site_header = site_title = "vwg"
    index_title = pgettext_lazy("admin", "Operation")

    def has_permission(self, request: HttpRequest) -> bool:
        may = bool(getattr(request.user, "is_operator", False))
        if may:
            row_security.reach(tenant=row_security.EVERY)
        return may

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the portal's sign-in; who is signed in and gets here may not see this."""
        if request.user.is_authenticated:
            raise PermissionDenied
        target = request.GET.get("next") or request.get_full_path()
        return redirect_to_login(target, resolve_url(settings.LOGIN_URL))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own password is changed in the portal, whose rules hold for it."""
        return redirect("account_change_password")
