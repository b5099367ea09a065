"""Who may act for a tenant."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from audit.models import AuditEvent
from tenants.models import Membership, Tenant, User
from tests.conftest import bearer
from tests.integration.resellers.conftest import session
from tests.make import make_tenant, make_token, make_user

MEMBERS = "/api/v1/members"
NOBODY = "00000000-0000-4000-8000-000000000000"


def one(user: User | str) -> str:
    return f"{MEMBERS}/{user.uuid if isinstance(user, User) else user}"


def test_a_new_person_is_made_without_a_password(owner_api: APIClient, acme: Tenant) -> None:
    answer = owner_api.post(MEMBERS, {"email": "Bob@Acme.example", "role": "manager"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["email"], body["username"], body["role"]) == ("Bob@Acme.example", None, "manager")
    assert owner_api.get(answer["Location"]).json() == body
    bob = User.objects.get(email="Bob@Acme.example")
    assert not bob.has_usable_password()
    event = AuditEvent.objects.get(action="member.added")
    assert (event.target_id, event.target_name) == (str(bob.uuid), "Bob@Acme.example")


def test_nothing_tells_whether_an_account_was_there(owner_api: APIClient, mallory: User) -> None:
    there = owner_api.post(MEMBERS, {"email": mallory.email.upper(), "role": "viewer"})
    new = owner_api.post(MEMBERS, {"email": "new@example.org", "role": "viewer"})
    assert there.status_code == new.status_code == 201
    assert there.json().keys() == new.json().keys()
    assert there.json()["username"] is new.json()["username"] is None
    assert there.json()["id"] == str(mallory.uuid)
    assert {m.tenant.slug for m in mallory.memberships.all()} == {"evil", "acme"}


def test_a_person_is_named_by_user_name(
    owner_api: APIClient, operator_api: APIClient, mallory: User, acme: Tenant
) -> None:
    make_user("nora", email="")
    answer = owner_api.post(MEMBERS, {"username": "nora", "role": "viewer"})
    assert (answer.status_code, answer.json()["username"]) == (201, "nora")
    again = owner_api.post(MEMBERS, {"username": "nora", "role": "owner"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-member")
    refused = [
        owner_api.post(MEMBERS, {"username": name, "role": "viewer"}).json()
        for name in ("Nora", "nobody", "mallory")
    ]
    assert refused[0] == refused[1] == refused[2], "it tells nobody's address, nor that he is there"
    assert refused[0]["errors"][0]["code"] == "user_unknown"
    wide = operator_api.post(
        MEMBERS, {"username": "mallory", "role": "viewer"}, headers={"X-VWG-Tenant": acme.slug}
    )
    assert (wide.status_code, wide.json()["email"]) == (201, "mallory@example.org")


def test_an_address_whose_user_name_is_taken_gets_another(owner_api: APIClient) -> None:
    make_user("bob@acme.example")  # with another address
    answer = owner_api.post(MEMBERS, {"email": "bob@acme.example", "role": "viewer"})
    assert answer.status_code == 201
    assert User.objects.get(email="bob@acme.example").username.startswith("user-")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "x@example.org"},
        {"role": "viewer"},
        {"email": "x@example.org", "role": "god"},
        {"email": "x@example.org", "role": "viewer", "operator": "full"},
        {"email": "x@example.org", "role": "viewer", "is_superuser": True},
        {"email": "x", "role": "viewer"},
        {"email": "", "role": "viewer"},
        {"email": 5, "role": "viewer"},
        {"username": "a\x00b", "role": "viewer"},
        {"username": "a\nb", "role": "viewer"},
    ],
)
def test_what_names_nobody_is_refused(owner_api: APIClient, body: Any) -> None:
    before = User.objects.count(), Membership.objects.count()
    assert owner_api.post(MEMBERS, body).status_code == 400
    assert (User.objects.count(), Membership.objects.count()) == before


def test_a_role_is_changed(owner_api: APIClient, viewer: User) -> None:
    answer = owner_api.patch(one(viewer), {"role": "manager"})
    assert (answer.status_code, answer.json()["role"]) == (200, "manager")
    event = AuditEvent.objects.get(action="member.updated")
    assert (event.before, event.after) == ({"role": "viewer"}, {"role": "manager"})
    same = owner_api.patch(one(viewer), owner_api.get(one(viewer)).json())
    assert same.status_code == 200
    assert AuditEvent.objects.filter(action="member.updated").count() == 1
    assert owner_api.patch(one(viewer), {"email": "x@example.org"}).status_code == 400


def test_the_last_owner_stays(owner_api: APIClient, alice: User, acme: Tenant) -> None:
    make_user("sleeper", tenant=acme, role="owner", is_active=False)
    for answer in (
        owner_api.delete(one(alice)),
        owner_api.patch(one(alice), {"role": "manager"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last-owner")
    assert alice.memberships.get().role == "owner"
    make_user("second", tenant=acme, role="owner")
    assert owner_api.delete(one(alice)).status_code == 204


def test_a_members_tokens_end_with_the_membership(
    owner_api: APIClient, viewer: User, acme: Tenant
) -> None:
    elsewhere = make_tenant("elsewhere")
    Membership.objects.create(user=viewer, tenant=elsewhere, role="viewer")
    twin = make_tenant("acme-sandbox", sandbox_of=acme)
    apis = [bearer(make_token(tenant, user=viewer)[1]) for tenant in (acme, twin, elsewhere)]
    assert [api.get("/api/v1/me").status_code for api in apis] == [200, 200, 200]
    assert owner_api.delete(one(viewer)).status_code == 204
    assert [api.get("/api/v1/me").status_code for api in apis] == [401, 401, 200]
    event = AuditEvent.objects.get(action="member.removed")
    assert len(event.after["revoked_tokens"]) == 2
    assert owner_api.get(one(viewer)).status_code == 404
    assert owner_api.delete(one(viewer)).status_code == 404


def test_members_by_role_and_tenant(
    viewer: User,
    alice: User,
    manager_api: APIClient,
    viewer_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    operator_api: APIClient,
) -> None:
    for api, reads, writes in (
        (manager_api, 200, 403),
        (viewer_api, 200, 403),
        (mallory_api, 404, 404),
        (anonymous_api, 401, 401),
    ):
        assert api.get(one(viewer)).status_code == reads
        assert api.patch(one(viewer), {"role": "owner"}).status_code == writes
        assert api.delete(one(viewer)).status_code == writes
    foreign, none = mallory_api.get(one(viewer)), mallory_api.get(one(NOBODY))
    assert foreign.content == none.content
    assert viewer_api.post(MEMBERS, {"email": "x@y.example", "role": "owner"}).status_code == 403
    names = [row["email"] for row in viewer_api.get(MEMBERS).json()["results"]]
    assert sorted(names) == ["alice@example.org", "manfred@example.org", "victor@example.org"]
    assert [row["email"] for row in mallory_api.get(MEMBERS).json()["results"]] == []
    owners = viewer_api.get(MEMBERS, {"role": "owner"}).json()["results"]
    assert [row["id"] for row in owners] == [str(alice.uuid)]
    assert viewer_api.get(MEMBERS, {"user__password": "x"}).status_code == 400
    acting = operator_api.patch(one(viewer), {"role": "manager"}, headers={"X-VWG-Tenant": "acme"})
    assert acting.status_code == 200
    assert AuditEvent.objects.get(action="member.updated").by_operator


def test_a_sandbox_has_no_members_of_its_own_and_shows_none(alice: User, acme: Tenant) -> None:
    make_tenant("acme-sandbox", sandbox_of=acme)
    api, header = session(alice), {"X-VWG-Tenant": "acme-sandbox"}
    assert api.get(MEMBERS, headers=header).json()["results"] == []
    assert api.get(one(alice), headers=header).status_code == 404
    answer = api.post(MEMBERS, {"email": "x@y.example", "role": "viewer"}, headers=header)
    assert answer.status_code == 409


def test_the_list_takes_the_same_queries_however_long(
    alice_api: APIClient, acme: Tenant, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        make_user(f"user{number}", tenant=acme)
    alice_api.get(MEMBERS)
    for limit in ("1", "5"):
        with django_assert_num_queries(2):
            alice_api.get(MEMBERS, {"limit": limit})


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(acme: Tenant) -> None:
    owners = [make_user(name, tenant=acme) for name in ("anna", "berta")]
    apis = [bearer(make_token(acme, user=owner)[1]) for owner in owners]
    barrier, codes = threading.Barrier(2), []

    def remove(api: APIClient, other: User) -> None:
        try:
            barrier.wait()
            codes.append(api.delete(one(other)).status_code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=remove, args=pair)
        for pair in zip(apis, reversed(owners), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes)[0] == 204
    assert sorted(codes)[1] in (401, 403, 404, 409)
    assert Membership.objects.filter(tenant=acme, role="owner").count() == 1
