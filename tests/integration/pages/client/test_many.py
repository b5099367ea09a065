"""Many new clients: what a list means, what is said of each line, and what is made."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client as Browser

from gateways.models import Interface
from peers.models import BulkRun, Client
from portal.create.lists import MOST, TooMany, rows_of
from tenants.models import Tenant
from tests.make import make_client, make_plan

MANY = "/t/acme/clients/many/"
PLAN = uuid4()


def names(text: str) -> list[str]:
    return [row.name for row in rows_of(text, {"Gamer 50": PLAN})]


def test_one_name_per_line() -> None:
    assert names("Sara\r\n\n  Kian  \nسرو, PS5\n") == ["Sara", "Kian", "سرو, PS5"]


def test_a_pattern_counts() -> None:
    assert names("shop-{001..003}") == ["shop-001", "shop-002", "shop-003"]
    assert names("till {8..11} north") == [f"till {n} north" for n in (8, 9, 10, 11)]
    assert names("a{3..1}") == []
    assert names("{x..y}") == ["{x..y}"]


@pytest.mark.parametrize("text", ["x{1..999999999}", "\n".join(map(str, range(MOST + 1)))])
def test_too_many_are_refused_without_being_counted_out(text: str) -> None:
    with pytest.raises(TooMany):
        rows_of(text, {})


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_names_its_columns(mark: str) -> None:
    heads = ("Name", "reference", "plan", "data", "days", "tags")
    cells = ("Sara", "A-1", "Gamer 50", "1.5 TB", "۳۰", "vip")
    (row,) = rows_of(f"{mark.join(heads)}\n{mark.join(cells)}\n", {"Gamer 50": PLAN})
    assert row.trouble == ""
    assert row.values == {
        "name": "Sara", "external_id": "A-1", "plan": PLAN, "quota_bytes": 1500 * 10**9,
        "duration_days": 30, "tags": ["vip"],
    }  # fmt: skip


def test_what_is_wrong_with_a_line_is_said_of_that_line() -> None:
    text = "name,plan,data\nSara,None such,\nKian,,5o GB\nOmid,,,x\nTara,Gamer 50,"
    rows = rows_of(text, {"Gamer 50": PLAN})
    assert [bool(row.trouble) for row in rows] == [True, True, True, False]
    assert [row.line for row in rows] == [2, 3, 4, 5]
    (other,) = rows_of("name,colour\nSara,red", {})
    assert "colour" in other.trouble


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))


def preview(browser: Browser, lines: str, **fields: str) -> str:
    answer = browser.post(MANY, {"lines": lines, "preview": "1", **fields})
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_the_preview_says_what_would_become_of_each_line_and_makes_nothing(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    make_client(acme, name="old", external_id="A-1")
    text = preview(reseller, "name,reference\nSara,A-1\nKian,A-2\nOmid,A-2\nb\x07d,A-4\nTara,A-5")
    assert "2 clients can be created." in text
    assert "3 lines cannot" in text
    assert "This reference stands in an earlier line." in text
    assert "Create 2 clients" in text
    assert Client.objects.count() == 1
    assert not BulkRun.objects.exists()


def test_the_run_makes_the_lines_that_can_be_made(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    plan = make_plan(acme, name="Gamer 50", total_bytes=5)
    fields = {"lines": "shop-{01..12}\nb\x07d", "plan": str(plan.uuid), "tags": "shops"}
    text = preview(reseller, **fields)
    form = {**hidden(text), **fields, "create": "1"}
    answers = [reseller.post(MANY, form) for _ in range(2)]
    run = BulkRun.objects.get()
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    assert (run.total, run.done, run.failed) == (13, 13, 1)
    made = Client.objects.order_by("pk")
    assert [client.name for client in made] == [f"shop-{n:02d}" for n in range(1, 13)]
    assert {(client.plan, tuple(client.tags)) for client in made} == {(plan, ("shops",))}


def test_what_was_changed_after_the_preview_is_previewed_again(
    reseller: Browser, interface: Interface
) -> None:
    form = {**hidden(preview(reseller, "Sara")), "lines": "Sara\nKian", "create": "1"}
    answer = reseller.post(MANY, form)
    assert answer.status_code == 200
    assert "2 clients can be created." in answer.content.decode()
    assert not Client.objects.exists()


def test_many_are_left_to_a_worker(reseller: Browser, interface: Interface) -> None:
    text = preview(reseller, "shop-{001..250}")
    assert "250 clients can be created." in text
    assert "and 200 more" in text
    reseller.post(MANY, {**hidden(text), "lines": "shop-{001..250}", "create": "1"})
    run = BulkRun.objects.get()
    assert (run.total, run.done) == (250, 0)


def test_the_limit_of_the_tenant_stands_in_the_preview(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_clients=120)
    text = preview(reseller, "shop-{001..250}")
    assert "120 clients can be created." in text
    assert "130 lines cannot" in text


@pytest.mark.parametrize("lines", ["", "\n \n", "a{3..1}"])
def test_no_name_is_refused(lines: str, reseller: Browser, interface: Interface) -> None:
    answer = reseller.post(MANY, {"lines": lines, "preview": "1"})
    assert answer.status_code == 400
    assert 'id="lines-err"' in answer.content.decode()


def test_what_people_paste_is_text(reseller: Browser, interface: Interface) -> None:
    text = preview(reseller, "<img src=x onerror=alert(1)>")
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
