"""An example for every body, made from its schema and a table of likely values by field name.

A view that wants another one says so with ``extend_schema(examples=[…])``; that one stays.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
_TABLE: Final = Path(__file__).with_name("samples.toml")
_FORMATS: Final = {
    "uuid": "5f0c7c1e-3c1b-4b57-9c57-0d2f2f3a9b1e",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "email": "sara@example.org",
    "uri": "https://vpn.example.org/",
    "uri-reference": "/api/v1/",
    "ipv4": "10.252.0.2",
    "ipv6": "fd52::2",
    "binary": "",
}
_PLAIN: Final[Json] = {"boolean": True, "integer": 1, "number": 1.5, "string": "text", "null": None}
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_DEEPEST: Final = 12


class Sampler:
    """Makes examples of the schemas of one description."""

    def __init__(self, schemas: Json) -> None:
        table = tomllib.loads(_TABLE.read_text("utf-8"))
        self._schemas = schemas
        self._values: Json = table["values"]
        self._fields: dict[str, list[str]] = table["requests"]
        self._media: Json = table["media"]

    def add_examples(self, operation: Json) -> None:
        """Give each body of an operation an example, unless it has one."""
        bodies = [(operation.get("requestBody", {}), True)]
        bodies += [(response, False) for response in operation["responses"].values()]
        for body, asked in bodies:
            for kind, media in body.get("content", {}).items():
                if "example" in media or "examples" in media:
                    continue
                if kind == "application/json":
                    schema = media.get("schema", {})
                    media["example"] = self.sample(schema, asked=asked)
                elif kind in self._media:
                    media["example"] = self._media[kind]

    def sample(self, schema: Any, *, name: str = "", owner: str = "", **how: Any) -> Any:
        """A value that the schema allows. ``how``: ``asked`` for a request, ``depth``."""
        depth = how.get("depth", 0)
        how = {**how, "depth": depth + 1}
        reference = str(schema.get("$ref", "")).rpartition("/")[2]
        if depth > _DEEPEST:
            return None
        for key in (f"{owner}.{name}", name):
            if key in self._values and self._fits(self._values[key], schema):
                return self._values[key]
        if reference:
            return self.sample(self._schemas[reference], owner=_bare(reference), **how)
        if "example" in schema or schema.get("examples"):
            return schema.get("example", next(iter(schema.get("examples", [])), None))
        for word in ("allOf", "oneOf", "anyOf"):
            if schema.get(word):
                return self.sample(schema[word][0], owner=owner, **how)
        return self._of_type(schema, owner, how)

    def _fits(self, value: Any, schema: Any) -> bool:
        """Whether a value of the table has the type, and is one of the words, of a schema."""
        while reference := str(schema.get("$ref", "")).rpartition("/")[2]:
            schema = self._schemas[reference]
        for word in ("allOf", "oneOf", "anyOf"):
            if word in schema:
                return any(self._fits(value, part) for part in schema[word])
        kinds = schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if kinds and not any(isinstance(value, _TYPES[kind]) for kind in kinds):
            return False
        return "enum" not in schema or value in schema["enum"]

    def _of_type(self, schema: Json, owner: str, how: Json) -> Any:
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = next(iter(kinds)) if isinstance(kinds, list) else kinds
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        if kind == "object":
            return self._object(schema, owner, how)
        if kind == "array":
            items = schema.get("items") or {}
            return [self.sample(items, owner=owner, **how)] if items else []
        if kind == "integer":
            return max(int(schema.get("minimum", 1)), 1)
        return _FORMATS.get(schema.get("format", ""), _PLAIN.get(kind))

    def _object(self, schema: Json, owner: str, how: Json) -> Json:
        properties: Json = schema.get("properties", {})
        names = list(properties)
        if how.get("asked"):
            shown = {*schema.get("required", ()), *self._fields.get(owner, ())}
            names = [name for name in names if name in shown] or names[:1]
        return {
            name: self.sample(properties[name], name=name, owner=owner, **how) for name in names
        }


def _bare(component: str) -> str:
    return component.removeprefix("Patched").removesuffix("Request")
