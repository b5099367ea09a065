"""Which people may look at a client as its customers. Who is let in sees its devices' files, so
it takes the right to read files too: the entrances ask for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from peers.models import Client, CustomerAccess
from peers.queries import find_client
from peers.services.changes import note_act
from resellers.services.members import Person, find_or_make
from rest.errors import Conflict, Missing
from tenants.models import Tenant
from tenants.scoping import Caller, visible

#: People who look at one client.
MOST_LOGINS: Final = 20
_NO_SUCH: Final = "There is no such login."


def logins_of(caller: Caller, client: Client) -> QuerySet[CustomerAccess]:
    """The logins of one of the acting tenant's clients, with their people."""
    return visible(_with_people(), caller).filter(client=client)


def find_login(caller: Caller, login_id: UUID) -> CustomerAccess:
    """A login of a client that is not deleted. Raises `Missing`."""
    rows = visible(_with_people(), caller).filter(client__deleted_at__isnull=True)
    found = rows.filter(uuid=login_id).first()
    if found is None:
        raise Missing(_NO_SUCH)
    return found


@transaction.atomic
def add_login(*, caller: Caller, client_id: UUID, person: Person, at: datetime) -> CustomerAccess:
    """Let the person look at the client. Raises `Missing`, `Invalid`, `Conflict`
    (``customers_sign_in_off``, ``already_customer``, ``too_many_logins``).
    """
    client = find_client(caller, client_id, lock=True)
    if not Tenant.objects.filter(pk=caller.tenant_id, customers_sign_in=True).exists():
        raise Conflict(
            "Customers of this tenant do not sign in; its settings say so.",
            code="customers_sign_in_off",
        )
    user = find_or_make(person, for_operator=bool(caller.operator))
    there = CustomerAccess.objects.filter(client=client)
    if there.filter(user=user).exists():
        raise Conflict("This person sees this client already.", code="already_customer")
    if there.count() >= MOST_LOGINS:
        raise Conflict(f"The client has {MOST_LOGINS} logins; remove some.", code="too_many_logins")
    login = CustomerAccess.objects.create(
        tenant_id=caller.tenant_id,
        client=client,
        user=user,
        created_by=caller.actor.name[:150],
    )
    told = {"login": str(login.uuid), "person": person.shown}
    note_act(client=client, actor=caller.actor, action="login.added", after=told)
    return login


@transaction.atomic
def remove_login(*, caller: Caller, login_id: UUID, at: datetime) -> None:
    """From the next page on the person sees nothing of the client. Raises `Missing`."""
    login = find_login(caller, login_id)
    told: dict[str, Any] = {"login": str(login.uuid), "person": shown(login)}
    gone, _ = CustomerAccess.objects.filter(pk=login.pk).delete()
    if not gone:
        raise Missing(_NO_SUCH)  # somebody was faster
    note_act(client=login.client, actor=caller.actor, action="login.removed", before=told)


def shown(login: CustomerAccess) -> str:
    """How the seller knows the person: by the address, else by the user name."""
    return login.user.email or login.user.get_username()


def _with_people() -> QuerySet[CustomerAccess]:
    return CustomerAccess.objects.select_related("client", "user")
