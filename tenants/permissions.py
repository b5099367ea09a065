"""Who may do what: scopes and roles as data, and the one permission class.

A view says what each of its methods needs::

    scopes = {"GET": "clients:read", "POST": "clients:write"}
    operator_only = False  # or operator_methods = ("POST",)

A view that says nothing is refused: forgetting fails closed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.models import Membership
from tenants.scoping import FULL, READ_ONLY, Caller, caller_of

if TYPE_CHECKING:  # REST framework imports this module while it imports its views
    from rest_framework.views import APIView

SCOPES: Final[Mapping[str, str]] = {
    "clients:read": "see clients, their devices and usage",
    "clients:write": "create, change and delete clients and devices",
    "configs:read": "download configuration files, which hold private keys",
    "interfaces:read": "see gateways and interfaces and how they are",
    "interfaces:write": "change gateways and interfaces, apply what is open",
    "jobs:read": "see what became of changes",
    "audit:read": "see who did what",
    "tokens:read": "see API tokens, never their text",
    "tokens:write": "issue and revoke API tokens",
    "tenants:read": "see the tenant and its members",
    "tenants:write": "change the tenant and its members",
    "plans:read": "see plans",
    "plans:write": "change plans",
    "members:read": "see who may act for the tenant",
    "members:write": "change who may act for the tenant",
    "usage:read": "see what clients used",
    "webhooks:write": "change webhooks",
    "settings:read": "see the global settings",
    "settings:write": "change the global settings",
}
EVERYTHING: Final = "*"
READS: Final = "*:read"
#: What a view declares that every caller may use who has a tenant. It is no scope of a token's.
ANYBODY: Final = "anybody"

#: What only owners do: it decides who else may do what.
OWNERS_ONLY: Final = frozenset({"tokens:write", "members:write", "tenants:write"})
#: A file holds the customer's private key: whoever may only look does not need it.
_LOOKING: Final = frozenset(
    scope for scope in SCOPES if scope.endswith(":read") and scope != "configs:read"
)

#: What a role may do in its tenant.
ROLE_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    Membership.Role.OWNER: frozenset({EVERYTHING}),
    Membership.Role.MANAGER: frozenset(SCOPES) - OWNERS_ONLY,
    Membership.Role.VIEWER: _LOOKING,
}
#: What an operator's level may do in every tenant.
OPERATOR_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    READ_ONLY: _LOOKING,
    FULL: frozenset({EVERYTHING}),
}


def covers(granted: Collection[str], scope: str) -> bool:
    """Whether one of the granted scopes covers this one. ``*`` covers all, ``*:read`` all reads."""
    if EVERYTHING in granted or scope in granted:
        return True
    return READS in granted and scope.endswith(":read")


def spelled_out(granted: Collection[str]) -> frozenset[str]:
    """Every single scope that these cover."""
    return frozenset(scope for scope in SCOPES if covers(granted, scope))


def may(caller: Caller, scope: str) -> bool:
    """Whether the caller may do what needs ``scope``: token, role and operator level all agree."""
    ceiling = ceiling_of(caller)
    return covers(caller.scopes, scope) and (ceiling is None or covers(ceiling, scope))


def ceiling_of(caller: Caller) -> frozenset[str] | None:
    """What the caller's level or role allows whatever the token says; None for a machine."""
    if caller.operator:
        return OPERATOR_SCOPES[caller.operator]
    return ROLE_SCOPES[caller.role] if caller.role else None


def granted_scopes(caller: Caller) -> frozenset[str]:
    """Every single scope that the caller has, all things weighed."""
    return frozenset(scope for scope in SCOPES if may(caller, scope))


class ScopeMissing(PermissionDenied):
    """403 that names the scope which would do, in the words of RFC 6750 too."""

    def __init__(self, scope: str, caller: Caller) -> None:
        super().__init__(_without(scope, caller))
        if caller.token is not None:
            self.auth_header = f'Bearer realm="vwg", error="insufficient_scope", scope="{scope}"'


class Scoped(BasePermission):
    """Lets a caller through whose token, role and operator level cover the view's declaration."""

    message = "You may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not getattr(request.user, "is_authenticated", False):
            raise NotAuthenticated
        method = request.method or ""
        if method != "OPTIONS" and not hasattr(view, method.lower()):
            raise MethodNotAllowed(method)
        needed = needed_scope(view, method)
        if needed is None:
            return False
        caller = caller_of(request)
        if for_operators(view, method) and not caller.operator:
            raise PermissionDenied("Only operators may do this.")
        if caller.operator == READ_ONLY and method not in SAFE_METHODS:
            raise PermissionDenied("You may look, and change nothing.")
        if needed != ANYBODY and not may(caller, needed):
            raise ScopeMissing(needed, caller)
        return True


def for_operators(view: Any, method: str) -> bool:
    """Whether a method of a view (class or instance) is for operators alone."""
    return getattr(view, "operator_only", False) or method in getattr(view, "operator_methods", ())


def _without(scope: str, caller: Caller) -> str:
    """Why the caller may not do what needs ``scope``."""
    if not covers(caller.scopes, scope):
        return f"This needs a token with the scope {scope}."
    return f"This needs the scope {scope}, which your role does not have."


def needed_scope(view: Any, method: str) -> str | None:
    """The scope a view (class or instance) declares for a method; None when it declares none."""
    declared: Mapping[str, str] = getattr(view, "scopes", {})
    if method in ("HEAD", "OPTIONS"):
        return declared.get("GET") or next(iter(declared.values()), None)
    return declared.get(method)
