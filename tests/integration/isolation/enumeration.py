"""What can be asked of vwg, found twice: in the API's description, and in the URLs themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

_METHODS = ("get", "post", "put", "patch", "delete")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def described() -> dict[str, Mapping[str, Any]]:
    """ "GET /api/v1/clients" -> its description, from the OpenAPI schema."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return {
        f"{method.upper()} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    }


def resolved() -> dict[str, Any]:
    """ "GET /api/v1/clients" -> the view, from the URL resolver; "ANY /path" where the methods of
    a view cannot be seen from outside."""
    found = {}
    for path, view in _patterns(get_resolver(), "/"):
        for method in _methods_of(view):
            found[f"{method} {path}"] = view
    return found


def _patterns(resolver: URLResolver, before: str) -> Iterator[tuple[str, Any]]:
    for one in resolver.url_patterns:
        path = before + _readable(str(one.pattern))
        if isinstance(one, URLResolver):
            yield from _patterns(one, path)
        elif isinstance(one, URLPattern):
            yield path, one.callback


def _readable(pattern: str) -> str:
    return _CONVERTER.sub(r"{\1}", pattern)


def _methods_of(view: Any) -> list[str]:
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if kind is None:
        return ["ANY"]
    actions = getattr(view, "actions", None)
    names = actions or [name for name in _METHODS if hasattr(kind, name)]
    allowed = [name for name in names if name in kind.http_method_names]
    return sorted(name.upper() for name in allowed)
