"""Views that somebody keeps: his own, of one tenant."""

from __future__ import annotations

from django.test import Client as Browser

from portal.clients.kept import MOST
from portal.models import SavedView
from tenants.models import Tenant, User
from tests.make import make_user

LIST = "/t/acme/clients/"
NEW = f"{LIST}views/new/"


def test_a_view_is_kept_shown_and_forgotten(reseller: Browser, acme: Tenant) -> None:
    assert "online" in reseller.get(f"{NEW}?online=true").content.decode()
    view = "tag=vip&sort=name&nonsense=1"
    made = reseller.post(NEW, {"name": "Shiraz shops", "view": view})
    assert made["Location"] == f"{LIST}?tag=vip&sort=name"
    page = reseller.get(made["Location"], follow=True).content.decode()
    assert "The view “Shiraz shops” is kept." in page
    assert 'aria-current="true"><bdi>Shiraz shops</bdi>' in page
    kept = SavedView.objects.get()
    assert reseller.post(f"{LIST}views/{kept.uuid}/forget/").status_code == 302
    assert not SavedView.objects.exists()


def test_a_bad_name_is_refused_at_its_field(reseller: Browser, acme: Tenant) -> None:
    reseller.post(NEW, {"name": "one", "view": "online=true"})
    for name, status in (("", 400), ("x" * 61, 400), ("a\nb", 400), ("one", 409)):
        answer = reseller.post(NEW, {"name": name, "view": "tag=a"})
        assert answer.status_code == status, name
        page = answer.content.decode()
        assert 'aria-invalid="true"' in page
        assert 'value="tag=a"' in page
    assert SavedView.objects.count() == 1


def test_there_is_an_end_to_them(reseller: Browser, acme: Tenant, alice: User) -> None:
    SavedView.objects.bulk_create(
        SavedView(tenant=acme, user=alice, name=str(n), query="") for n in range(MOST)
    )
    assert reseller.post(NEW, {"name": "more", "view": ""}).status_code == 400


def test_nobody_else_sees_or_forgets_them(reseller: Browser, acme: Tenant) -> None:
    reseller.post(NEW, {"name": "mine", "view": "online=true"})
    other = Browser()
    other.force_login(make_user("ben", tenant=acme))
    assert "mine" not in other.get(LIST).content.decode()
    path = f"{LIST}views/{SavedView.objects.get().uuid}/forget/"
    assert other.post(path).status_code == 404
    assert SavedView.objects.exists()
