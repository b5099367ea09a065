"""For whom a request acts: the one place that turns a request into a tenant and an actor."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from audit.events import Actor
from audit.models import Erasure
from tenants import row_security
from tenants.models import DEFAULT_TENANT, ApiToken, Membership, Tenant, User

READ_ONLY: Final = str(User.Operator.READ_ONLY)
FULL: Final = str(User.Operator.FULL)
TENANT_HEADER: Final = "X-VWG-Tenant"
M = TypeVar("M", bound=Model)
_CACHE: Final = "_vwg_caller"


#: Set on a token by whoever read its owner's role together with it (`tenants.authentication`).
ROLE_KNOWN: Final = "member_role"


@dataclass(frozen=True)
class Caller:
    """Who asks, and for which tenant.

    ``operator`` is "", "read-only" or "full"; ``role`` is the member's role in ``tenant``, "" for
    a token that belongs to no person and for operators. ``scopes`` are the token's own, ``*`` for
    a session: `tenants.permissions.may` weighs all three. ``tenant.is_sandbox`` tells a sandbox.
    """

    tenant: Tenant
    operator: str
    scopes: frozenset[str]
    actor: Actor
    role: str = ""
    token: ApiToken | None = None
    user: User | None = None

    @property
    def tenant_id(self) -> int:
        """The primary key of the acting tenant."""
        return int(self.tenant.pk)


def caller_of(request: HttpRequest | Request, slug: str | None = None) -> Caller:
    """The caller of a request, found once per request.

    ``slug`` (a page's address) or else the header ``X-VWG-Tenant`` names the acting tenant: any
    one for an operator, one of their own for a member of several. Raises NotAuthenticated for
    nobody; PermissionDenied for a person without a tenant, for a suspended or closed tenant
    (codes ``tenant_suspended`` and ``tenant_closed``), for an operator's write in the name of an
    erased one (``tenant_erased``) and for a name of a tenant that the caller does not belong to
    (``not_your_tenant``); ParseError for an operator's name of none.
    """
    cached: Caller | None = vars(request).get(_CACHE)
    if cached is None:
        cached = _find(request, slug)
        if request.method not in SAFE_METHODS and cached.tenant.status == Tenant.Status.CLOSED:
            _refuse_erased(cached.tenant)
        setattr(request, _CACHE, cached)
        row_security.reach(tenant=row_security.EVERY if cached.operator else str(cached.tenant_id))
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


def _find(request: HttpRequest | Request, slug: str | None) -> Caller:
    user: Any = request.user
    if not user.is_authenticated:
        raise NotAuthenticated
    token: ApiToken | None = getattr(request, "auth", None)
    address = client_address(request)
    if token is not None:
        return _of_token(token, request, address)
    return _of_user(user, slug or request.headers.get(TENANT_HEADER), address)


def _of_token(token: ApiToken, request: HttpRequest | Request, address: str | None) -> Caller:
    user = token.user
    operator, role = (FULL if token.operator else ""), ""
    if user is not None:
        operator = user.operator if token.operator and user.is_operator else ""
        role = "" if operator else _role(token, user)
    actor = Actor("token", str(token.uuid), token.name, address, bool(operator))
    tenant = token.tenant
    slug = request.headers.get(TENANT_HEADER)
    if operator:
        row_security.reach(tenant=row_security.EVERY)
        tenant = tenant if slug is None else _named(slug)
    elif slug not in (None, tenant.slug):
        raise _not_yours()
    else:
        refuse_inactive(tenant.status)
    return Caller(tenant, operator, frozenset(token.scopes), actor, role, token, user)


def _of_user(user: User, slug: str | None, address: str | None) -> Caller:
    everything = frozenset({"*"})
    actor = Actor("user", str(user.uuid), user.get_username(), address, user.is_operator)
    row_security.reach(user=str(user.pk))
    if user.is_operator:
        row_security.reach(tenant=row_security.EVERY)
        tenant = _default() if slug is None else _named(slug)
        return Caller(tenant, user.operator, everything, actor, user=user)
    tenant, role = _chosen(user, slug)
    return Caller(tenant, "", everything, actor, role, user=user)


def memberships_of(user: User) -> list[Membership]:
    """The user's memberships with their tenants and those tenants' sandboxes, oldest first."""
    return list(user.memberships.select_related("tenant__sandbox").order_by("pk"))


def sandbox_of(tenant: Tenant) -> Tenant | None:
    """The tenant's twin for integrators, if there is one."""
    return getattr(tenant, "sandbox", None)


def is_erased(tenant_id: int) -> bool:
    """Whether the tenant was erased. Of closed tenants alone is it asked: no other can be."""
    return Erasure.objects.filter(tenant_id=tenant_id).exists()


def refuse_inactive(status: str) -> None:
    """Raise PermissionDenied unless this is the status of a tenant that works."""
    if status != Tenant.Status.ACTIVE:
        raise PermissionDenied(f"The tenant is {status}.", code=f"tenant_{status}")


def _refuse_erased(tenant: Tenant) -> None:
    if is_erased(tenant.pk):
        raise PermissionDenied("The tenant is erased.", code="tenant_erased")


def _chosen(user: User, slug: str | None) -> tuple[Tenant, str]:
    """The tenant of a member's session and the role in it: the one that is named, else the first
    that is active. Members of a tenant have the same role in its sandbox.
    """
    memberships = memberships_of(user)
    if not memberships:
        raise PermissionDenied("You are not a member of any tenant.")
    first = next((m for m in memberships if m.tenant.status == "active"), memberships[0])
    choices = {m.tenant.slug: (m, m.tenant) for m in memberships}
    twins = [(m, sandbox_of(m.tenant)) for m in memberships]
    choices |= {twin.slug: (m, twin) for m, twin in twins if twin is not None}
    chosen = (first, first.tenant) if slug is None else choices.get(slug)
    if chosen is None:
        raise _not_yours()
    membership, tenant = chosen
    refuse_inactive(membership.tenant.status)
    refuse_inactive(tenant.status)
    return tenant, membership.role


def _role(token: ApiToken, user: User) -> str:
    known = vars(token)
    if ROLE_KNOWN not in known:
        home = token.tenant.sandbox_of_id or token.tenant_id
        rows = Membership.objects.filter(user=user, tenant_id=home)
        known[ROLE_KNOWN] = rows.values_list("role", flat=True).first()
    role: str | None = known[ROLE_KNOWN]
    if not role:
        raise PermissionDenied("The owner of this token is not a member of its tenant.")
    return role


def _not_yours() -> PermissionDenied:
    return PermissionDenied(
        f"You do not belong to the tenant that {TENANT_HEADER} names.", code="not_your_tenant"
    )


def _default() -> Tenant:
    own = Tenant.objects.filter(slug=DEFAULT_TENANT).first()
    if own is None:
        raise PermissionDenied("There is no default tenant; name one in X-VWG-Tenant.")
    return own


def _named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first() if slug.isprintable() else None
    if tenant is None:
        raise ParseError(f"{TENANT_HEADER} names no tenant.")
    return tenant
