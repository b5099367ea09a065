"""A token's scopes, in short."""

from __future__ import annotations

from django import template

from tenants.permissions import EVERYTHING

register = template.Library()
_SHOWN = 3


@register.filter
def scopes_told(scopes: list[str]) -> str:
    """The first few, and how many more there are; ``*`` for everything."""
    if EVERYTHING in scopes:
        return EVERYTHING
    more = len(scopes) - _SHOWN
    return ", ".join(scopes[:_SHOWN]) + (f" +{more}" if more > 0 else "")
