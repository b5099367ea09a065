"""django-allauth's rules for this site: nobody signs up by himself."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by operators and tenant owners."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
