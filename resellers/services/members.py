"""Who may act for a tenant. The tenant's row is locked first, so no two removals leave no owner.

A person is found by the exact e-mail address or user name, or, by an address that nobody has,
made: without a password, until a link or an operator sets one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from audit.events import Target, record
from peers.services.limits import refuse_erased
from resellers.services.people import check_address
from rest.errors import Conflict, Invalid, Missing
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scoping import Caller

NO_MEMBER: Final = "There is no such member."


@dataclass(frozen=True)
class Person:
    """Somebody as he is named: by e-mail address, or by user name."""

    email: str = ""
    username: str = ""

    @property
    def shown(self) -> str:
        """How the audit names him: as he was named."""
        return self.email or self.username


@transaction.atomic
def add_member(*, caller: Caller, person: Person, role: str, at: datetime) -> Membership:
    """Make the person a member. Raises `Invalid` and `Conflict` (``already_member``)."""
    tenant = _locked(caller)
    user = find_or_make(person, for_operator=bool(caller.operator))
    if Membership.objects.filter(tenant=tenant, user=user).exists():
        raise Conflict("This person is a member already.", code="already_member")
    member = Membership.objects.create(tenant=tenant, user=user, role=role)
    record(
        actor=caller.actor,
        action="member.added",
        target=_target(member, person.shown),
        after={"role": role},
    )
    return member


@transaction.atomic
def change_role(*, caller: Caller, user_id: UUID, role: str, at: datetime) -> Membership:
    """Give a member another role. Raises `Missing` and `Conflict` (``last_owner``)."""
    _locked(caller)
    member = find_member(caller, user_id)
    if member.role == role:
        return member
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    _refuse_ownerless(caller.tenant_id)
    record(
        actor=caller.actor,
        action="member.updated",
        target=_target(member),
        before={"role": before},
        after={"role": role},
    )
    return member


@transaction.atomic
def remove_member(*, caller: Caller, user_id: UUID, at: datetime) -> None:
    """End a membership, and with it the member's tokens here and in the sandbox.

    Raises `Missing` and `Conflict` (``last_owner``).
    """
    _locked(caller)
    member = find_member(caller, user_id)
    target, role = _target(member), member.role
    member.delete()
    _refuse_ownerless(caller.tenant_id)
    tokens = ApiToken.objects.filter(user=member.user, revoked_at__isnull=True)
    homes = Tenant.objects.filter(pk=caller.tenant_id) | Tenant.objects.filter(
        sandbox_of=caller.tenant_id
    )
    tokens = tokens.filter(tenant__in=homes, operator=False)
    prefixes = list(tokens.order_by("pk").values_list("prefix", flat=True))
    tokens.update(revoked_at=at)
    record(
        actor=caller.actor,
        action="member.removed",
        target=target,
        before={"role": role},
        after={"revoked_tokens": prefixes},
    )


def find_member(caller: Caller, user_id: UUID) -> Membership:
    """The membership of this person in the acting tenant. Raises `Missing`."""
    rows = Membership.objects.select_related("user")
    found = rows.filter(tenant_id=caller.tenant_id, user__uuid=user_id).first()
    if found is None:
        raise Missing(NO_MEMBER)
    return found


def find_or_make(person: Person, *, for_operator: bool, under: str = "") -> User:
    """The account that is meant: the oldest one with exactly this address or user name, or a new
    one for an address that nobody has. Raises `Invalid`, its field's name after ``under``.

    Who has an address is named by user name by operators alone: to others the answer would tell
    the address.
    """
    if person.username:
        accounts = User.objects.filter(username=person.username)
        found = (accounts if for_operator else accounts.filter(email="")).first()
        if found is None:
            field = f"{under}username"
            detail = "Nobody has this user name, or has it and an e-mail address."
            raise Invalid(detail, field=field, code="user_unknown")
        return found
    field = f"{under}email"
    email = check_address(person.email, field)
    found = User.objects.filter(email__iexact=email).order_by("pk").first()
    return found if found is not None else _make(email)


def _make(email: str) -> User:
    free = len(email) <= 150 and not User.objects.filter(username__iexact=email).exists()
    user = User(email=email)
    user.username = email if free else f"user-{user.uuid.hex}"
    user.set_unusable_password()
    user.save()
    return user


def _locked(caller: Caller) -> Tenant:
    """The acting tenant, its row held. Sandboxes have no members of their own."""
    tenant = (
        Tenant.objects.select_for_update(no_key=True).only("sandbox_of_id").get(pk=caller.tenant_id)
    )
    if tenant.is_sandbox:
        raise Conflict("A sandbox has the members of its tenant.", code="sandbox")
    refuse_erased(tenant.pk)
    return tenant


def _refuse_ownerless(tenant_id: int) -> None:
    owners = Membership.objects.filter(tenant_id=tenant_id, role=Membership.Role.OWNER)
    if not owners.filter(user__is_active=True).exists():
        raise Conflict("A tenant keeps at least one active owner.", code="last_owner")


def _target(member: Membership, shown: str = "") -> Target:
    user = member.user
    name = shown or user.email or user.get_username()
    return Target("member", str(user.uuid), name, member.tenant_id)
