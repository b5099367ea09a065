"""Health, the API's description, the admin's door, the checks before a deployment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone

from gateways.models import Heartbeat, Interface
from tenants.models import ApiToken, User
from tests.make import make_gateway, make_interface, make_token
from vwg.description import operations

ROOT = Path(__file__).resolve().parents[3]


def beat(queue: str, seconds_ago: float) -> None:
    Heartbeat.objects.update_or_create(
        queue=queue, defaults={"seen_at": timezone.now() - timedelta(seconds=seconds_ago)}
    )


def test_live_leans_on_nothing(client: Browser) -> None:
    # No database fixture: a query here would be an error.
    assert client.get("/healthz/live").json() == {"status": "live"}


def test_ready_when_every_queue_was_heard_of(client: Browser, interface: Interface) -> None:
    beat("control", 5)
    beat("gateway.local", 50)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


@pytest.mark.parametrize("silent", ["control", "gateway.local"])
def test_not_ready_names_the_queue_that_is_silent(
    client: Browser, interface: Interface, silent: str
) -> None:
    beat("control", 5)
    beat("gateway.local", 5)
    beat(silent, 61)
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert [late["queue"] for late in answer.json()["late"]] == [silent]


def test_a_queue_that_was_never_heard_of_is_late(client: Browser, interface: Interface) -> None:
    beat("control", 5)
    assert client.get("/healthz/ready").json()["late"] == [
        {"queue": "gateway.local", "seen_at": None, "age_seconds": None}
    ]


def test_one_gateway_of_many_that_is_silent_takes_no_web_host_out_of_service(
    client: Browser, interface: Interface
) -> None:
    """It is named; only when no gateway is left to change anything on, nothing is ready."""
    make_interface(
        gateway=make_gateway("far"), name="wg1", listen_port=51821, is_default=False, addresses=[]
    )
    beat("control", 5)
    beat("gateway.local", 5)
    for late in (None, 61):  # a new one whose worker was never started; one that is cut off
        if late:
            beat("gateway.far", late)
        answer = client.get("/healthz/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        assert [one["queue"] for one in answer.json()["late"]] == ["gateway.far"]
    beat("gateway.local", 61)
    assert client.get("/healthz/ready").status_code == 503


def test_a_gateway_without_an_enabled_interface_is_not_waited_for(
    client: Browser, interface: Interface
) -> None:
    beat("control", 5)
    beat("gateway.local", 5)
    make_interface(gateway=make_gateway("spare"), is_default=False, enabled=False)
    assert client.get("/healthz/ready").status_code == 200


def test_a_dead_database_is_not_ready_and_not_a_crash(
    client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(**_: Any) -> Any:
        raise OperationalError("host=db.internal password=x")

    monkeypatch.setattr("vwg.health.late_queues", dead)
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "database": False,
        "late": [],
        "late_jobs": [],
    }


def test_there_is_an_icon_where_browsers_look_for_one(client: Browser, operator: User) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/icon.svg")
    client.force_login(operator)
    link = '<link rel="icon" href="/static/icon.svg">'
    for path in ("/", "/admin/"):
        assert link in client.get(path, follow=True).content.decode(), path


@pytest.mark.parametrize("path", ["/nothing", "/problems/", "/api/v1/nothing", "/healthz/live"])
def test_a_head_is_its_get_without_the_body(db: None, path: str) -> None:
    # Not by the test client, which takes the body off as no server does.
    found = {}
    for method in ("GET", "HEAD"):
        heads: list[Any] = []
        environ = RequestFactory().generic(method, path).environ
        sent = WSGIHandler()(environ, lambda *head, heads=heads: heads.extend(head))
        found[method] = (heads[0], dict(heads[1])["Content-Length"], b"".join(sent))
    assert found["GET"][2]
    assert found["HEAD"] == (*found["GET"][:2], b"")


def test_the_schema_is_complete_and_names_both_ways_in(client: Browser, tmp_path: Path) -> None:
    target = tmp_path / "schema.json"
    call_command(
        "spectacular", "--fail-on-warn", "--validate", format="openapi-json", file=str(target)
    )
    schema = json.loads(target.read_text())
    assert schema["openapi"].startswith("3.1")
    assert list(schema["components"]["securitySchemes"]) == ["token", "session"]
    ways = [found["security"] for _, _, found in operations(schema)]
    assert ways == [[{"token": []}, {"session": []}]] * len(ways)
    assert "/api/v1/jobs/{job_id}" in schema["paths"]
    assert client.get("/api/v1/schema/").json()["openapi"] == schema["openapi"]


def test_the_docs_have_no_inline_script_or_style_and_load_from_here(client: Browser) -> None:
    answer = client.get("/api/v1/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<style" not in page
    assert " style=" not in page
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 3
    for attributes, body in scripts:
        assert 'src="/' in attributes
        assert body.strip() == ""
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_the_admin_sends_strangers_to_the_portals_sign_in(client: Browser, db: None) -> None:
    answer = client.get("/admin/", follow=False)
    assert answer.status_code == 302
    login = client.get(answer["Location"])
    assert login["Location"].startswith("/sign-in/?next=/admin/")


def test_the_admin_has_no_password_form(client: Browser, operator: User) -> None:
    answer = client.post(
        "/admin/login/", {"username": "oscar", "password": "correct horse battery"}
    )
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_admin_is_closed_to_members(client: Browser, alice: User) -> None:
    User.objects.update(is_staff=True)
    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_admin_is_open_to_operators(client: Browser, operator: User) -> None:
    client.force_login(operator)
    assert client.get("/admin/").status_code == 200


def test_a_full_operator_needs_no_permission_rows(client: Browser, operator: User) -> None:
    User.objects.update(is_superuser=False, is_staff=False)
    client.force_login(operator)
    assert client.get("/admin/tenants/tenant/add/").status_code == 200


def test_an_operator_who_may_look_changes_nothing_in_the_admin(
    client: Browser, auditor: User, alice: User
) -> None:
    client.force_login(auditor)
    assert client.get("/admin/").status_code == 200
    path = f"/admin/tenants/user/{alice.pk}/change/"
    page = client.get(path)
    assert page.status_code == 200
    assert alice.password not in page.content.decode()
    assert client.post(path, {"username": "x", "operator": "full"}).status_code == 403
    assert client.get("/admin/tenants/user/add/").status_code == 403


@pytest.mark.parametrize("model", ["tenant", "user", "apitoken"])
def test_the_admin_shows_no_digest(
    client: Browser, operator: User, alice: User, model: str
) -> None:
    token, text = make_token(alice.tenants.get())
    client.force_login(operator)
    rows = {"tenant": token.tenant_id, "user": alice.pk, "apitoken": token.pk}
    for path in ("", f"{rows[model]}/change/"):
        answer = client.get(f"/admin/tenants/{model}/{path}")
        assert answer.status_code == 200
        page = answer.content.decode()
        assert token.digest not in page
        assert text not in page


def test_a_token_is_revoked_but_never_made_or_changed_in_the_admin(
    client: Browser, operator: User, alice: User
) -> None:
    token, _ = make_token(alice.tenants.get())
    client.force_login(operator)
    assert client.get("/admin/tenants/apitoken/add/").status_code == 403
    assert client.post(f"/admin/tenants/apitoken/{token.pk}/change/", {}).status_code == 403
    data = {"action": "revoke_selected", "_selected_action": [token.pk]}
    client.post("/admin/tenants/apitoken/", data)
    assert ApiToken.objects.get().revoked_at is not None


def test_the_audit_is_only_read(client: Browser, operator: User, alice: User) -> None:
    make_token(alice.tenants.get())
    client.force_login(operator)
    assert client.get("/admin/audit/auditevent/").status_code == 200
    assert client.get("/admin/audit/auditevent/add/").status_code == 403


def ids(**_: Any) -> set[str]:
    return {message.id or "" for message in run_checks(include_deployment_checks=True)}


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("DEBUG", True, "vwg.E001"),
        ("VWG_ENCRYPTION_KEYS", [], "vwg.E002"),
        ("VWG_ENCRYPTION_KEYS", ["a:short"], "vwg.E002"),
        ("VWG_CLIENT_ENCRYPTION_KEYS", ["nonsense"], "vwg.E003"),
        ("VWG_PUBLIC_URL", "vpn.example.org", "vwg.E004"),
        ("VWG_PUBLIC_URL", "https://vpn.example.org", "vwg.E005"),
        ("VWG_PUBLIC_URL", "http://vpn.example.org", "vwg.W001"),
        ("VWG_DRIVER", "memory", "vwg.E006"),
    ],
)
def test_a_mistake_of_a_deployment_is_found(
    settings: LazySettings, name: str, value: Any, found: str
) -> None:
    settings.VWG_DRIVER = "cli"
    assert found not in ids()
    setattr(settings, name, value)
    assert found in ids()


def test_a_deployment_behind_https_has_no_warning() -> None:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "VWG_ENCRYPTION_KEYS")},
        "SECRET_KEY": "k3J-9f_sL0qTz8bVnW2xYc5dRe7gHm4pAaBbCcDdEeFfGgHhIiJjKk",
        "VWG_ENV_FILE": "/dev/null",
        "VWG_PUBLIC_URL": "https://vpn.example.org",
        "VWG_BEHIND_PROXY": "1",
        "VWG_SSL_REDIRECT": "1",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
