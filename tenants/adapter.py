"""django-allauth's rules for this site: nobody signs up by himself."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from tenants.scoping import client_address

logger = logging.getLogger("vwg.tenants")


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by operators and tenant owners."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say from where, once a try: tries are limited. The name may be a mistyped password."""
        logger.warning("a sign-in from %s was refused", client_address(request))
