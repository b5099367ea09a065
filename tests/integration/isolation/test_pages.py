"""Isolation of what is no API: the operators' pages and admin site, and what share links show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db import transaction
from django.test import Client as Browser
from django.urls import reverse

from tests.integration.isolation.declarations import (
    CUSTOMER_PAGES,
    OPERATOR_ACTS,
    OPERATOR_PAGES,
    SHARE_PAGES,
    TENANT_PAGES,
)
from tests.integration.isolation.matrix import MISSING, NOW, still
from tests.integration.isolation.world import Side, build, build_shared, identity, name
from tests.make import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sides(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Side, Side]]:
    """Built once for all tests of this file: what each does with them is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        with still():
            shared = build_shared()
            built = build("A", shared, NOW), build("B", shared, NOW)
        yield built
        transaction.set_rollback(True)


@pytest.fixture
def world(sides: tuple[Side, Side], db: None) -> Iterator[tuple[Side, Side]]:
    with still():
        yield sides


def browser(user: object = None) -> Browser:
    opened = Browser(raise_request_exception=False)
    if user is not None:
        opened.force_login(user)  # type: ignore[arg-type]
    return opened


@pytest.mark.parametrize("page", sorted({*OPERATOR_PAGES.values(), *OPERATOR_ACTS.values()}))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_is_for_operators(page: str, method: str, world: tuple[Side, Side]) -> None:
    a, b = world
    path = page.format(**{**b.ids, "slug": b.tenant.slug})
    root = make_user("root", is_superuser=True, is_staff=True)

    for who, statuses in ((None, {302, 405}), (a.people["owner"], {403, 405}), (root, {403, 405})):
        answer = getattr(browser(who), method)(path)
        assert answer.status_code in statuses
        assert "CNB" not in answer.content.decode(errors="replace")
    assert b.fingerprint() == b.first
    if method == "get":
        answer = browser(make_user("oscar", operator="full")).get(path)
        assert answer.status_code == (405 if page in OPERATOR_ACTS.values() else 200)


@pytest.mark.parametrize("page", sorted(TENANT_PAGES.values()))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_is_its_tenants(page: str, method: str, world: tuple[Side, Side]) -> None:
    a, b = world
    mine, theirs = f"/t/{a.tenant.slug}/", f"/t/{b.tenant.slug}/"
    owner = browser(a.people["owner"])
    paths = [theirs + page.format(**b.ids), theirs + page.format(**a.ids)]
    paths += [mine + page.format(**b.ids)] if "{" in page else []

    for path in paths:
        answer = getattr(owner, method)(path)
        assert answer.status_code in (404, 405)
        assert name("B", "")[:4] not in answer.content.decode(errors="replace")
        assert getattr(browser(), method)(path).status_code in (302, 404, 405)
    assert b.fingerprint() == b.first
    if method == "get":
        assert owner.get(mine + page.format(**a.ids)).status_code in (200, 302, 405)


@pytest.mark.parametrize("page", sorted(CUSTOMER_PAGES.values()))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_customer_sees_what_is_his(page: str, method: str, world: tuple[Side, Side]) -> None:
    a, b = world
    customer, path = browser(a.people["customer"]), page.format(**a.ids)
    if method == "get":
        answer = customer.get(path, follow=True)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert name("A", "client") in text
        for kind in ("held", "suspended", "gone", "interface", "owner", "note", "tag"):
            assert name("A", kind) not in text
        assert name("B", "")[:4] not in text
    mixed = page.format(login=a.ids["login"], peer=b.ids["peer"])
    other = page.format(login=a.ids["login"], peer=a.ids["held peer"])
    for tried in {page.format(**b.ids), mixed, other} - {path, "/my/"}:
        assert getattr(customer, method)(tried).status_code in (404, 405)
    for who in (a.people["owner"], a.people["viewer"], b.people["customer"], make_user("olga")):
        if "{" in page or who is not b.people["customer"]:
            answer = getattr(browser(who), method)(path)
            assert answer.status_code in (404, 405)
            assert name("A", "client") not in answer.content.decode()
    assert getattr(browser(), method)(path).status_code in (302, 405)
    found = b.fingerprint()
    assert found | {"tenants_user": []} == b.first | {"tenants_user": []}  # B's customer signed in


@pytest.mark.parametrize("page", sorted({*TENANT_PAGES.values(), *OPERATOR_PAGES.values()}))
def test_a_customer_is_no_member(page: str, world: tuple[Side, Side]) -> None:
    a, b = world
    customer = browser(a.people["customer"])
    paths = [page] if page.startswith("/") else [f"/t/{one.tenant.slug}/{page}" for one in (a, b)]
    for path in paths:
        for method in ("get", "post"):
            answer = getattr(customer, method)(path.format(**{**a.ids, "slug": a.tenant.slug}))
            assert answer.status_code in (403, 404, 405)
            assert name("A", "client") not in answer.content.decode(errors="replace")
    found = a.fingerprint()
    assert found | {"tenants_user": []} == a.first | {"tenants_user": []}  # he signed in


def test_the_admin_site_is_for_operators(world: tuple[Side, Side]) -> None:
    a, b = world
    owner, operator = browser(a.people["owner"]), browser(make_user("oscar", operator="full"))
    paths = [reverse("admin:index")]
    for model in site._registry:
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths.append(reverse(f"{place}_changelist"))
        keys = b.rows.get(model) or list(model._default_manager.values_list("pk", flat=True)[:1])
        paths += [
            reverse(f"{place}_{act}", args=[key])
            for key in keys[:1]
            for act in ("change", "history", "delete")
        ]
    assert len(paths) > 50
    for path in paths:
        for who in (browser(), owner):
            answer = who.get(path)
            assert answer.status_code in (302, 403), path
            assert "CNB" not in answer.content.decode(errors="replace"), path
        assert operator.get(path).status_code in (200, 302, 403), path
    assert operator.get(paths[0]).status_code == 200
    assert apps.get_model("peers.Client") in site._registry


def share_paths(secret: str) -> list[str]:
    return [one.partition(" ")[2].format(secret=secret) for one in sorted(SHARE_PAGES)]


def test_a_share_link_shows_its_own_device_alone(world: tuple[Side, Side]) -> None:
    a, b = world
    shown = [browser().get(path) for path in share_paths(a.texts["secret"])]
    assert {answer.status_code for answer in shown} <= {200, 404, 405}
    assert shown[0].status_code == 200
    for answer in shown:
        text = answer.content.decode(errors="replace")
        assert name("B", "")[:4] not in text
        assert str(identity("B", "peer")) not in text
    assert browser().post(share_paths(a.texts["secret"])[0]).status_code == 200
    assert b.fingerprint() == b.first


def test_no_secret_shows_nothing_and_one_that_ended_shows_the_same(
    world: tuple[Side, Side],
) -> None:
    _, b = world
    type(b.link).objects.filter(pk=b.link.pk).update(revoked_at=NOW)
    for ended, never in zip(share_paths(b.texts["secret"]), share_paths("n" * 43), strict=True):
        for method in ("get", "post"):
            one, other = getattr(browser(), method)(ended), getattr(browser(), method)(never)
            assert one.status_code == other.status_code
            assert one.status_code in (404, 405)
            assert one.content.replace(b.texts["secret"].encode(), b"n" * 43) == other.content
    assert MISSING
