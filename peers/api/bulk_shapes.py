"""Bulk requests as the API describes them: a body of its own for each act.

They are read by `peers.api.bulk_serializers`, which leaves what is wrong with one entry to that
entry; here each act's items and arguments have their types.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from peers.api.bulk_serializers import ARGUMENTS, BulkTarget, Many
from peers.api.serializers import ClientCreate
from peers.filters import CLIENT_FILTERS
from peers.models import BulkRun
from rest.fields import PlainText, StrictBoolean, StrictSerializer

_CONDITIONS: Final = {name: one.schema() for name, one in CLIENT_FILTERS.items()}
_FILTER: Final = {
    "type": "object",
    "description": "Parameters of `GET /clients`: all that it would list, 1,000 at most.",
    "minProperties": 1,
    "properties": {name: {**one, "type": "string"} for name, one in _CONDITIONS.items()},
    "additionalProperties": False,
}
_FOR_ALL: Final = "What holds for each one whose item does not say otherwise."
_EXAMPLES: Final = Path(__file__).with_name("bulk_examples.toml")


class _How(StrictSerializer):
    """What may be said with every act."""

    all_or_nothing = StrictBoolean(required=False, help_text="One failure undoes all.")
    dry_run = StrictBoolean(required=False, help_text="Everything is checked, and nothing stays.")


class BulkDefaults(ClientCreate):
    """What holds for every new client whose item does not say otherwise."""

    name = PlainText(max_length=120, required=False)


class BulkCreate(_How):
    """New clients, each as `POST /clients` makes it."""

    items = Many(child=ClientCreate(), required=True)
    arguments = BulkDefaults(required=False, help_text=_FOR_ALL)


def _on_existing(word: str, arguments: type[StrictSerializer]) -> type[StrictSerializer]:
    """The body of an act on clients that exist."""
    name = f"Bulk{word.title().replace('-', '')}"
    about = f"A client to {word}, by its id or your own; `version` as `If-Match` names it."
    item = type(
        f"{name}Item", (BulkTarget,), {"__doc__": about, "arguments": arguments(required=False)}
    )
    return type(
        name,
        (_How,),
        {
            "__doc__": f"To {word} clients: those of `items`, `ids`, `external_ids` or `filter`, "
            "one of the four.",
            "items": Many(child=item()),
            "ids": Many(child=serializers.UUIDField()),
            "external_ids": Many(child=PlainText(max_length=120)),
            "filter": _described(_FILTER, required=False),
            "arguments": arguments(required=False, help_text=_FOR_ALL),
        },
    )


def _described(schema: dict[str, Any], **options: Any) -> Any:
    """A field that is described so."""
    kind: Any = type("Described", (serializers.JSONField,), {})
    return extend_schema_field(schema)(kind)(**options)


def _said(word: str, body: type[StrictSerializer]) -> type[StrictSerializer]:
    """The body with the word that tells it from the others."""
    action = _described({"type": "string", "const": word})
    return type(body.__name__, (body,), {"__doc__": body.__doc__, "action": action})


BULK_REQUEST: Final = PolymorphicProxySerializer(
    component_name="BulkAct",
    serializers={
        word: _said(word, BulkCreate if kind is None else _on_existing(word, kind))
        for word, kind in ((word, ARGUMENTS.get(word)) for word in BulkRun.Action.values)
    },
    resource_type_field_name="action",
)
#: An example of each act, and of each way to name clients.
EXAMPLES: Final = [
    OpenApiExample(name, value=value, request_only=True)
    for name, value in tomllib.loads(_EXAMPLES.read_text("utf-8")).items()
]
