"""Bearer tokens and sessions: who a request comes from."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from tenants import row_security
from tenants.barriers import ADD_SECOND_FACTOR, CHANGE_PASSWORD, barrier
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.prepared import Prepared
from tenants.scoping import ROLE_KNOWN, client_address, refuse_inactive
from tenants.tokens import MAX_TEXT, matches, prefix_of

_REALM: Final = 'Bearer realm="vwg"'
_USED_EVERY: Final = timedelta(minutes=1)
#: One text for every token that is refused: it tells nothing about which tokens exist.
_REFUSED: Final = "The token is unknown, expired, revoked, or not valid from this address."
#: Of its form alone, before anything is looked up: that tells nothing either.
_MALFORMED: Final = (
    f"The token is malformed: it has {MAX_TEXT} characters and begins with vwg_. "
    "Perhaps it was cut off, or something was copied with it."
)
_BARRIERS: Final = {
    CHANGE_PASSWORD: "Change your password in the portal first.",
    ADD_SECOND_FACTOR: "Add a second factor to your account in the portal first.",
}
_IN_URL: Final = frozenset({"token", "access_token", "api_key", "apikey", "authorization"})


class TokenUser(AnonymousUser):
    """Whoever holds a token that belongs to no person."""

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.username: str = token.name  # type: ignore[assignment]

    @property
    def is_authenticated(self) -> Any:
        return True

    @property
    def is_anonymous(self) -> Any:
        return False

    def __str__(self) -> str:
        return str(self.token)


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer vwg_…``. Sets ``request.auth`` to the ApiToken.

    Anything but one good token is 401 with a challenge; a good token of a tenant that is
    suspended or closed is 403. A request without the header is left to the next class.
    """

    def authenticate(self, request: Request) -> tuple[User | TokenUser, ApiToken] | None:
        if _IN_URL & {name.lower() for name in request.query_params}:
            raise AuthenticationFailed("A token belongs into the Authorization header.")
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        text = _bearer(str(header))
        at = timezone.now()
        token = _find(text)
        if token is None or not _is_good(token, text, client_address(request), at):
            raise AuthenticationFailed(_REFUSED)
        if not token.operator:
            refuse_inactive(token.tenant.status)
        _note_use(token, client_address(request), at)
        return token.user or TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return _REALM


class SessionAuthentication(authentication.SessionAuthentication):
    """The portal's session. A write needs the CSRF token: 403 without.

    What stands before the pages stands before it too (`tenants.barriers`).
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found: tuple[User, None] | None = super().authenticate(request)
        code = "" if found is None else barrier(found[0])
        if code:
            raise PermissionDenied(_BARRIERS[code], code=code)
        return found

    def authenticate_header(self, request: Request) -> str:
        return _REALM


def _bearer(header: str) -> str:
    """The text of the one token in the header, or AuthenticationFailed."""
    scheme, _, text = header[:200].partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationFailed("The Authorization header must be: Bearer vwg_…")
    if len(header) > 200 or not prefix_of(text):
        raise AuthenticationFailed(_MALFORMED)
    return text


#: What every request may ask of its tenant without another query.
_TENANT: Final = (
    "slug",
    "name",
    "status",
    "max_clients",
    "max_devices_per_client",
    "max_bytes_per_period",
    "pool_counts",
    "pool_stops",
    "max_speed_kbit",
    "limits_interfaces",
    "limits_pools",
    "requests_per_minute",
    "config_prefix",
    "timezone",
    "language",
    "sandbox_of__status",
)
_USER: Final = ("username", "is_active", "operator")


def _with_owner(prefix: str) -> QuerySet[ApiToken]:
    """A sandbox leans on its tenant: on that one's status, and on who its members are."""
    roles = Membership.objects.filter(
        user=OuterRef("user"), tenant=Coalesce(OuterRef("tenant__sandbox_of"), OuterRef("tenant"))
    )
    own = [field.attname for field in ApiToken._meta.concrete_fields]
    return (
        ApiToken.objects.filter(prefix=prefix)
        .select_related("tenant__sandbox_of", "user")
        .only(
            *own,
            *(f"tenant__{name}" for name in _TENANT),
            *(f"user__{name}" for name in _USER),
        )
        .annotate(**{ROLE_KNOWN: Subquery(roles.values("role")[:1])})
    )


#: Every request runs this one.
_BY_PREFIX: Final = Prepared(_with_owner, str)


def _find(text: str) -> ApiToken | None:
    """The token with its tenant, its owner and the owner's role; further columns on demand."""
    prefix = prefix_of(text) or ""
    row_security.reach(token=prefix)
    token = _BY_PREFIX.first(prefix)
    if token is not None:
        parent = token.tenant.sandbox_of
        if parent is not None and parent.status != Tenant.Status.ACTIVE:
            token.tenant.status = parent.status
    return token


def _is_good(token: ApiToken, text: str, address: str | None, at: datetime) -> bool:
    if not matches(token, text) or token.revoked_at is not None:
        return False
    if token.expires_at is not None and token.expires_at <= at:
        return False
    if token.user is not None and not token.user.is_active:
        return False
    if not token.allowed_cidrs:
        return True
    if address is None:
        return False
    return any(ip_address(address) in ip_network(cidr) for cidr in token.allowed_cidrs)


def _note_use(token: ApiToken, address: str | None, at: datetime) -> None:
    """Remember the use, at most once a minute: a read must not cost a write each time."""
    if token.last_used_at is not None and at - token.last_used_at < _USED_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - _USED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at, last_used_ip=address)
