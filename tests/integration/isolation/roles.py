"""Who asks: every kind of caller, with what it may do written down a second time.

The product's own table of roles is not used here: a mistake in it must show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rest_framework.test import APIClient

from tenants.models import Tenant
from tests.conftest import bearer
from tests.integration.isolation.declarations import Entry
from tests.integration.isolation.world import Side
from tests.make import make_tenant, make_token, make_user

_OWNERS_ONLY: Final = {"tokens:write", "members:write", "tenants:write"}
_READ: Final = frozenset({"GET"})


@dataclass(frozen=True)
class Role:
    """A caller. ``home``: whose things are its own. ``answers``: what it gets whatever it asks."""

    name: str
    api: APIClient
    home: Side | None
    level: str = ""
    answers: int = 0
    operator: str = ""
    header: str = ""
    #: Of a sandbox: the id of its tenant, which it may know.
    parent: str = ""

    def refusal(self, method: str, entry: Entry) -> int:
        """The status of a refusal that does not depend on the thing asked for; 0 for none."""
        if entry.kind == "public":
            return 0
        if self.answers:
            return self.answers
        if entry.kind == "self":
            return 0
        if self.operator == "read-only":
            return 0 if method == "GET" and entry.scope != "configs:read" else 403
        if self.operator:
            return 0
        if entry.kind == "operator" or self.level == "narrow":
            return 403
        if self.level == "viewer":
            reading = entry.scope.endswith(":read") and entry.scope != "configs:read"
            return 0 if reading else 403
        return 403 if self.level == "manager" and entry.scope in _OWNERS_ONLY else 0


#: What nobody knows: a token of the right shape.
_UNKNOWN: Final = f"vwg_{'z' * 12}_{'Z' * 43}"


def roles_of(side: Side) -> list[Role]:
    """Everybody of one reseller, and those who are nobody."""
    texts = side.texts
    nobody = [
        Role("anonymous", _plain(), side, answers=401),
        Role("unknown token", bearer(_UNKNOWN), side, answers=401),
        *(
            Role(f"{kind} token", bearer(texts[kind]), side, answers=401)
            for kind in ("expired", "revoked", "inactive")
        ),
    ]
    members = [
        Role(f"{level} of {side.letter}", bearer(texts[level]), side, level=level)
        for level in ("owner", "manager", "viewer", "machine", "narrow")
    ]
    return [*nobody, *members]


def strangers(side: Side) -> list[Role]:
    """Who has nothing of this reseller's own: operators, a suspended tenant, a superuser."""
    frozen = make_tenant("frozen", status="suspended")
    owner = make_user("frozen-owner", tenant=frozen)
    root = make_user("root", is_superuser=True, is_staff=True)
    reader = make_user("reader", operator="read-only")
    default = Tenant.objects.get(slug="default")
    slug = side.tenant.slug
    return [
        Role("suspended owner", bearer(make_token(frozen, user=owner)[1]), side, answers=403),
        Role("customer", _session(side.people["customer"]), side, answers=403),
        Role("superuser", _session(root), side, answers=403),
        Role("operator", _operator(default), side, operator="full", header=slug),
        Role(
            "read-only operator",
            _operator(default, user=reader),
            side,
            operator="read-only",
            header=slug,
        ),
    ]


def integrator(side: Side) -> Role:
    """Whoever holds a token of the reseller's sandbox: the reseller's things are foreign to it."""
    api = bearer(side.texts["integrator"])
    return Role(f"sandbox of {side.letter}", api, None, "machine", parent=side.ids["tenant"])


def _operator(tenant: Tenant, **fields: Any) -> APIClient:
    return bearer(make_token(tenant, operator=True, **fields)[1])


def _plain() -> APIClient:
    client = APIClient()
    client.default_format = "json"
    return client


def _session(user: Any) -> APIClient:
    client = _plain()
    client.force_login(user)
    type(user).objects.filter(pk=user.pk).update(last_login=None)  # nobody's row has changed
    return client
