"""Every address of the portal, found by walking the URLs: a new page is here by itself.

What stands in an address is taken from the lists of `tests.integration.isolation`, in which a page
that is missing fails there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib.admin import site
from django.urls import reverse

from tests.integration.isolation.declarations import (
    ADMIN,
    CUSTOMER_PAGES,
    OPERATOR_ACTS,
    OPERATOR_PAGES,
    PUBLIC_PAGES,
    SELF_PAGES,
    SHARE_PAGES,
    TENANT_PAGES,
)
from tests.integration.isolation.enumeration import resolved
from tests.integration.isolation.world import Side

#: What the public pages' addresses hold.
_PUBLIC: Final = {
    "light": "8a3b12", "dark": "f0a074", "slug": "not-found", "provider_id": "oidc",
    "uidb36": "1", "key": "set-password",
}  # fmt: skip
_GROUP: Final = re.compile(r"\(\?P\{(\w+)\}[^()]*\)")


#: Who opens a page of a kind; an owner the others.
WHO: Final = {"share": "nobody", "public": "nobody", "operator": "operator", "customer": "customer"}


@dataclass(frozen=True)
class Place:
    """A page or what one posts to: its route, and who may open it."""

    route: str
    kind: str

    @property
    def who(self) -> str:
        """Who opens it."""
        return WHO.get(self.kind, "owner")

    def path(self, side: Side) -> str:
        """Its address with that side's things in it."""
        ids: Mapping[str, str] = {**side.ids, "slug": side.tenant.slug, "secret": _secret(side)}
        if self.kind == "public":
            return _public(self.route)
        if self.kind == "share":
            return self.route.partition(" ")[2].format(**ids)
        if self.kind == "tenant":
            return f"/t/{side.tenant.slug}/{TENANT_PAGES[self.route].format(**ids)}"
        pages = {**SELF_PAGES, **CUSTOMER_PAGES, **OPERATOR_PAGES, **OPERATOR_ACTS}
        return pages[self.route].format(**ids)


def places() -> list[Place]:
    """Every route beside the API and the admin site."""
    found = []
    for route in sorted(resolved()):
        path = route.partition(" ")[2]
        if path.startswith(ADMIN) or (path.startswith("/api/") and route not in PUBLIC_PAGES):
            continue
        found.append(Place(route, _kind(route)))
    return found


def admin_paths(side: Side) -> Iterator[str]:
    """The admin site's pages: lists, and of one row of each model every page."""
    yield reverse("admin:index")
    for model in site._registry:
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{place}_changelist")
        yield reverse(f"{place}_add")
        keys = side.rows.get(model) or list(model._default_manager.values_list("pk", flat=True)[:1])
        for key in keys[:1]:
            for act in ("change", "history", "delete"):
                yield reverse(f"{place}_{act}", args=[key])


def _kind(route: str) -> str:
    kinds = {
        "tenant": TENANT_PAGES, "customer": CUSTOMER_PAGES,
        "operator": {**OPERATOR_PAGES, **OPERATOR_ACTS},
        "self": SELF_PAGES, "share": SHARE_PAGES, "public": PUBLIC_PAGES,
    }  # fmt: skip
    return next(kind for kind, routes in kinds.items() if route in routes)


def _public(route: str) -> str:
    path = route.partition(" ")[2].replace("\\", "")
    path = _GROUP.sub(lambda found: _PUBLIC[found[1]], path.replace("^", "").replace("$", ""))
    return path.format_map(_Known(_PUBLIC))


class _Known(dict[str, str]):
    """What is not listed stands in an address as something that is not there."""

    def __missing__(self, name: str) -> str:
        return "nothing"


def _secret(side: Side) -> str:
    return side.texts["secret"]
