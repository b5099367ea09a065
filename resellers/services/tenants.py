"""Making and changing tenants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from audit.events import Actor, record
from peers.services.limits import refuse_erased
from resellers.queries import NO_TENANT, find_interfaces, find_pools, tenants
from resellers.services.changes import save_changed, take_over
from resellers.services.members import Person, find_or_make
from resellers.services.pools import follow_change
from resellers.values import check_slug, check_tenant
from rest.errors import Conflict, Invalid, Missing
from rest.versions import Version, check_version
from tenants.accounts import AccountRefused, tenant_target
from tenants.accounts import create_tenant as make_row
from tenants.models import Membership, Tenant

#: Name in the API -> the column that says whether the list counts.
_LISTS = {"interfaces": "limits_interfaces", "pools": "limits_pools"}


@transaction.atomic
def create_tenant(
    *,
    actor: Actor,
    name: str,
    slug: str | None = None,
    owner: Person | None = None,
    **details: Any,
) -> Tenant:
    """Make a tenant, with its first owner if one is named.

    ``details`` are columns (`resellers.values.TENANT_CHECKS`) and the lists ``interfaces`` and
    ``pools`` (ids, None for no limit). Raises `Invalid` and `Conflict` (``slug_taken``).
    """
    columns = check_tenant({**details, "name": name})
    lists = _check_lists(details)
    slug = check_slug(slug if slug is not None else slugify(name)[:48].strip("-_"))
    noted: dict[str, Any] = {key: _ids(rows) for key, rows in lists.items()}
    if owner is not None:
        noted["owner"] = owner.shown
    flags = {_LISTS[key]: rows is not None for key, rows in lists.items()}
    try:
        made = make_row(
            name=columns.pop("name"),
            slug=slug,
            actor=actor,
            details={**columns, **flags},
            noted=noted,
        )
    except AccountRefused as error:
        if error.fields == {"slug"}:
            raise Conflict(
                "Another tenant has this slug.", field="slug", code="slug_taken"
            ) from None
        raise Invalid(str(error), field=min(error.fields)) from None
    _set_lists(made, lists)
    if owner is not None:
        user = find_or_make(owner, for_operator=True, under="owner.")
        Membership.objects.create(tenant=made, user=user, role=Membership.Role.OWNER)
    return made


@transaction.atomic
def update_tenant(
    *,
    actor: Actor,
    tenant_id: UUID,
    changes: Mapping[str, Any],
    at: datetime,
    if_match: Version | None = None,
) -> Tenant:
    """Change what ``changes`` names (as `create_tenant` takes it; never slug or status).

    What may be changed by whom is the caller's to decide. Raises `Missing`, `StaleVersion`,
    `Invalid`.
    """
    columns, lists = check_tenant(changes), _check_lists(changes)
    tenant = locked(tenant_id, if_match)
    before, after = take_over(tenant, columns)
    for key, rows in lists.items():
        had = _ids(list(getattr(tenant, key).all())) if getattr(tenant, _LISTS[key]) else None
        if had != _ids(rows):
            before[key], after[key] = had, _ids(rows)
            setattr(tenant, _LISTS[key], rows is not None)
    if not after:
        return tenant
    _set_lists(tenant, {key: rows for key, rows in lists.items() if key in after})
    save_changed(tenant, *columns, *_LISTS.values())
    record(
        actor=actor,
        action="tenant.updated",
        target=tenant_target(tenant),
        before=before,
        after=after,
    )
    follow_change(tenant=tenant, changed=after, actor=actor, at=at)
    return tenant


def locked(tenant_id: UUID, if_match: Version | None = None) -> Tenant:
    """The tenant, its row held till the end of the transaction. Raises `Missing`,
    `Forbidden` (``tenant_erased``) and `StaleVersion`.
    """
    rows = tenants().select_for_update(of=("self",), no_key=True)
    tenant = rows.filter(uuid=tenant_id).first()
    if tenant is None:
        raise Missing(NO_TENANT)
    refuse_erased(tenant.pk)
    check_version(tenant, if_match)
    return tenant


def _check_lists(changes: Mapping[str, Any]) -> dict[str, Sequence[Any] | None]:
    """The rows of the lists that are named; None for no limit."""
    found: dict[str, Sequence[Any] | None] = {}
    for key, find in (("interfaces", find_interfaces), ("pools", find_pools)):
        if key not in changes:
            continue
        ids = changes[key]
        found[key] = rows = None if ids is None else find(ids)
        if rows is not None and len(rows) != len(set(ids)):
            known = {row.uuid for row in rows}
            index = next(i for i, wanted in enumerate(ids) if wanted not in known)
            raise Invalid("There is no such thing.", field=f"{key}.{index}", code="unknown_id")
    return found


def _set_lists(tenant: Tenant, lists: Mapping[str, Sequence[Any] | None]) -> None:
    for key, rows in lists.items():
        getattr(tenant, key).set(rows or [])


def _ids(rows: Sequence[Any] | None) -> list[str] | None:
    return None if rows is None else [str(row.uuid) for row in rows]
