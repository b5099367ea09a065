"""What the matrix cannot ask by one request: acts of workers and operators on A, a name that B has
too, a link whose device went to B. Each leaves B as it was, and does to A what it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from django.core.management import call_command
from django.db import transaction
from django.test import Client as Browser
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from audit.erasure import ERASED
from audit.events import SYSTEM, allow_erasure
from control import tasks
from gateways.models import AddressPool, Interface, Job, JobItem
from gateways.outbox import announce
from peers.models import BulkItem, BulkRun, Client, Peer, PeerAddress, ShareLink
from peers.services.bulk.entries import Entry, seal
from peers.services.due import purge_due
from peers.services.keys import set_customer_key
from peers.services.limits import refuse_erased
from peers.services.sales import count_renewed
from peers.services.warnings import warn_clients
from peers.sharing import find_link
from quotas.models import Hold, TenantUsage
from resellers.services import erasure, following, suspension
from rest.errors import Missing, Refusal
from tenants.authority import renewed
from tenants.models import ApiToken, Membership, Tenant, User
from tenants.scoping import Caller, caller_of
from tests.conftest import bearer
from tests.integration.isolation.matrix import NOW, Stage, still, undone
from tests.integration.isolation.world import Side
from tests.make import make_peer, make_tenant, make_token, make_user

Deed = Callable[[Stage], None]
DEEDS: Final[dict[str, Deed]] = {}
CRASH: Final = " crashes: "


def _deed(function: Deed) -> Deed:
    DEEDS[function.__name__.strip("_")] = function
    return function


def carry_out(stage: Stage, name: str) -> str:
    """What is wrong with this deed, "" if nothing."""
    with still(), undone():
        try:
            DEEDS[name](stage)
        except (AssertionError, Refusal) as fault:
            return f"{name}: {fault!r}"
        except Exception as fault:  # a mutant may break anything
            return f"{name}{CRASH}{fault!r}"
    return ""


@contextmanager
def _untouched(side: Side) -> Iterator[None]:
    before = side.fingerprint()
    yield
    now = side.fingerprint()
    changed = [table for table, rows in now.items() if rows != before[table]]
    assert not changed, f"changed {side.letter}'s {', '.join(changed)}"


def _owner(side: Side) -> Any:
    return bearer(side.texts["owner"])


def _post(side: Side, path: str, body: Mapping[str, Any], status: int, **headers: str) -> Any:
    api = _owner(side)
    answer = api.post(f"/api/v1/{path}", body, format="json", **headers)
    assert answer.status_code == status, answer.content[:300]
    return answer.json() if answer.content else None


def _caller(user: User, token: ApiToken) -> Caller:
    request: Any = Request(APIRequestFactory().get("/"))
    request.user, request.auth = user, token
    return caller_of(request)


def _shared(stage: Stage) -> Interface:
    return stage.a.tenant.interfaces.get(is_default=True)


def _third() -> Tenant:
    """Somebody else, whose tenant was erased."""
    third = make_tenant("third", status="closed")
    allow_erasure(tenant_id=third.pk, tenant_name="third", actor=SYSTEM, at=NOW)
    return third


# -- workers and operators -------------------------------------------------------------------


@_deed
def suspending(stage: Stage) -> None:
    """Of one tenant holds its clients; only they are counted."""
    _third()
    a = stage.a.tenant
    own = [a, stage.a.twin]
    devices = Peer.objects.filter(tenant__in=own, deleted_at__isnull=True, blocked=False).count()
    with _untouched(stage.b):
        with patch.object(following, "FIRST", 1):  # the others are to come, and only counted
            job = suspension.suspend_tenant(tenant=a, reason="x", actor=SYSTEM, at=NOW)
        assert job.total == devices + 1
        following.follow_tenants(at=NOW, seconds=5)
    held = Hold.objects.filter(tenant=a, reason="tenant-suspended", closed_at__isnull=True)
    assert held.count() == Client.objects.filter(tenant=a, deleted_at__isnull=True).count()
    assert following.find_strays(at=NOW) == 0


@_deed
def looking_for_strays(stage: Stage) -> None:
    """Finds the tenant whose clients do not agree with it, whatever another's do."""
    suspension.suspend_tenant(tenant=stage.b.tenant, reason="x", actor=SYSTEM, at=NOW)
    following.follow_tenants(at=NOW, seconds=5)
    Tenant.objects.filter(pk=stage.a.tenant.pk).update(status="suspended")
    assert following.find_strays(at=NOW) == 1
    assert Job.objects.get(kind=Job.Kind.HEAL).tenant_id == stage.a.tenant.pk


