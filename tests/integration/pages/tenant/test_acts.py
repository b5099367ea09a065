"""What is done on a tenant's own pages is done, shown, and refused where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from audit.models import AuditEvent
from quotas.models import Plan
from tenants.models import ApiToken, Membership, Tenant, User
from tests.integration.pages.tenant.test_pages import browser_of
from tests.make import make_client

PLAN = {
    "name": "Gamer 50", "total_gb": "50", "reset": "month", "duration_days": "30", "devices": "2",
    "download_mbit": "20", "upload_mbit": "0.5", "at_limit": "throttle", "throttle_mbit": "0.5",
    "start": "first-handshake", "start_within_days": "60", "grace_hours": "1.5",
}  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 30 + b"IEND\xaeB`\x82"


@pytest.fixture
def owner(alice: User, acme: Tenant) -> Browser:
    return browser_of(alice)


def test_a_plan_is_made_shown_changed_and_taken_away(owner: Browser, acme: Tenant) -> None:
    assert owner.post("/t/acme/plans/new/", PLAN)["Location"] == "/t/acme/plans/"
    plan = Plan.objects.get(tenant=acme)
    assert (plan.total_bytes, plan.upload_kbit, plan.grace_seconds) == (50 * 10**9, 500, 5400)
    listed = owner.get("/t/acme/plans/").content.decode()
    assert "50 GB a month" in listed
    assert "slows to 500 kbit/s" in listed
    form = owner.get(f"/t/acme/plans/{plan.uuid}/").content.decode()
    assert 'value="0.5"' in form
    assert 'value="50"' in form

    changed = {**PLAN, "total_gb": "60", "version": plan.version}
    assert owner.post(f"/t/acme/plans/{plan.uuid}/", changed).status_code == 302
    plan.refresh_from_db()
    assert plan.total_bytes == 60 * 10**9
    stale = owner.post(f"/t/acme/plans/{plan.uuid}/", changed)
    assert stale.status_code == 409
    assert "changed since you read it" in stale.content.decode()

    make_client(acme, plan=plan)
    question = owner.get(f"/t/acme/plans/{plan.uuid}/remove/").content.decode()
    assert "1 client has it and keeps it" in question
    owner.post(f"/t/acme/plans/{plan.uuid}/remove/")
    plan.refresh_from_db()
    assert plan.archived_at is not None
    assert "Gamer 50" in owner.get("/t/acme/plans/?show=archived").content.decode()
    owner.post(f"/t/acme/plans/{plan.uuid}/remove/")
    plan.refresh_from_db()
    assert plan.archived_at is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "name"),
        ("total_gb", "-1", "greater than or equal to 0"),
        ("total_gb", "1e400", "digits"),
        ("devices", "0", "from 1 to"),
        ("throttle_mbit", "", "how slow"),
        ("duration_days", "99999999", "from 1 to"),
        ("upload_gb", "3", "not both"),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(
    field: str, value: str, words: str, owner: Browser
) -> None:
    answer = owner.post("/t/acme/plans/new/", {**PLAN, field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert words in page
    assert f'id="f-{field}_error"' in page
    assert 'value="60"' in page
    assert not Plan.objects.exists()


def test_a_tokens_text_is_shown_once(owner: Browser, acme: Tenant) -> None:
    form = {"name": "shop", "kind": "some", "scopes": ["clients:read"], "expires_at": "30"}
    made = owner.post("/t/acme/tokens/new/", form)
    token = ApiToken.objects.get(tenant=acme)
    text = made.content.decode()
    assert f"vwg_{token.prefix}" in text or token.prefix in text
    assert "no-store" in made["Cache-Control"]
    assert token.scopes == ["clients:read"]
    assert token.digest not in owner.get("/t/acme/tokens/").content.decode()
    secret = text.partition('id="token-text"')[2].partition('value="')[2].partition('"')[0]
    assert len(secret) > 30
    assert secret not in owner.get("/t/acme/tokens/").content.decode()
    Browser().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    owner.post(f"/t/acme/tokens/{token.uuid}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_token_needs_a_scope(owner: Browser) -> None:
    answer = owner.post("/t/acme/tokens/new/", {"name": "shop", "kind": "some"})
    assert answer.status_code == 400
    assert "at least one scope" in answer.content.decode()
    bad = {"name": "shop", "kind": "*", "allowed_cidrs": "203.0.113.0/24\nnonsense"}
    assert 'id="f-allowed_cidrs_error"' in owner.post("/t/acme/tokens/new/", bad).content.decode()


def test_members_come_change_and_go(owner: Browser, acme: Tenant, alice: User) -> None:
    form = {"who": "mina@example.org", "role": "viewer"}
    assert owner.post("/t/acme/members/new/", form).status_code == 302
    mina = Membership.objects.get(tenant=acme, user__email="mina@example.org")
    twice = owner.post("/t/acme/members/new/", form)
    assert (twice.status_code, "already" in twice.content.decode()) == (409, True)
    owner.post(f"/t/acme/members/{mina.user.uuid}/role/", {"role": "manager"})
    mina.refresh_from_db()
    assert mina.role == "manager"
    owner.post(f"/t/acme/members/{mina.user.uuid}/remove/")
    assert not Membership.objects.filter(pk=mina.pk).exists()
    alone = owner.post(f"/t/acme/members/{alice.uuid}/remove/")
    assert (alone.status_code, "at least one active owner" in alone.content.decode()) == (409, True)


def test_settings_are_saved_and_previewed(owner: Browser, acme: Tenant) -> None:
    form = {
        "brand_name": "Kestrel", "brand_color": "#0A7D8C", "timezone": "Asia/Tehran",
        "language": "fa", "warn_percents": "70, 90", "warn_days": "5", "version": acme.version,
    }  # fmt: skip
    assert owner.post("/t/acme/settings/", form).status_code == 302
    acme.refresh_from_db()
    assert (acme.brand_color, acme.warn_percents, acme.timezone) == (
        "#0a7d8c", [70, 90], "Asia/Tehran",
    )  # fmt: skip
    assert owner.post("/t/acme/settings/", form).status_code == 409
    bad = owner.post("/t/acme/settings/", {**form, "version": "", "brand_color": "red"})
    assert (bad.status_code, 'id="f-brand_color_error"' in bad.content.decode()) == (400, True)
    preview = owner.get(
        "/t/acme/settings/preview/", {"brand_name": "Neu", "brand_color": "#112233"}
    )
    assert "Neu" in preview.content.decode()
    assert "/s/brand/112233-" in preview.content.decode()
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in preview["Content-Security-Policy"]
    acme.refresh_from_db()
    assert acme.brand_name == "Kestrel"


def test_a_logo_is_a_picture(owner: Browser, acme: Tenant) -> None:
    owner.post("/t/acme/settings/logo/", {"logo": SimpleUploadedFile("x.png", b"<svg/>")})
    acme.refresh_from_db()
    assert acme.brand_logo_type == ""
    owner.post("/t/acme/settings/logo/", {"logo": SimpleUploadedFile("x.png", PNG)})
    acme.refresh_from_db()
    assert acme.brand_logo_type == "image/png"
    owner.post("/t/acme/settings/logo/", {"remove": "1"})
    acme.refresh_from_db()
    assert acme.brand_logo_type == ""


def test_a_statement_is_a_file(owner: Browser, acme: Tenant) -> None:
    now = datetime.now(UTC)
    answer = owner.get(f"/t/acme/usage/{now.year}-{now.month}.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert b"".join(answer).splitlines()[-1].startswith(b"total")
    assert owner.get("/t/acme/usage/1999-13.csv").status_code == 404


def test_the_history_is_narrowed(owner: Browser, acme: Tenant) -> None:
    owner.post("/t/acme/plans/new/", PLAN)
    assert AuditEvent.objects.get(tenant=acme, action="plan.created")
    assert "Gamer 50" in owner.get("/t/acme/history/?kind=plan&what=gamer").content.decode()
    assert "Gamer 50" not in owner.get("/t/acme/history/?kind=token").content.decode()
    assert "Gamer 50" not in owner.get("/t/acme/history/?who=nobody").content.decode()
