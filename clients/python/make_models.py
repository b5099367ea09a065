"""Write vwg_client/models.py from the API's description.

    python manage.py spectacular --format openapi-json | python clients/python/make_models.py

Every object of the description becomes a TypedDict, every enumeration a Literal, what is one of
several objects a union of theirs, and the parameters of every list a TypedDict of their own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = Mapping[str, Any]

HEAD: Final = '''"""The bodies of vwg's API, made by make_models.py. Do not edit."""

# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

'''
_WORDS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool",
                 "null": "None"}  # fmt: skip
_PREFIX: Final = "#/components/schemas/"
#: Paging is the client's business.
_PAGING: Final = frozenset({"cursor"})


def names(schemas: Json) -> dict[str, str]:
    """How each component is called here: bodies of requests lose "Request" and "Patched"."""
    answers = {name for name in schemas if not name.endswith("Request") and name != "NullEnum"}
    found = {name: name for name in answers}
    for name in schemas:
        if not name.endswith("Request"):
            continue
        short = name.removesuffix("Request").removeprefix("Patched")
        if short in answers:
            short += "Change" if name.startswith("Patched") else "Input"
        found[name] = short
    return found


def query_name(path: str) -> str:
    """ "/api/v1/clients/{client_id}/peers" is asked for by a ClientsPeersQuery."""
    parts = [part for part in path.removeprefix("/api/v1/").split("/") if "{" not in part]
    return "".join(part.title().replace("-", "") for part in parts) + "Query"


class Models:
    """The text of the module, piece by piece."""

    def __init__(self, description: Json) -> None:
        self._paths: Json = description["paths"]
        self._schemas: Json = description["components"]["schemas"]
        self._names = names(self._schemas)

    def text(self) -> str:
        """The whole module."""
        pieces = [*self._literals(), *self._objects(), *self._choices(), *self._queries()]
        return HEAD + "\n".join(pieces).rstrip("\n") + "\n"

    def _shown(self) -> Iterator[tuple[str, Json]]:
        for component, name in sorted(self._names.items(), key=lambda pair: pair[1]):
            if not component.startswith("Paginated"):
                yield name, self._schemas[component]

    def _literals(self) -> Iterator[str]:
        for name, schema in self._shown():
            if "enum" in schema:
                yield f"{name} = {self._literal(schema['enum'])}\n"

    def _objects(self) -> Iterator[str]:
        for name, schema in self._shown():
            if schema.get("type") == "object":
                yield self._typed_dict(name, schema)

    def _choices(self) -> Iterator[str]:
        """Bodies of which there are several, told apart by one of their words."""
        for name, schema in self._shown():
            if "discriminator" in schema:
                yield f"{name} = {self._kind(schema)}\n\n"

    def _typed_dict(self, name: str, schema: Json) -> str:
        required = set(schema.get("required", ()))
        changed = name not in self._schemas  # a body to send: what is read only is not for it
        fields = {
            key: self._field(value, required=key in required)
            for key, value in schema.get("properties", {}).items()
            if not (changed and value.get("readOnly"))
        }
        return _class(name, fields, schema.get("description", ""))

    def _field(self, schema: Json, *, required: bool) -> str:
        kind = self._kind(schema)
        return kind if required else f"NotRequired[{kind}]"

    def _kind(self, schema: Json) -> str:
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix(_PREFIX)
            return "None" if name == "NullEnum" else self._names[name]
        for word in ("oneOf", "anyOf", "allOf"):
            if word in schema:
                return " | ".join(dict.fromkeys(self._kind(one) for one in schema[word]))
        if "enum" in schema:
            return self._literal(schema["enum"])
        if "const" in schema:
            return self._literal([schema["const"]])
        kinds = schema.get("type", "any")
        listed = kinds if isinstance(kinds, list) else [kinds]
        return " | ".join(self._plain(kind, schema) for kind in listed)

    def _plain(self, kind: str, schema: Json) -> str:
        if kind == "array":
            return f"list[{self._kind(schema['items'])}]"
        if kind == "object":
            inner = schema.get("additionalProperties")
            return f"dict[str, {self._kind(inner) if inner else 'Any'}]"
        return _WORDS.get(kind, "Any")

    def _literal(self, words: list[Any]) -> str:
        return f"Literal[{', '.join(repr(word) for word in words)}]"

    def _queries(self) -> Iterator[str]:
        seen = set()
        for path, operations in sorted(self._paths.items()):
            shown = operations.get("get", {}).get("parameters", [])
            asked = [one for one in shown if one.get("in") == "query"]
            if not any(one["name"] == "limit" for one in asked):
                continue
            name = query_name(re.sub(r"by-external-id/", "", path))
            if name in seen:
                continue
            seen.add(name)
            fields = {
                one["name"]: self._field(one["schema"], required=False)
                for one in asked
                if one["name"] not in _PAGING
            }
            yield _class(name, fields, f"What a list may be asked for: {path}.")


def _class(name: str, fields: Mapping[str, str], text: str) -> str:
    lines = [f"class {name}(TypedDict):"]
    if text:
        summary = " ".join(text.split()).replace("\\", "").replace('"', "'")
        lines += [f'    """{summary}"""', ""]
    lines += [f"    {key}: {kind}" for key, kind in fields.items()]
    return "\n".join([*lines, *([] if fields or text else ["    pass"]), "", ""])


def main() -> None:
    """Description on standard input, module on standard output."""
    sys.stdout.write(Models(json.load(sys.stdin)).text())


if __name__ == "__main__":
    main()