@_deed
def warning(stage: Stage) -> None:
    """Of each tenant at its own thresholds."""
    a, b = stage.a.tenant, stage.b.tenant
    Client.objects.filter(tenant__in=[a, b]).update(expires_at=NOW + timedelta(hours=9))
    Tenant.objects.filter(pk=b.pk).update(warn_days=[])
    with _untouched(stage.b):
        assert (
            warn_clients(at=NOW)["expiry"]
            == Client.objects.filter(tenant=a, deleted_at__isnull=True).count()
        )


@_deed
def renewing(stage: Stage) -> None:
    """Is a sale where what is sold counts, and nowhere else."""
    a, b = stage.a.tenant, stage.b.tenant
    Tenant.objects.filter(pk=a.pk).update(pool_counts="sold")
    clients = Client.objects.filter(tenant__in=[a, b], quota_bytes__isnull=False)
    with _untouched(stage.b):
        count_renewed(list(clients.values_list("pk", flat=True)))
    assert TenantUsage.objects.get(tenant=a).sold_bytes > 0


@_deed
def erasing(stage: Stage) -> None:
    """Takes one tenant's things and its sandbox's, though others were or are to be erased."""
    _third()
    a = Tenant.objects.get(pk=stage.a.tenant.pk)
    suspension.close_tenant(tenant=a, reason="x", actor=SYSTEM, at=NOW)
    following.follow_tenants(at=NOW, seconds=5)
    announce(kind=Job.Kind.DELETE, tenant_id=stage.b.tenant.pk, actor_name="x", expected=3)
    with _untouched(stage.b):
        erasure.erase_tenant(tenant=a, slug=a.slug, actor=SYSTEM, at=NOW)
        erasure.follow_erasures(at=NOW, seconds=20)
    for tenant in (a, stage.a.twin):
        assert not ApiToken.objects.filter(tenant=tenant).exists()
        assert not Client.objects.filter(tenant=tenant).exclude(name=ERASED).exists()
        assert not Membership.objects.filter(tenant=tenant).exists()


@_deed
def closed_beside_an_erased_one(stage: Stage) -> None:
    """A closed tenant may be written in the name of, though another one was erased."""
    _third()
    closed = make_tenant("fourth", status="closed")
    try:
        with transaction.atomic():
            refuse_erased(closed.pk)
    except Refusal as refusal:
        raise AssertionError(f"taken for an erased one: {refusal}") from refusal


@_deed
def purging(stage: Stage) -> None:
    """Destroys what is due, and tells of it in the books of its own tenant."""
    with _untouched(stage.b):
        Client.objects.filter(uuid=stage.a.ids["gone"]).update(purge_at=NOW)
        assert purge_due(at=NOW) == 1


@_deed
def replacing_a_token(stage: Stage) -> None:
    """By the command revokes the tenant's own of that name, not the other's."""
    name = "same name"
    theirs, _ = make_token(stage.b.tenant, name=name)
    call_command("create_token", tenant=stage.a.tenant.slug, name=name, scopes="*", replace=True,
                 stdout=StringIO())  # fmt: skip
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@_deed
def a_run_that_names_what_is_anothers(stage: Stage) -> None:
    """By a worker finds nothing, whatever is to be done: as when a client went away meanwhile."""
    a, b = stage.a, stage.b
    caller = _caller(
        a.people["owner"], ApiToken.objects.get(tenant=a.tenant, name__contains="-owner")
    )
    theirs = UUID(b.ids["client"])
    days = {"days": 3}
    wanted: dict[str, dict[str, Any]] = {"update": {"note": "x"}, "extend": days, "top-up": days}
    wanted["move"] = {"interface": a.ids["interface"]}
    for action in set(BulkRun.Action.values) - {"create"}:
        run = BulkRun(tenant=a.tenant, action=action, total=1, actor_name="x")
        values = wanted.get(action, {})
        entries = [Entry(0, ref=str(theirs), client=theirs, values=values)]
        run.request = seal(run.uuid, caller, entries)
        run.save()
        with _untouched(b):
            tasks.bulk(run_id=run.pk)
        item = BulkItem.objects.get(run=run)
        assert (item.outcome, item.code) == ("failed", "not_found"), (action, item.message)
        assert item.client_id is None


