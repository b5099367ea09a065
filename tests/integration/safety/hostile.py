"""A database in which everything that can be a text of somebody's is a hostile one.

Written past every check of ours: what a page shows is safe whatever is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

from django.apps import apps
from django.db import models

#: Names of an element and of an attribute that no page has. A formula, too.
ELEMENT: Final = "vwgx"
ATTRIBUTE: Final = "onvwg"
SHORT: Final = f'="><{ELEMENT}>'
TEXT: Final = f"=\"'>--><{ELEMENT} {ATTRIBUTE}=alert(1)>"
#: JSON that holds words of people.
WORDS: Final = {"tags": [TEXT], "metadata": {TEXT: TEXT}, "before": {"name": TEXT, TEXT: TEXT},
                "after": {"name": TEXT, TEXT: TEXT}}  # fmt: skip
#: Columns that are made by vwg alone, or that mean nothing unless they have their form.
FORMED: Final = frozenset({
    # secrets, digests, keys
    "password", "session_key", "session_data", "prefix", "digest", "fingerprint", "key", "request",
    "private_key", "public_key", "preshared_key", "applied_key", "applied_psk", "answer_body",
    # addresses and networks, read as such
    "network", "first", "last", "address", "addresses", "applied_allowed_ips", "stamp", "boot_id",
    # what addresses of pages and other rows are found by
    "slug", "object_id", "actor_id", "target_id", "target_type", "action", "app_label", "model",
    "codename", "queue", "host_id", "username",
    # words of a list
    "timezone", "language", "brand_color", "brand_color_dark", "brand_logo_type", "country",
    "config_prefix", "table", "outcome", "closed_by", "observed_backend", "code",
    # Django's own record of a change, which is JSON
    "change_message",
})  # fmt: skip
#: Whose names are looked up in lists of vwg's own.
_LISTED: Final = {"gateways.ScheduledJob": {"name"}, "auth.Permission": {"name"}}


#: Rows that stay as they were written: hostile copies of them are added.
_STAYS: Final = {"audit.AuditEvent"}


def poison() -> set[str]:
    """Write it into every row of every table; the columns, as "app.Model.column"."""
    written = set()
    for model in apps.get_models(include_auto_created=True):
        columns = list(_columns(model))
        rows = list(model._default_manager.all())
        for number, row in enumerate(rows):
            texts = {column.name: _text(column, number) for column in columns}
            if model._meta.label in _STAYS:
                vars(row).update(texts, pk=None, id=None, uuid=uuid4())
                model._default_manager.bulk_create([row])
            elif texts:
                model._default_manager.filter(pk=row.pk).update(**texts)
        if rows:
            written |= {f"{model._meta.label}.{column.name}" for column in columns}
    return written


def _columns(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    kept = FORMED | _LISTED.get(model._meta.label, set())
    for column in model._meta.local_fields:
        if column.name in kept or column.choices:
            continue
        if isinstance(column, models.JSONField):
            if column.name in WORDS:
                yield column
        elif isinstance(column, models.CharField | models.TextField) and _room(column) > len(SHORT):
            yield column


def _room(column: models.Field[Any, Any]) -> int:
    return (column.max_length or 10_000) - 2


def _text(column: models.Field[Any, Any], number: int) -> Any:
    """A text that fits; another one in each row, for columns that may not repeat."""
    if column.name in WORDS:
        return WORDS[column.name]
    fits = _room(column) > len(TEXT)
    return f"{TEXT if fits else SHORT}{number}"
