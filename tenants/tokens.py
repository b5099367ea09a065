"""API tokens: their text, their digest, issuing and revoking them.

A token reads ``vwg_<12 characters>_<43 characters>``. The first part is public and finds the row;
the second is 32 random bytes. Only SHA-256 of the whole is stored: 256 random bits need no salt
and no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from django.db import IntegrityError, transaction

from audit.events import SYSTEM, Actor, Target, record
from tenants.models import ApiToken, Tenant, User

MAX_TEXT: Final = 4 + 12 + 1 + 43
_TEXT: Final = re.compile(r"vwg_([a-z0-9]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_ALPHABET: Final = string.ascii_lowercase + string.digits


class TokenRefused(Exception):
    """A token cannot be issued as asked: ``field`` and the message say why."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class TokenNameTaken(TokenRefused):
    """The tenant has a live token of this name."""


def prefix_of(text: str) -> str | None:
    """The public part of a token's text; None when the text is no token."""
    match = _TEXT.fullmatch(text) if len(text) == MAX_TEXT else None
    return match[1] if match else None


def digest_of(text: str) -> str:
    """SHA-256 of a token's text, in hex."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def matches(token: ApiToken, text: str) -> bool:
    """Whether the text is this token's, compared in constant time."""
    return hmac.compare_digest(token.digest, digest_of(text))


@transaction.atomic
def issue(
    *,
    tenant: Tenant,
    name: str,
    scopes: Collection[str],
    operator: bool = False,
    user: User | None = None,
    expires_at: datetime | None = None,
    allowed_cidrs: Collection[str] = (),
    requests_per_minute: int | None = None,
    actor: Actor = SYSTEM,
    book: int | None = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is known here and never again.

    ``book`` is the tenant whose events tell of it, the token's own if None. Raises
    TokenNameTaken, and TokenRefused for an empty name or a network that is none. Scopes
    and limits are the caller's to check.
    """
    if not name.strip():
        raise TokenRefused("A token needs a name.", field="name")
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    text = f"vwg_{prefix}_{secrets.token_urlsafe(32)}"
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                tenant=tenant,
                user=user,
                name=name,
                prefix=prefix,
                digest=digest_of(text),
                scopes=sorted(scopes),
                operator=operator,
                allowed_cidrs=[_network(cidr) for cidr in allowed_cidrs],
                expires_at=expires_at,
                requests_per_minute=requests_per_minute,
            )
    except IntegrityError:
        raise TokenNameTaken(f"The tenant has a token called {name!r}.", field="name") from None
    record(
        actor=actor,
        action="token.issued",
        target=target_of(token, book),
        after=_told(token),
    )
    return token, text


@transaction.atomic
def revoke(
    *, token: ApiToken, at: datetime, actor: Actor = SYSTEM, book: int | None = None
) -> None:
    """End a token for good. A token that is revoked already stays as it is."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)
    if changed:
        token.revoked_at = at
        record(
            actor=actor,
            action="token.revoked",
            target=target_of(token, book),
            after={"revoked_at": at.isoformat()},
        )


def target_of(token: ApiToken, book: int | None = None) -> Target:
    """The token as the audit names it, in the events of its tenant or of the one that is given."""
    return Target("token", str(token.uuid), token.name, token.tenant_id if book is None else book)


def _told(token: ApiToken) -> dict[str, Any]:
    """A new token as its event tells of it: never its text."""
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "operator": token.operator,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "allowed_cidrs": token.allowed_cidrs,
        "requests_per_minute": token.requests_per_minute,
        "user": str(token.user.uuid) if token.user is not None else None,
        "sandbox": token.tenant.is_sandbox,
    }


def _network(cidr: str) -> str:
    try:
        return str(ip_network(cidr))
    except ValueError:
        raise TokenRefused(f"{cidr!r} is not a network.", field="allowed_cidrs") from None