# -- what both have --------------------------------------------------------------------------


@_deed
def a_name_that_another_has(stage: Stage) -> None:
    """Is free: of a plan, of a token, as a seller's id, singly and in bulk."""
    b = stage.b
    _post(stage.a, "plans", {"name": b.tenant.plans.order_by("pk")[0].name}, 201)
    name = ApiToken.objects.filter(tenant=b.tenant, revoked_at__isnull=True)[0].name
    _post(stage.a, "tokens", {"name": name, "scopes": ["clients:read"]}, 201)
    _post(stage.a, "clients", {"name": "x", "external_id": b.ids["client external"]}, 201)
    new = {"name": "y", "external_id": b.ids["held external"]}
    answer = _owner(stage.a).post(
        "/api/v1/clients/bulk", {"action": "create", "items": [new]}, format="json"
    )
    assert answer.status_code in (200, 201, 202), answer.content[:300]
    assert Client.objects.filter(tenant=stage.a.tenant, external_id=new["external_id"]).exists()


@_deed
def a_key_of_idempotency_that_another_used(stage: Stage) -> None:
    """Is answered each with one's own answer."""
    for _ in range(2):
        for side in (stage.a, stage.b):
            body = {"name": f"mine is {side.letter}"}
            made = _post(side, "plans", body, 201, HTTP_IDEMPOTENCY_KEY="of-both")
            assert made["name"] == body["name"]


@_deed
def a_person_of_several_tenants(stage: Stage) -> None:
    """Has in each the role of that one; leaving one ends the tokens of that one."""
    a, b = stage.a, stage.b
    default = Tenant.objects.get(slug="default")
    guest = make_user("guest", tenant=default, role="owner", email="")
    Membership.objects.create(tenant=b.tenant, user=guest, role="owner")
    away = [make_token(one, user=guest)[0] for one in (default, b.tenant)]
    with _untouched(b):
        _post(a, "members", {"role": "viewer", "username": "guest"}, 201)
        here, text = make_token(a.tenant, user=guest)
        api = bearer(text)
        refused = api.post("/api/v1/plans", {"name": "x"}, format="json")
        assert refused.status_code == 403
        asking = _caller(guest, ApiToken.objects.get(pk=here.pk))
        assert asking.role == "viewer"
        assert renewed(asking, "clients:write", at=NOW) is None, "by a worker, later"
        assert _owner(a).delete(f"/api/v1/members/{guest.uuid}").status_code == 204
    for token, revoked in ((here, True), *((one, False) for one in away)):
        token.refresh_from_db()
        assert (token.revoked_at is not None) == revoked
    last = _owner(a).delete(f"/api/v1/members/{a.ids['owner']}")
    assert last.status_code == 409, "another tenant's owner is none of this one"


@_deed
def a_sandbox(stage: Stage) -> None:
    """Is its tenant's: the owner sees the tokens that work on it."""
    token = ApiToken.objects.get(tenant=stage.a.twin)
    assert _owner(stage.a).get(f"/api/v1/tokens/{token.uuid}").status_code == 200
    assert _owner(stage.b).get(f"/api/v1/tokens/{token.uuid}").status_code == 404


# -- addresses and interfaces that are shared ------------------------------------------------


@_deed
def what_a_deleted_client_keeps(stage: Stage) -> None:
    """On the shared interface is kept from everybody but its own tenant."""
    shared, b = _shared(stage), stage.b
    gone = Client.objects.get(uuid=b.ids["gone"])
    kept = make_peer(gone, shared, deleted_at=gone.deleted_at)
    pool = shared.pools.order_by("family")[0]
    PeerAddress.objects.filter(peer=kept, pool=pool).delete()
    address = "10.252.77.77"
    PeerAddress.objects.create(
        gateway=shared.gateway, tenant=b.tenant, peer=kept, pool=pool, address=address, family=4
    )
    before = list(PeerAddress.objects.filter(peer=kept).values_list())
    body = {"name": "x", "interface": str(shared.uuid), "addresses": [address]}
    with _untouched(b):
        _post(stage.a, "clients", body, 409)
    assert list(PeerAddress.objects.filter(peer=kept).values_list()) == before


