"""The profile, and that every page reads as it says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client as Browser
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from gateways.models import Interface
from portal import formats
from tenants.models import Tenant, User

CHOSEN = {
    "first_name": "Mina",
    "last_name": "",
    "language": "en",
    "theme": "dark",
    "timezone": "Asia/Tehran",
    "digits": "persian",
    "calendar": "jalali",
    "byte_units": "binary",
}
EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def persian(text: str) -> str:
    return text.translate({48 + digit: 0x6F0 + digit for digit in range(10)})


def written(text: str, **values: object) -> str:
    return Template("{% load portal %}" + text).render(Context(values))


def test_what_is_chosen_is_kept_and_told(alice: User, reseller: Browser) -> None:
    assert reseller.post("/account/", CHOSEN)["Location"] == "/account/"
    alice.refresh_from_db()
    assert (alice.first_name, alice.calendar, alice.single_keys) == ("Mina", "jalali", False)
    event = AuditEvent.objects.get(action="user.updated")
    assert (event.tenant, event.target_id, event.actor_id) == (None, *[str(alice.uuid)] * 2)
    assert event.before["timezone"] == ""
    assert event.after["timezone"] == "Asia/Tehran"
    reseller.post("/account/", CHOSEN)
    assert AuditEvent.objects.filter(action="user.updated").count() == 1, "nothing changed"


def test_the_page_reads_as_chosen(alice: User, reseller: Browser) -> None:
    reseller.post("/account/", CHOSEN)
    page = reseller.get("/account/", headers={"Accept-Language": "fa"}).content.decode()
    assert '<html lang="en" dir="ltr" data-theme="dark">' in page
    assert 'data-digits="arabext" data-keys="off"' in page
    assert "\u06f1\u06f7\u066b\u06f1 GiB" in page  # 17.1


@pytest.mark.parametrize(
    ("field", "value"),
    [("timezone", "Mars/Olympus"), ("digits", "roman"), ("language", "tlh"), ("theme", "pink")],
)
def test_what_cannot_be_is_refused_at_its_field(
    field: str, value: str, alice: User, reseller: Browser
) -> None:
    answer = reseller.post("/account/", {**CHOSEN, field: value})
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    alice.refresh_from_db()
    assert alice.first_name == ""


def test_an_invisible_character_is_refused(reseller: Browser) -> None:
    answer = reseller.post("/account/", {**CHOSEN, "first_name": "Mi\u202ena"})
    assert answer.status_code == 400
    assert 'id="id_first_name_error"' in answer.content.decode()


def test_another_browser_reads_as_the_account_says(alice: User, reseller: Browser) -> None:
    reseller.post("/language/", {"language": "fa", "next": "/"})
    reseller.post("/theme/", {"theme": "light", "next": "/"})
    other = Browser()
    other.force_login(alice)
    page = other.get("/account/").content.decode()
    assert '<html lang="fa" dir="rtl" data-theme="light">' in page


def test_a_word_that_no_button_sends_changes_no_account(alice: User, reseller: Browser) -> None:
    reseller.post("/theme/", {"theme": "pink", "next": "/"})
    reseller.post("/language/", {"language": "x" * 300, "next": "/"})
    alice.refresh_from_db()
    assert (alice.theme, alice.language) == ("", "")


def test_nobody_has_no_profile(db: None) -> None:
    assert Browser().get("/account/")["Location"] == "/sign-in/?next=/account/"


def test_a_member_keeps_the_menu_of_the_tenant_he_came_from(
    alice: User, reseller: Browser, evil: Tenant
) -> None:
    alice.memberships.create(tenant=evil, role="viewer")
    reseller.get(f"/t/{evil.slug}/")
    page = reseller.get("/account/").content.decode()
    assert f'<a href="/t/{evil.slug}/"' in page


def test_a_suspended_tenants_member_still_has_a_profile(
    alice: User, reseller: Browser, acme: Tenant
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(status="suspended")
    assert reseller.get("/account/").status_code == 200


def test_time_is_the_readers_then_the_tenants(alice: User, acme: Tenant) -> None:
    """Seen from inside a page of the tenant's."""
    Tenant.objects.filter(pk=acme.pk).update(timezone="Asia/Tehran")
    seen: list[str] = []

    def look(*_: object) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    for zone in ("", "Europe/Berlin"):
        User.objects.filter(pk=alice.pk).update(timezone=zone)
        browser = Browser()
        browser.force_login(alice)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("portal.home.views.render", look)
            browser.get("/t/acme/")
    assert seen == ["Asia/Tehran", "Europe/Berlin"]
    assert timezone.get_current_timezone_name() == "UTC", "nothing is left behind"
    assert formats.ways() == formats.Ways()


