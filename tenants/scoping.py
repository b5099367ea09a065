"""For whom a request acts: the one place that turns a request into a tenant and an actor."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied
from rest_framework.request import Request

from audit.events import Actor
from audit.models import AuditEvent
from tenants.models import DEFAULT_TENANT, ApiToken, Membership, Tenant, User

READ_ONLY: Final = str(User.Operator.READ_ONLY)
FULL: Final = str(User.Operator.FULL)
TENANT_HEADER: Final = "X-VWG-Tenant"
M = TypeVar("M", bound=Model)
_CACHE: Final = "_vwg_caller"


@dataclass(frozen=True)
class Caller:
    """Who asks, and for which tenant.

    ``operator`` is "", "read-only" or "full"; ``role`` is the member's role in ``tenant``, "" for
    a token that belongs to no person and for operators. ``scopes`` are the token's own, ``*`` for
    a session: `tenants.permissions.may` weighs all three.
    """

    tenant: Tenant
    operator: str
    scopes: frozenset[str]
    actor: Actor
    role: str = ""

    @property
    def tenant_id(self) -> int:
        """The primary key of the acting tenant."""
        return int(self.tenant.pk)


def caller_of(request: HttpRequest | Request) -> Caller:
    """The caller of a request, found once per request.

    Raises NotAuthenticated for nobody, PermissionDenied for a person without a tenant, for a
    suspended or closed tenant, and for a tenant header from anyone but an operator; ParseError
    for a tenant header that names none.
    """
    cached: Caller | None = vars(request).get(_CACHE)
    if cached is None:
        cached = _find(request)
        setattr(request, _CACHE, cached)
    return cached


def visible(rows: QuerySet[M], caller: Caller) -> QuerySet[M]:
    """Those of the rows (of a model with ``tenant``) that belong to the acting tenant."""
    return rows.filter(tenant_id=caller.tenant_id)


def client_address(request: HttpRequest | Request) -> str | None:
    """The caller's IP address. ``X-Forwarded-For`` counts only behind a proxy of our own, and of
    it only the last entry, which that proxy wrote.
    """
    text = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        text = str(request.META.get("HTTP_X_FORWARDED_FOR", text)).rpartition(",")[2].strip()
    try:
        return str(ip_address(text))
    except ValueError:
        return None  # a unix socket has no address


def _find(request: HttpRequest | Request) -> Caller:
    user: Any = request.user
    if not user.is_authenticated:
        raise NotAuthenticated
    token: ApiToken | None = getattr(request, "auth", None)
    address = client_address(request)
    if token is not None:
        return _of_token(token, request, address)
    return _of_user(user, request, address)


def _of_token(token: ApiToken, request: HttpRequest | Request, address: str | None) -> Caller:
    actor = Actor(AuditEvent.Actor.TOKEN, str(token.uuid), token.name, address)
    operator, role = (FULL if token.operator else ""), ""
    if token.user is not None:
        operator = token.user.operator if token.operator and token.user.is_operator else ""
        role = "" if operator else _role(token.user, token.tenant)
    tenant = _acting(token.tenant, operator, request)
    return Caller(tenant, operator, frozenset(token.scopes), actor, role)


def _of_user(user: User, request: HttpRequest | Request, address: str | None) -> Caller:
    actor = Actor(AuditEvent.Actor.USER, str(user.uuid), user.get_username(), address)
    everything = frozenset({"*"})
    if user.is_operator:
        own = Tenant.objects.filter(slug=DEFAULT_TENANT).first()
        if own is None:
            raise PermissionDenied("There is no default tenant; name one in X-VWG-Tenant.")
        return Caller(_acting(own, user.operator, request), user.operator, everything, actor)
    membership = user.memberships.select_related("tenant").order_by("pk").first()
    if membership is None:
        raise PermissionDenied("You are not a member of any tenant.")
    tenant = _acting(membership.tenant, "", request)
    return Caller(tenant, "", everything, actor, membership.role)


def _role(user: User, tenant: Tenant) -> str:
    membership = Membership.objects.filter(user=user, tenant=tenant).first()
    if membership is None:
        raise PermissionDenied("The owner of this token is not a member of its tenant.")
    return membership.role


def _acting(own: Tenant, operator: str, request: HttpRequest | Request) -> Tenant:
    slug = request.headers.get(TENANT_HEADER)
    if slug is None or (not operator and slug == own.slug):
        tenant = own
    elif not operator:
        raise PermissionDenied(f"{TENANT_HEADER} is for operators.")
    else:
        tenant = _named(slug)
    if tenant.status != Tenant.Status.ACTIVE and not operator:
        raise PermissionDenied(f"The tenant is {tenant.status}.")
    return tenant


def _named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first() if slug.isprintable() else None
    if tenant is None:
        raise ParseError(f"{TENANT_HEADER} names no tenant.")
    return tenant