@_deed
def a_pool_that_is_not_the_tenants(stage: Stage) -> None:
    """On an interface that is gives no addresses, neither by number nor by name."""
    shared = _shared(stage)
    other = AddressPool.objects.create(
        gateway=shared.gateway, interface=shared, name="another's", network="10.253.0.0/24",
        family=4, first="10.253.0.2", last="10.253.0.254", size=253,
    )  # fmt: skip
    plain = {"interface": str(shared.uuid)}
    _post(stage.a, "clients", {"name": "x", **plain}, 201)
    bulk = {"action": "create", "items": [{"name": "y", **plain}]}
    _owner(stage.a).post("/api/v1/clients/bulk", bulk, format="json")
    answer = _owner(stage.a).post(
        "/api/v1/clients", {"name": "z", **plain, "addresses": ["10.253.0.9"]}, format="json"
    )
    assert answer.status_code in (400, 409), answer.content[:300]
    assert Client.objects.filter(tenant=stage.a.tenant, name="y").exists()
    assert not PeerAddress.objects.filter(pool=other).exists()
    places = _owner(stage.a).get("/api/v1/locations").content
    AddressPool.objects.filter(pk=other.pk).update(next_offset=253)  # nothing left in it
    assert _owner(stage.a).get("/api/v1/locations").content == places


@_deed
def applying(stage: Stage) -> None:
    """What is the tenant's own is brought forward, and nobody else's."""
    later = NOW + timedelta(hours=1)
    for side in (stage.a, stage.b):
        item = JobItem.objects.filter(job__tenant=side.tenant)
        item.update(status=JobItem.Status.OPEN, due_at=later, settled_at=None)
    with _untouched(stage.b):
        answer = _owner(stage.a).post("/api/apply-wg-config", {}, format="json")
        assert answer.status_code < 300
    assert not JobItem.objects.filter(job__tenant=stage.a.tenant, due_at=later).exists()


@_deed
def a_client_that_went_to_another(stage: Stage) -> None:
    """Is shown to its former seller as it was, not as it is."""
    a, b = stage.a, stage.b
    operator = next(one for one in stage.callers if one.operator == "full")
    path, body = f"/api/v1/clients/{a.ids['client']}", {"tenant": b.ids["slug"]}
    left: dict[str, Any] = {"HTTP_X_VWG_TENANT": operator.header}
    answer = operator.api.post(f"{path}/transfer", body, format="json", **left)
    assert answer.status_code < 300, answer.content[:300]
    changed = _owner(b).patch(path, {"name": "moved-on", "external_id": "moved-on"}, format="json")
    assert changed.status_code == 200
    keys = set(Peer.objects.filter(client__uuid=a.ids["client"]).values_list("uuid", flat=True))
    run = f"bulk/{a.ids['run']}"
    for thing in (run, f"{run}/items", "jobs", f"jobs/{a.ids['job']}/items", "events", "clients"):
        shown = _owner(a).get(f"/api/v1/{thing}")
        assert shown.status_code == 200
        text = shown.content.decode()
        assert "moved-on" not in text, thing
        assert thing == "events" or not [key for key in keys if str(key) in text], thing


# -- share links -----------------------------------------------------------------------------


@_deed
def a_link_whose_device_went_away(stage: Stage) -> None:
    """Or whose tenant is suspended shows nothing; it takes no key, not even a moment later."""
    a = stage.a
    secret = a.texts["secret"]
    ShareLink.objects.filter(pk=a.link.pk).update(allows_key=True, single_use=True)
    Peer.objects.filter(pk=a.link.peer_id).update(awaits_key=True)
    link = find_link(secret, at=NOW)
    assert link is not None
    Tenant.objects.filter(pk=a.tenant.pk).update(status="suspended")
    assert find_link(secret, at=NOW) is None
    assert Browser().get(f"/s/{secret}").status_code == 404
    Tenant.objects.filter(pk=a.tenant.pk).update(status="active")
    Peer.objects.filter(pk=a.link.peer_id).update(tenant=stage.b.tenant)
    assert find_link(secret, at=NOW) is None
    links = _owner(stage.b).get(f"/api/v1/peers/{stage.a.ids['peer']}/share-links")
    assert links.json().get("results", []) == [], "those of who had the device before"
    try:
        set_customer_key(link=link, public_key="CCCC" * 10 + "wxU=", address=None, at=NOW)
    except Missing:
        return
    raise AssertionError("a device of another tenant took a key")
