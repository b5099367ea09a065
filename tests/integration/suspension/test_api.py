"""POST /api/v1/tenants/{id}/suspend, /resume, /close."""

from __future__ import annotations

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from gateways.models import Job
from tenants.models import Tenant, User
from tests.conftest import bearer
from tests.integration.control.conftest import Gateway
from tests.make import make_token
from tests.tags import tag

pytestmark = pytest.mark.django_db


def url(tenant: Tenant, act: str = "suspend") -> str:
    return f"/api/v1/tenants/{tenant.uuid}/{act}"


def test_suspend_answers_with_the_status_and_the_job(
    operator_api: APIClient, gateway: Gateway, acme: Tenant
) -> None:
    gateway.add()
    answer = operator_api.post(url(acme), {"reason": "unpaid"})
    body = answer.json()
    assert answer.status_code == 202
    assert (body["status"], body["status_reason"], body["version"]) == ("suspended", "unpaid", 2)
    assert answer["ETag"] == tag(acme, 2)
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.tenant) == ("suspend", acme)
    assert operator_api.get(body["job"]["href"]).status_code == 200


def test_its_tokens_are_refused_from_then_on(
    operator_api: APIClient, alice_api: APIClient, acme: Tenant
) -> None:
    assert alice_api.get("/api/v1/clients").status_code == 200
    operator_api.post(url(acme), {"reason": ""})
    refused = alice_api.post("/api/v1/clients", {"name": "x"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/tenant-suspended")
    operator_api.post(url(acme, "resume"))
    assert alice_api.get("/api/v1/clients").status_code == 200
    operator_api.post(url(acme, "close"), {"reason": "gone"})
    assert alice_api.get("/api/v1/clients").json()["type"] == "/problems/tenant-closed"


@pytest.mark.parametrize("act", ["suspend", "resume", "close"])
def test_only_a_full_operator_may(
    act: str,
    acme: Tenant,
    alice_api: APIClient,
    mallory_api: APIClient,
    anonymous_api: APIClient,
    viewer: User,
    auditor: User,
) -> None:
    for user, status in ((viewer, 403), (auditor, 403)):
        browser = APIClient()
        browser.force_login(user)
        assert browser.post(url(acme, act), {}, format="json").status_code == status
    assert alice_api.post(url(acme, act), {}).status_code == 403
    assert mallory_api.post(url(acme, act), {}).status_code == 403
    assert anonymous_api.post(url(acme, act), {}).status_code == 401
    weak = make_token(acme, scopes=["tenants:read"], operator=True)[1]
    assert bearer(weak).post(url(acme, act), {}).status_code == 403
    acme.refresh_from_db()
    assert acme.status == "active"


def test_if_match_names_the_version(operator_api: APIClient, acme: Tenant) -> None:
    assert operator_api.post(url(acme), {}, HTTP_IF_MATCH=tag(acme, 7)).status_code == 412
    assert operator_api.post(url(acme), {}, HTTP_IF_MATCH=tag(acme, 1)).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {"reason": 1},
        {"reason": None},
        {"reason": "x" * 256},
        {"reason": "a\nb"},
        {"reason": "a\0b"},
        {"status": "suspended"},
        [],
    ],
)
def test_bad_bodies_are_400_and_change_nothing(
    body: object, operator_api: APIClient, acme: Tenant
) -> None:
    assert operator_api.post(url(acme), body).status_code == 400
    acme.refresh_from_db()
    assert (acme.status, acme.version) == ("active", 1)


def test_what_is_so_already_is_409_and_no_tenant_404(operator_api: APIClient, acme: Tenant) -> None:
    answer = operator_api.post(url(acme, "resume"), {})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/already-active")
    operator_api.post(url(acme), {})
    again = operator_api.post(url(acme), {})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-suspended")
    assert operator_api.post(f"/api/v1/tenants/{uuid4()}/suspend", {}).status_code == 404
    assert operator_api.get(url(acme)).status_code == 405
    assert operator_api.post(url(acme) + "?x=1", {}).status_code == 400
