"""The menu: which pages there are, for whom, in which order. A new page gets its line here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied

from peers.customers import is_customer
from portal.doors import LAST_TENANT
from tenants.models import Tenant, User
from tenants.permissions import may
from tenants.scoping import Caller, caller_of, memberships_of, sandbox_of


@dataclass(frozen=True)
class Entry:
    """A line of the menu. ``scope``: what its page needs; ``staff``: the admin site's rights;
    ``key``: the key after "g" that leads there.
    """

    page: str
    icon: str
    words: Promise | str
    scope: str = ""
    staff: bool = False
    key: str = ""


@dataclass(frozen=True)
class Link:
    """A line as it is shown."""

    url: str
    icon: str
    words: str
    current: bool
    key: str = ""


@dataclass(frozen=True)
class Section:
    """Lines below one heading, which may be empty."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Choice:
    """A tenant that the reader may turn to."""

    tenant: Tenant
    url: str
    current: bool


Menu = tuple[tuple[Promise | str, tuple[Entry, ...]], ...]

#: Below `/t/<slug>/`.
TENANT_MENU: Final[Menu] = (
    (
        "",
        (
            Entry("tenant-home", "home", _("Home"), "clients:read", key="h"),
            Entry("clients", "clients", _("Clients"), "clients:read", key="c"),
            Entry("plans", "plan", _("Plans"), "plans:read"),
            Entry("usage", "chart", _("Usage"), "usage:read"),
            Entry("tenant-jobs", "job", _("Jobs"), "jobs:read", key="j"),
        ),
    ),
    (
        _("Management"),
        (
            Entry("members", "tenant", _("Members"), "members:read"),
            Entry("tokens", "key", _("Tokens"), "tokens:read"),
            Entry("tenant-settings", "settings", _("Settings"), "tenants:read"),
            Entry("history", "audit", _("History"), "audit:read"),
        ),
    ),
)
OPERATOR_MENU: Final[Menu] = (
    (
        "",
        (
            Entry("operator-home", "home", _("Home"), key="h"),
            Entry("page-status", "chart", _("Status")),
            Entry("all-clients", "clients", _("Clients"), key="c"),
        ),
    ),
    (
        _("Running"),
        (
            Entry("gateway-list", "gateway", _("Gateways"), key="g"),
            Entry("job-list", "job", _("Jobs"), key="j"),
            Entry("quarantine", "warn", _("Quarantine")),
            Entry("schedule", "clock", _("Schedule")),
            Entry("wake", "power", _("Wake-on-LAN")),
        ),
    ),
    (
        _("Selling"),
        (
            Entry("tenant-list", "tenant", _("Resellers")),
            Entry("pool-list", "pool", _("Address pools")),
        ),
    ),
    (
        _("Systems"),
        (
            Entry("settings", "settings", _("Settings")),
            Entry("audit", "audit", _("Audit log")),
            Entry("system", "info", _("Host and logs")),
            Entry("admin:index", "more", _("Administration"), staff=True),
            Entry("docs", "key", _("API")),
        ),
    ),
)


@dataclass(frozen=True)
class Standing:
    """Where the reader stands: for which tenant, as whom, and where one can go from here."""

    caller: Caller | None
    sections: tuple[Section, ...]
    choices: tuple[Choice, ...]

    @property
    def tenant(self) -> Tenant | None:
        """The tenant whose pages these are; None on an operator's own."""
        return None if self.caller is None else self.caller.tenant

    @property
    def is_guest(self) -> bool:
        """Whether an operator looks at a tenant's pages."""
        return self.caller is not None and bool(self.caller.operator)


def standing(request: HttpRequest) -> Standing | None:
    """For the frame of a page; None for who is not signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    match = request.resolver_match
    slug = match.kwargs.get("tenant") if match is not None else None
    if slug is None and user.is_operator:
        sections = tuple(_sections(request, OPERATOR_MENU, None))
        return Standing(None, sections, tuple(_choices(request, "")))
    caller = caller_of(request, slug) if slug is not None else _last(request)
    own = _own(request) if slug is None else ()
    if caller is None:
        return Standing(None, own, ())
    sections = (*_sections(request, TENANT_MENU, caller), *own)
    return Standing(caller, sections, tuple(_choices(request, caller.tenant.slug)))


def _own(request: HttpRequest) -> tuple[Section, ...]:
    """On pages about oneself: the way to what one sees as a customer."""
    user = request.user
    if not isinstance(user, User) or not is_customer(user):
        return ()
    return (Section("", (Link(reverse("my"), "clients", str(_("My connections")), False),)),)


def _last(request: HttpRequest) -> Caller | None:
    """On a member's pages about himself: the tenant whose pages he saw last, or his first one."""
    try:
        return caller_of(request, request.session.get(LAST_TENANT))
    except PermissionDenied:  # suspended, or no member any more
        return None


def _sections(request: HttpRequest, menu: Menu, caller: Caller | None) -> Iterator[Section]:
    for title, entries in menu:
        links = tuple(
            _link(request, entry, caller) for entry in entries if _shown(request, entry, caller)
        )
        if links:
            yield Section(str(title), links)


def _shown(request: HttpRequest, entry: Entry, caller: Caller | None) -> bool:
    if entry.staff and not getattr(request.user, "is_staff", False):
        return False
    return caller is None or not entry.scope or may(caller, entry.scope)


def _link(request: HttpRequest, entry: Entry, caller: Caller | None) -> Link:
    url = reverse(entry.page, args=[caller.tenant.slug] if caller is not None else [])
    home = entry.page in ("tenant-home", "operator-home")
    here = request.path == url or (not home and request.path.startswith(url))
    return Link(url, entry.icon, str(entry.words), here, entry.key)


def _choices(request: HttpRequest, current: str) -> Iterator[Choice]:
    """One's own tenants and their sandboxes; operators come from the list of tenants."""
    for membership in memberships_of(request.user):  # type: ignore[arg-type]
        for tenant in (membership.tenant, sandbox_of(membership.tenant)):
            if tenant is not None and tenant.status == Tenant.Status.ACTIVE:
                url = reverse("tenant-home", args=[tenant.slug])
                yield Choice(tenant, url, tenant.slug == current)
