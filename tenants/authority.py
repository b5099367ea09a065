"""Whether whoever asked for what takes its time may still have it done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from tenants.models import ApiToken, Membership, Tenant, User
from tenants.permissions import may
from tenants.scoping import FULL, Caller


def renewed(caller: Caller, scope: str, *, at: datetime) -> Caller | None:
    """The caller as things are now: tenant and limits, the token's scopes, role, operator's level.

    None for one who could not ask for it any more: the token was revoked or has expired, the
    person was barred, is no member or no operator now, or what is left does not cover ``scope``.
    """
    tenant = Tenant.objects.select_related("sandbox_of").get(pk=caller.tenant_id)
    known = replace(caller, tenant=tenant)
    if caller.actor.kind == "token":
        found = _of_token(known, at)
    elif caller.actor.kind == "user":
        user = User.objects.filter(uuid=caller.actor.id, is_active=True).first()
        found = None if user is None else _of_person(known, user, operator=user.operator)
    else:
        return None
    return found if found is not None and may(found, scope) else None


def _of_token(caller: Caller, at: datetime) -> Caller | None:
    lasting = Q(expires_at=None) | Q(expires_at__gt=at)
    tokens = ApiToken.objects.select_related("user").filter(lasting, revoked_at=None)
    token = tokens.filter(uuid=caller.actor.id).first()
    if token is None or (token.tenant_id != caller.tenant_id and not token.operator):
        return None
    caller = replace(caller, scopes=frozenset(token.scopes))
    user = token.user
    if user is None:
        return replace(caller, operator=FULL if token.operator else "", role="")
    if not user.is_active:
        return None
    operator = user.operator if token.operator else ""
    if not operator and token.tenant_id != caller.tenant_id:
        return None  # its owner is no operator any more
    return _of_person(caller, user, operator=operator)


def _of_person(caller: Caller, user: User, *, operator: str) -> Caller | None:
    if operator:
        return replace(caller, operator=operator, role="")
    home = caller.tenant.sandbox_of_id or caller.tenant_id
    rows = Membership.objects.filter(user=user, tenant=home)
    role = rows.values_list("role", flat=True).first()
    return None if role is None else replace(caller, operator="", role=role)