def test_customers_and_programs_do_not_read_as_who_is_signed_in(
    alice: User, reseller: Browser
) -> None:
    User.objects.filter(pk=alice.pk).update(language="fa")
    assert 'lang="en"' in reseller.get("/s/nobody-made-this-one").content.decode()
    assert reseller.get("/api/v1/me")["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("fields", "language", "expected"),
    [
        ({}, "en", "1,840 18.4 GB 22 November 2026 22 November 2026, 21:00"),
        ({"byte_units": "binary"}, "en", "1,840 17.1 GiB 22 November 2026 22 November 2026, 21:00"),
        ({"calendar": "jalali"}, "en", "1,840 18.4 GB 1 Azar 1405 1 Azar 1405, 21:00"),
        (
            {"digits": "latin", "calendar": "gregorian"},
            "fa",
            "1,840 18.4 گیگ 22 نوامبر 2026 22 نوامبر 2026، ساعت 21:00",
        ),
        (
            {},
            "fa",
            persian("1\u066c840 18\u066b4 گیگ 1 آذر 1405 1 آذر 1405، ساعت 21:00"),
        ),
    ],
)
def test_the_filters_follow(fields: dict[str, str], language: str, expected: str) -> None:
    text = "{{ n|number }} {{ b|size }} {{ at|plain_day }} {{ at|plain_moment }}"
    with translation.override(language), formats.read_by(User(**fields)):
        assert written(text, n=1840, b=18_400_000_000, at=EVENING) == expected


def test_dates_tell_programs_the_iso_form() -> None:
    with timezone.override("Asia/Tehran"):
        assert written("{{ at|day }}", at=EVENING) == (
            '<time datetime="2026-11-23">23 November 2026</time>'
        )
        assert written("{{ at|moment }}", at=EVENING) == (
            '<time datetime="2026-11-22T21:00:00+00:00">23 November 2026, 00:30</time>'
        )
    assert written("{{ at|day }}", at=date(2026, 11, 22)) == (
        '<time datetime="2026-11-22">22 November 2026</time>'
    )
    assert written("{{ at|day }}{{ at|moment }}{{ at|plain_day }}", at=None) == ""


@pytest.mark.parametrize(
    ("count", "decimal", "binary"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1 kB", "1,000 B"),
        (1024, "1 kB", "1 KiB"),
        (1_048_575, "1 MB", "1 MiB"),
        (50 * 10**9, "50 GB", "46.6 GiB"),
        (49_960_000_000, "50 GB", "46.5 GiB"),
        (18_400_000_000, "18.4 GB", "17.1 GiB"),
        (123_456_789, "123 MB", "118 MiB"),
        (10**16, "10,000 TB", "9,095 TiB"),
    ],
)
def test_sizes(count: int, decimal: str, binary: str) -> None:
    assert formats.size(count) == decimal
    with formats.read_by(User(byte_units="binary")):
        assert formats.size(count) == binary


def test_a_page_asks_no_more_for_it(
    browser: Browser,
    interface: Interface,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """The account is read with the session; the way it reads costs no query of its own."""
    browser.get("/account/")
    with django_assert_max_num_queries(4):
        browser.get("/account/")
