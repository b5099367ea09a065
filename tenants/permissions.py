"""Who may do what."""

from rest_framework.permissions import BasePermission


class Scoped(BasePermission):
    """Scopes of tokens, roles of members."""
