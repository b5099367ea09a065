"""Every refusal has one shape and says nothing it should not."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client as Browser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from rest import errors as refusals
from rest.fields import PlainText, StrictSerializer
from tenants.models import User
from wireguard.errors import InvalidConfig, InvalidKey

SECRET = "/srv/secret SELECT * FROM tenants_user"


class Body(StrictSerializer):
    name = PlainText(max_length=5)


class Failing(APIView):
    """Raises what it is told."""

    scopes = {"GET": "clients:read", "POST": "clients:write"}
    error: Exception = Exception()

    def get(self, request: Request) -> Response:
        raise self.error

    def post(self, request: Request) -> Response:
        Body(data=request.data).is_valid(raise_exception=True)
        return Response("fine")


class FailingFounding(Failing):
    founding = True


def ask(user: User, error: Exception, view: type[Failing] = Failing) -> Any:
    request = APIRequestFactory().get("/")
    force_authenticate(request, user)
    return view.as_view(error=error)(request).render()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (refusals.Invalid("No."), 400),
        (refusals.Forbidden("No."), 403),
        (refusals.Missing("No."), 404),
        (Http404("no row " + SECRET), 404),
        (refusals.Conflict("No."), 409),
        (refusals.StaleVersion("No."), 412),
        (refusals.Unprocessable("No."), 422),
        (refusals.NotApplied("No.", extra={}), 502),
        (refusals.Unavailable("No."), 503),
        (InvalidConfig("no", field="AllowedIPs"), 400),
        (InvalidKey("no"), 400),
        (OperationalError(SECRET), 503),
        (InterfaceError(SECRET), 503),
        (IntegrityError(SECRET), 409),
        (DataError(SECRET), 400),
    ],
)
def test_each_refusal_has_its_status_and_the_shape_of_rfc_9457(
    alice: User, error: Exception, status: int
) -> None:
    answer = ask(alice, error)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body.keys() == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["type"].startswith("/problems/")
    assert body["errors"][0].keys() == {"field", "code", "detail"}
    assert "SELECT" not in answer.content.decode()
    assert "/srv" not in answer.content.decode()


def test_a_refusal_names_its_field_and_code(alice: User) -> None:
    error = refusals.Conflict("This is taken.", field="allowed_ips", code="address_taken")
    body = json.loads(ask(alice, error).content)
    assert body["detail"] == "allowed_ips: This is taken."
    assert body["errors"] == [
        {"field": "allowed_ips", "code": "address_taken", "detail": "This is taken."}
    ]


def test_the_founding_calls_keep_their_shape(alice: User) -> None:
    error = refusals.Conflict("This is taken.", field="allowed_ips", code="address_taken")
    answer = ask(alice, error, FailingFounding)
    body = json.loads(answer.content)
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/json"
    assert body["success"] is False
    assert body["message"] == "allowed_ips: This is taken."
    assert body["errors"][0]["code"] == "address_taken"


@pytest.mark.parametrize("error", [refusals.Unavailable("No."), OperationalError("x")])
def test_what_may_pass_says_when_to_try_again(alice: User, error: Exception) -> None:
    assert int(ask(alice, error)["Retry-After"]) > 0


def test_what_was_stored_although_it_failed_is_named(alice: User) -> None:
    answer = ask(alice, refusals.NotApplied("No.", extra={"job": {"id": "1"}}))
    assert json.loads(answer.content)["job"] == {"id": "1"}


def post(user: User, body: bytes, media_type: str) -> Any:
    request = APIRequestFactory().post("/", data=body, content_type=media_type)
    force_authenticate(request, user)
    return Failing.as_view()(request).render()


def test_each_wrong_field_is_named(alice: User) -> None:
    answer = post(alice, b'{"name": "too long", "x": 1}', "application/json")
    errors = json.loads(answer.content)["errors"]
    assert {(error["field"], error["code"]) for error in errors} == {
        ("name", "max_length"),
        ("x", "unknown_field"),
    }


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"name": "a"}', "application/json", 200),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b"<name/>", "application/xml", 415),
        (b'{"name": "a"}', "text/plain", 415),
        (b'{"name": "a"}', "application/json; charset=utf-16", 415),
        (b'"' + b"x" * (3 * 1024 * 1024) + b'"', "application/json", 413),
    ],
)
def test_only_strict_json_gets_in(alice: User, body: bytes, media_type: str, status: int) -> None:
    assert post(alice, body, media_type).status_code == status


def test_a_foreign_job_is_byte_equal_to_one_that_never_was(
    alice_api: APIClient, mallory_api: APIClient, acme: Any
) -> None:
    job = acme.job_set.create(kind="create")
    assert alice_api.get(f"/api/v1/jobs/{job.uuid}").status_code == 200
    foreign = mallory_api.get(f"/api/v1/jobs/{job.uuid}")
    missing = mallory_api.get(f"/api/v1/jobs/{uuid.uuid4()}")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    assert foreign.headers == missing.headers


@pytest.mark.parametrize("path", ["1", "1 OR 1=1", "x" * 10_000, "%00", "..%2f..%2fetc"])
def test_an_id_that_is_none_is_a_404_in_json(alice_api: APIClient, path: str) -> None:
    answer = alice_api.get(f"/api/v1/jobs/{path}")
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"field": None, "code": "not_found", "detail": "Not found."}]


def test_an_unknown_founding_path_has_the_founding_shape(db: None) -> None:
    assert Browser().get("/api/wg/nothing").json()["success"] is False


def test_an_unknown_page_is_html(db: None) -> None:
    answer = Browser().get("/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_bug_is_a_500_without_a_word_about_it(
    alice_api: APIClient, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("gateways.api.views.visible_jobs", broken)
    alice_api.raise_request_exception = False
    answer = alice_api.get("/api/v1/jobs")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "server_error"
    assert SECRET not in answer.content.decode()


def test_a_dead_database_is_a_503_before_any_view(
    alice_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: Any) -> Any:
        raise OperationalError(SECRET)

    monkeypatch.setattr("tenants.authentication._find", dead)
    answer = alice_api.get("/api/v1/jobs")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("accept", ["text/html", "application/x-foo", "*/*"])
def test_there_is_no_browsable_api(alice_api: APIClient, accept: str) -> None:
    answer = alice_api.get("/api/v1/jobs", HTTP_ACCEPT=accept)
    assert answer.status_code in (200, 406)
    assert "json" in answer["Content-Type"]
