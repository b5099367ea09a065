"""Issuing, changing and revoking API tokens. Nobody hands out more than he has himself.

More is: a scope that he has not; with a token that is tied to networks, expires or is slowed, one
that is less so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit.events import record
from peers.services.limits import refuse_erased
from peers.values import check_name
from resellers.queries import visible_tokens
from resellers.services.members import find_member
from resellers.services.sandbox import ensure_sandbox
from rest.errors import Conflict, Forbidden, Invalid, Missing
from rest.values import checked_by
from tenants.models import ApiToken, User
from tenants.permissions import EVERYTHING, READS, SCOPES, may, spelled_out
from tenants.scoping import FULL, Caller
from tenants.tokens import issue, revoke, target_of
from wireguard.allowed_ips import check_network

NO_TOKEN: Final = "There is no such token."  # noqa: S105  a sentence
MAX_CIDRS: Final = 50


@dataclass(frozen=True)
class TokenWish:
    """What a new token should be. ``user_id`` names a member, ``mine`` the caller's person.

    ``sandbox`` of None is the kind that the caller's own tenant is.
    """

    name: str
    scopes: Sequence[str]
    allowed_cidrs: Sequence[str] = ()
    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    user_id: UUID | None = None
    mine: bool = False
    sandbox: bool | None = None
    operator: bool = False


@transaction.atomic
def issue_token(*, caller: Caller, wish: TokenWish, at: datetime) -> tuple[ApiToken, str]:
    """Make a token for the acting tenant, or for its sandbox; return it with its text.

    The first one for a sandbox makes the sandbox: an act of its own, with an event of its own.
    Raises `Invalid`, `Missing` (no such member), `Conflict` (``name_taken``, ``is_sandbox`` where
    a sandbox asks for one of its tenant) and `Forbidden` (a token for operators, from anybody but
    a full operator).
    """
    if wish.operator and caller.operator != FULL:
        raise Forbidden("Only operators issue tokens for operators.", field="operator")
    if wish.operator and (wish.sandbox or caller.tenant.is_sandbox):
        raise Invalid("A sandbox has no operators.", field="sandbox", code="sandbox_operator")
    if wish.sandbox is False and caller.tenant.is_sandbox:
        raise Conflict("A sandbox issues its own tokens alone.", field="sandbox", code="is_sandbox")
    name = check_name(wish.name)
    scopes = _check_scopes(caller, wish.scopes)
    cidrs = _check_cidrs(caller, wish.allowed_cidrs)
    expires_at = _check_expiry(caller, wish.expires_at, at)
    rate = _check_rate(caller, wish.requests_per_minute)
    user = _owner(caller, wish)
    tenant = caller.tenant
    if wish.sandbox and not tenant.is_sandbox:
        tenant = ensure_sandbox(tenant=tenant, actor=caller.actor, at=at)
    refuse_erased(caller.tenant_id)
    _refuse_taken(tenant.pk, name)
    return issue(
        tenant=tenant,
        name=name,
        scopes=scopes,
        operator=wish.operator,
        user=user,
        expires_at=expires_at,
        allowed_cidrs=cidrs,
        requests_per_minute=rate,
        actor=caller.actor,
        book=caller.tenant_id,
    )


@transaction.atomic
def update_token(
    *, caller: Caller, token_id: UUID, changes: Mapping[str, Any], at: datetime
) -> ApiToken:
    """Change a live token's ``name``, ``expires_at`` or ``scopes``; these only to fewer.

    Raises `Missing`, `Invalid` (``scope_wider``) and `Conflict` (``name_taken``, ``revoked``).
    """
    token = find_token(caller, token_id, lock=True)
    if token.revoked_at is not None:
        raise Conflict("The token is revoked.", code="token_revoked")
    values: dict[str, Any] = {}
    if "name" in changes:
        values["name"] = check_name(changes["name"])
        if values["name"] != token.name:
            _refuse_taken(token.tenant_id, values["name"])
    if "expires_at" in changes and changes["expires_at"] != token.expires_at:
        values["expires_at"] = _check_expiry(caller, changes["expires_at"], at)
        _refuse_extending(caller, token, values["expires_at"])
    if "scopes" in changes and set(changes["scopes"]) != set(token.scopes):
        values["scopes"] = _narrowed(token, changes["scopes"])
    before = {key: getattr(token, key) for key, value in values.items()}
    values = {key: value for key, value in values.items() if before[key] != value}
    if values:
        for key, value in values.items():
            setattr(token, key, value)
        token.save(update_fields=list(values))
        record(
            actor=caller.actor,
            action="token.updated",
            target=target_of(token, caller.tenant_id),
            before={key: _shown(before[key]) for key in values},
            after={key: _shown(value) for key, value in values.items()},
        )
    return token


@transaction.atomic
def revoke_token(*, caller: Caller, token_id: UUID, at: datetime) -> None:
    """End a token at once; one that is revoked stays so. Raises `Missing`."""
    token = find_token(caller, token_id, lock=True)
    revoke(token=token, at=at, actor=caller.actor, book=caller.tenant_id)


def find_token(caller: Caller, token_id: UUID, *, lock: bool = False) -> ApiToken:
    """A token that the caller may see. Raises `Missing`."""
    rows: QuerySet[ApiToken] = visible_tokens(caller)
    rows = rows.select_for_update(of=("self",), no_key=True) if lock else rows
    found = rows.filter(uuid=token_id).first()
    if found is None:
        raise Missing(NO_TOKEN)
    return found


def most_requests(caller: Caller) -> int | None:
    """The highest rate that the caller may give to a token; None for any."""
    rates = [caller.tenant.requests_per_minute or settings.VWG_TENANT_REQUESTS or None]
    if caller.token is not None:
        rates.append(caller.token.requests_per_minute)
    known = [rate for rate in rates if rate is not None]
    return min(known) if known else None


def _check_scopes(caller: Caller, scopes: Sequence[str]) -> list[str]:
    if not scopes:
        raise Invalid("A token needs at least one scope.", field="scopes", code="empty")
    for index, scope in enumerate(scopes):
        _refuse_unknown(scope, index)
        if not may(caller, scope):
            raise Invalid(
                "You cannot give what you do not have.", field=f"scopes.{index}", code="scope_wider"
            )
    return sorted(set(scopes))


def _narrowed(token: ApiToken, scopes: Sequence[str]) -> list[str]:
    for index, scope in enumerate(scopes):
        _refuse_unknown(scope, index)
        if not _within(scope, token.scopes):
            raise Invalid(
                "A token's scopes are only made fewer; issue another token.",
                field=f"scopes.{index}",
                code="scope_wider",
            )
    if not scopes:
        raise Invalid("A token needs at least one scope.", field="scopes", code="empty")
    return sorted(set(scopes))


def _within(scope: str, granted: Collection[str]) -> bool:
    """Whether the granted scopes cover this one, now and with every scope that may come."""
    return scope in granted or EVERYTHING in granted or scope in spelled_out(granted)


def _refuse_unknown(scope: str, index: int) -> None:
    if scope not in SCOPES and scope not in (EVERYTHING, READS):
        raise Invalid("There is no such scope.", field=f"scopes.{index}", code="scope_unknown")


def _check_cidrs(caller: Caller, cidrs: Sequence[str]) -> list[str]:
    if len(cidrs) > MAX_CIDRS:
        raise Invalid(f"At most {MAX_CIDRS} entries.", field="allowed_cidrs", code="too_many")
    found = [
        str(checked_by(check_network, cidr, f"allowed_cidrs.{index}"))
        for index, cidr in enumerate(cidrs)
    ]
    own = caller.token.allowed_cidrs if caller.token is not None else []
    if own and not (found and all(_inside(cidr, own) for cidr in found)):
        raise Invalid(
            "Your own token is tied to networks; this one must be tied to some of them.",
            field="allowed_cidrs",
            code="beyond_own",
        )
    return list(dict.fromkeys(found))


def _inside(cidr: str, outer: Collection[str]) -> bool:
    inner: Any = ip_network(cidr)
    networks: list[Any] = [ip_network(text) for text in outer]
    return any(inner.version == one.version and inner.subnet_of(one) for one in networks)


def _check_expiry(caller: Caller, moment: datetime | None, at: datetime) -> datetime | None:
    if moment is not None and moment <= at:
        raise Invalid("This is not in the future.", field="expires_at", code="past")
    own = caller.token.expires_at if caller.token is not None else None
    if own is not None and (moment is None or moment > own):
        raise Invalid(
            "Your own token expires; this one must not outlive it.",
            field="expires_at",
            code="beyond_own",
        )
    return moment


def _refuse_extending(caller: Caller, token: ApiToken, moment: datetime | None) -> None:
    """Raise `Invalid` where somebody would prolong what he could not issue."""
    longer = token.expires_at is not None and (moment is None or moment > token.expires_at)
    if longer and not all(may(caller, scope) for scope in token.scopes):
        raise Invalid(
            "You cannot give what you do not have.", field="expires_at", code="scope_wider"
        )


def _check_rate(caller: Caller, rate: int | None) -> int | None:
    most = most_requests(caller)
    own = caller.token.requests_per_minute if caller.token is not None else None
    if rate is None:
        return own
    if rate < 1 or (most is not None and rate > most):
        raise Invalid(
            f"This must be from 1 to {most}." if most else "This must be 1 or more.",
            field="requests_per_minute",
            code="out_of_range",
        )
    return rate


def _owner(caller: Caller, wish: TokenWish) -> User | None:
    """The person the token will belong to; None for a machine."""
    if wish.mine and wish.user_id is not None:
        raise Invalid("Give either mine or user.", field="user", code="one_of")
    if wish.mine:
        if caller.user is None:
            raise Invalid("Your token belongs to no person.", field="mine", code="nobody")
        return caller.user
    if wish.user_id is None:
        return None
    if wish.operator:
        raise Invalid("An operator's token is its maker's, or a machine's.", field="user")
    try:
        return find_member(caller, wish.user_id).user
    except Missing:
        raise Invalid("There is no such member.", field="user", code="unknown_id") from None


def _refuse_taken(tenant_id: int, name: str) -> None:
    if ApiToken.objects.filter(tenant_id=tenant_id, name=name, revoked_at__isnull=True).exists():
        raise Conflict("Another live token has this name.", field="name", code="name_taken")


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
