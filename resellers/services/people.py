"""What a person decides about the own account. Each act is an event of no tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db import transaction

from audit.events import Actor, Target, record
from peers.values import check_email
from resellers.values import check_flag, check_language, check_timezone
from rest.errors import Conflict, Invalid
from rest.values import check_text
from tenants.models import User

Check = Callable[[object, str], Any]


@transaction.atomic
def update_profile(*, user: User, changes: Mapping[str, object], actor: Actor) -> User:
    """Change what the account keeps of its owner: names, and how the pages read for him.

    Raises `Invalid`. What stays as it was is no change, and no event.
    """
    values = {name: _CHECKS[name](value, name) for name, value in changes.items()}
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    before = {name: getattr(row, name) for name, value in values.items()}
    changed = {name: value for name, value in values.items() if value != before[name]}
    if not changed:
        return row
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    record(
        actor=actor,
        action="user.updated",
        target=user_target(row),
        before={name: before[name] for name in changed},
        after=changed,
    )
    return row


@transaction.atomic
def set_password(*, user: User, password: str, actor: Actor) -> None:
    """Give the person another password. Every session but the one that asks ends with it."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    record(actor=actor, action="user.password_changed", target=user_target(user))


@transaction.atomic
def change_email(*, user: User, email: str, actor: Actor) -> User:
    """Give the account another address, which its owner has shown to be his.

    A user name that is the address goes along: else the old one would open the account for good.
    Raises `Invalid`, `Conflict` (``email_taken``).
    """
    email = check_address(email, "email")
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    others = User.objects.exclude(pk=row.pk)
    if others.filter(email__iexact=email).exists():
        raise Conflict("Another account has this address.", field="email", code="email_taken")
    before = {"email": row.email}
    named = row.username.lower() == row.email.lower() and len(email) <= 150
    if named and not others.filter(username__iexact=email).exists():
        row.username = email
    row.email = email
    row.save(update_fields=["email", "username"])
    EmailAddress.objects.filter(user=row).delete()  # a provider's, that would open the door too
    record(
        actor=actor,
        action="user.email_changed",
        target=user_target(row),
        before=before,
        after={"email": email},
    )
    return row


def check_address(value: object, field: str) -> str:
    """An e-mail address of a person, never empty. Raises `Invalid`.

    Other alphabets have letters that fold to these: one address must not read as two.
    """
    email = check_email(value, field)
    if not email or not email.isascii():
        raise Invalid("This is not an e-mail address.", field=field)
    return email


@transaction.atomic
def end_sessions(*, user: User, sessions: Sequence[UserSession], actor: Actor) -> None:
    """Sign the person out there. The next request of such a session is nobody's."""
    for session in sessions:
        session.end()
    if sessions:
        record(
            actor=actor,
            action="user.sessions_ended",
            target=user_target(user),
            after={"ended": len(sessions), "addresses": sorted({row.ip for row in sessions})},
        )


@transaction.atomic
def note_security(*, user: User, action: str, actor: Actor) -> None:
    """Record what changed about how the account is opened: a factor came or went."""
    record(actor=actor, action=action, target=user_target(user))


def user_target(user: User) -> Target:
    """The person as the audit names him."""
    return Target("user", str(user.uuid), user.get_username())


def _or_none(check: Check) -> Check:
    """A check of what may be left open."""
    return lambda value, field: "" if value == "" else check(value, field)


def _word(choices: list[str]) -> Check:
    def check(value: object, field: str) -> str:
        if value not in choices:
            raise Invalid(f"This must be one of: {', '.join(choices)}.", field=field)
        return str(value)

    return check


def _name(value: object, field: str) -> str:
    return check_text(value, field, longest=150)


_CHECKS: Final[Mapping[str, Check]] = {
    "first_name": _name,
    "last_name": _name,
    "language": _or_none(check_language),
    "theme": _or_none(_word(User.Theme.values)),
    "timezone": _or_none(check_timezone),
    "digits": _or_none(_word(User.Digits.values)),
    "calendar": _or_none(_word(User.Calendar.values)),
    "byte_units": _word(User.ByteUnits.values),
    "single_keys": check_flag,
}
