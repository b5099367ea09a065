"""Where one is signed in, and ending it."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.test import Client as Browser

from audit.models import AuditEvent
from tenants.models import User
from tests.integration.pages.account.conftest import sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
SESSIONS = "/account/sessions/"


def test_they_are_listed_by_browser_and_place(alice: User) -> None:
    here = sign_in("alice", browser=Browser(headers={"User-Agent": FIREFOX}))
    sign_in("alice", browser=Browser(headers={"User-Agent": PHONE}))
    page = here.get(SESSIONS).content.decode()
    assert "Firefox · Linux" in page
    assert "Safari · iPhone" in page
    assert page.count("this browser") == 1
    assert page.count('name="session"') == 2, "one to end, and all others"


def test_one_that_is_ended_asks_to_sign_in(alice: User) -> None:
    here, phone = sign_in("alice"), sign_in("alice")
    row = UserSession.objects.get(session_key=phone.session.session_key)
    assert phone.get("/t/acme/").status_code == 200
    assert here.post(SESSIONS, {"session": str(row.pk)})["Location"] == SESSIONS
    assert phone.get("/t/acme/")["Location"] == "/sign-in/?next=/t/acme/"
    assert here.get("/t/acme/").status_code == 200
    event = AuditEvent.objects.get(action="user.sessions_ended")
    assert event.after == {"ended": 1, "addresses": ["127.0.0.1"]}


def test_all_others_end_at_once(alice: User) -> None:
    here, *others = [sign_in("alice") for _ in range(3)]
    here.post(SESSIONS, {"session": "others"})
    assert [browser.get("/account/").status_code for browser in others] == [302, 302]
    assert here.get("/account/").status_code == 200


def test_nobody_ends_anothers(alice: User, mallory: User) -> None:
    hers, his = sign_in("alice"), sign_in("mallory")
    row = UserSession.objects.get(user=alice)
    his.post(SESSIONS, {"session": str(row.pk)})
    assert hers.get("/account/").status_code == 200
    assert not AuditEvent.objects.filter(action="user.sessions_ended").exists()


def test_a_list_shows_ones_own_alone(alice: User, mallory: User) -> None:
    sign_in("alice", browser=Browser(headers={"User-Agent": PHONE}))
    assert "iPhone" not in sign_in("mallory").get(SESSIONS).content.decode()
