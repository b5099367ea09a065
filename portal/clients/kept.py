"""Views that somebody keeps by a name. They are his own: no event tells of them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from peers.values import check_name
from portal.clients.address import Address
from portal.models import SavedView
from rest.errors import Conflict, Invalid, Missing
from tenants.models import User
from tenants.scoping import Caller, visible

MOST: Final = 20
LONGEST: Final = 60


def kept_views(caller: Caller | None, user: Any) -> list[SavedView]:
    """What this person keeps of the acting tenant's list, oldest first."""
    if caller is None:
        return []
    return list(visible(SavedView.objects.filter(user=user), caller).order_by("pk")[:MOST])


@transaction.atomic
def keep_view(*, caller: Caller, user: User, name: str, address: Address) -> SavedView:
    """Keep a view. Raises `Invalid` for a bad name and one too many, `Conflict` for a taken one."""
    name = check_name(name)
    if len(name) > LONGEST:
        text = _("At most %s characters.") % LONGEST
        raise Invalid(text, field="name", code="max_length")
    if len(kept_views(caller, user)) >= MOST:
        text = _("At most %s views. Forget one first.") % MOST
        raise Invalid(text, field="name", code="too_many")
    try:
        with transaction.atomic():
            return SavedView.objects.create(
                tenant=caller.tenant, user=user, name=name, query=address.view
            )
    except IntegrityError:
        raise Conflict(
            _("You keep a view of this name already."), field="name", code="conflict"
        ) from None


def find_view(caller: Caller, user: User, view_id: UUID) -> SavedView:
    """One's own view. Raises `Missing`."""
    found = visible(SavedView.objects.filter(user=user, uuid=view_id), caller).first()
    if found is None:
        raise Missing(_("There is no such view."))
    return found


def forget_view(*, caller: Caller, user: User, view_id: UUID) -> str:
    """Keep it no more; its name. Raises `Missing`."""
    found = find_view(caller, user, view_id)
    found.delete()
    return found.name
