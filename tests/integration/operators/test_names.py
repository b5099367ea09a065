"""The admin site speaks the reader's language of our own models."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.test import Client as Browser
from django.utils import translation

from deploy.catalogues import build
from tenants.models import User
from vwg.names import MODELS

_PERSIAN = re.compile("[\u0600-\u06ff]")


@pytest.fixture(scope="module", autouse=True)
def catalogues() -> None:
    build()


@pytest.mark.parametrize("label", MODELS)
def test_models_and_the_columns_of_their_lists_have_persian_names(label: str) -> None:
    model = apps.get_model(label)
    registered = admin.site._registry.get(model)
    with translation.override("fa"):
        names = [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
        if registered is not None:
            columns = [name for name in registered.list_display if name != "__str__"]
            names += [str(label_for_field(name, model, registered)) for name in columns]
    assert [name for name in names if not _PERSIAN.search(name) and name != "MTU"] == []


def test_every_model_that_the_site_shows_has_a_name() -> None:
    ours = {"audit", "tenants", "gateways", "quotas", "peers"}
    shown = {m._meta.label for m in admin.site._registry if m._meta.app_label in ours}
    assert shown - MODELS.keys() == set()


def test_the_index_is_in_the_readers_language(operator: User) -> None:
    browser = Browser()
    browser.force_login(operator)
    english = browser.get("/admin/").content.decode()
    assert "Device addresses" in english
    assert "addresss" not in english
    persian = browser.get("/admin/", headers={"Accept-Language": "fa"}).content.decode()
    assert "نشانی‌های دستگاه‌ها" in persian  # noqa: RUF001
    assert "Gateways" not in persian
