"""Breaking the first wall on purpose, one brick at a time, to see that the matrix notices.

A mutant is a function whose source was changed at one place (a filter by tenant left out, a door
asked for everybody's rows) or a view whose permission was. It is put in place by exchanging the
function's code, so every module that imported the function has it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Final
from unittest.mock import patch

from rest_framework.permissions import AllowAny

from tenants.prepared import Prepared
from tests.integration.isolation.enumeration import resolved

ROOT: Final = Path(__file__).resolve().parents[3]
_APPS: Final = ("tenants", "gateways", "quotas", "peers", "resellers", "rest")
_ASKS: Final = frozenset({"filter", "get", "exclude", "Q"})
_LIMITS: Final = frozenset({"limits_interfaces", "limits_pools"})
#: What a view says of who may use it, and how anybody could.
_OPEN: Final[dict[str, Any]] = {
    "permission_classes": [AllowAny],
    "operator_only": False,
    "operator_methods": (),
}
Site = tuple[int, int, str]


@dataclass(frozen=True)
class Mutant:
    """``name`` and ``site`` (file, function, what is left out) say where; ``code`` or ``view``
    find who runs it; ``place`` puts it in place.
    """

    name: str
    site: tuple[str, str, str]
    code: CodeType | None
    view: type | None
    place: Callable[[], Any]


def mutants() -> Iterator[Mutant]:
    """Every mutant of the code and of the views."""
    for path in sorted(one for app in _APPS for one in (ROOT / app).rglob("*.py")):
        if not {"migrations", "management", "__pycache__", "admin.py"} & set(path.parts):
            yield from _of_file(path)
    found = {getattr(v, "view_class", getattr(v, "cls", None)) for v in resolved().values()}
    views: list[Any] = [view for view in found if getattr(view, "scopes", None)]
    for view in sorted(views, key=lambda view: view.__name__):
        for name in (one for one in _OPEN if getattr(view, one)):
            label, site = f"{view.__name__} without {name}", (view.__module__, view.__name__, name)
            yield Mutant(label, site, None, view, _sets(view, name))


def _sets(view: Any, name: str) -> Callable[[], Any]:
    @contextmanager
    def put() -> Iterator[None]:
        own, before = name in vars(view), getattr(view, name)
        setattr(view, name, _OPEN[name])
        try:
            yield
        finally:
            setattr(view, name, before) if own else delattr(view, name)

    return put


def _of_file(path: Path) -> Iterator[Mutant]:
    source = path.read_text()
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for site in sorted(_sites(ast.parse(source))):
        line, _, name = site
        tree = _Change(site).visit(ast.parse(source))
        changed = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
        function = _function_at(importlib.import_module(module), line, str(path))
        file = path.relative_to(ROOT).as_posix()
        if function is None:
            raise LookupError(f"{file}:{line} {name}")
        code = _like(changed, function.__code__)
        place = (file, function.__name__, name)
        label = f"{file}:{line} {function.__qualname__} without {name}"
        yield Mutant(label, place, function.__code__, None, _exchanges(function, code))


def _exchanges(function: Any, code: CodeType) -> Callable[[], Any]:
    @contextmanager
    def put() -> Iterator[None]:
        before = function.__code__
        function.__code__ = code
        try:
            yield
        finally:
            function.__code__ = before

    return put


@contextmanager
def unprepared() -> Iterator[None]:
    """Prepared queries are asked as the querysets that they are: else a mutant of one would not
    be heard of, or refused because one of its values is not used."""

    def ask(query: Prepared[Any], *values: Any) -> list[Any]:
        return list(query._build(*values))

    with patch.object(Prepared, "__call__", ask):
        yield


def _sites(tree: ast.AST) -> Iterator[Site]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _ASKS:
            for one in node.keywords:
                if one.arg and "tenant" in one.arg and not one.arg.endswith("__isnull"):
                    yield one.value.lineno, one.value.col_offset, one.arg
        elif isinstance(node, ast.Call) and _called(node) == "visible":
            yield node.lineno, node.col_offset, "visible"
        elif isinstance(node, ast.Attribute) and node.attr in _LIMITS:
            yield node.lineno, node.col_offset, node.attr


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


class _Change(ast.NodeTransformer):
    """Leaves out one condition, one door or one limit."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if (node.lineno, node.col_offset, _called(node)) == self.site:
            return node.args[0]
        node.keywords = [
            one
            for one in node.keywords
            if (one.value.lineno, one.value.col_offset, one.arg) != self.site
        ]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        here = (node.lineno, node.col_offset, node.attr) == self.site
        return ast.copy_location(ast.Constant(False), node) if here else node


def _function_at(module: Any, line: int, path: str) -> Any:
    """The innermost top-level function or method whose source holds this line."""
    owners = [module, *(one for one in vars(module).values() if inspect.isclass(one))]
    found = None
    for owner in owners:
        for one in vars(owner).values():
            one = one.fget if isinstance(one, property) else getattr(one, "_build", one)
            function = inspect.unwrap(getattr(one, "__func__", one)) if callable(one) else None
            code = getattr(function, "__code__", None)
            if code is None or code.co_filename != path:
                continue
            last = max((at for *_, at in code.co_lines() if at), default=0)
            nested = [c for c in code.co_consts if isinstance(c, CodeType)]
            last = max([last, *(at for c in nested for *_, at in c.co_lines() if at)])
            if code.co_firstlineno <= line <= last:
                found = function
    return found


def _like(code: CodeType, wanted: CodeType) -> CodeType:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if (one.co_qualname, one.co_firstlineno) == (
                wanted.co_qualname,
                wanted.co_firstlineno,
            ):
                return one
            if wanted.co_qualname.startswith(one.co_qualname.split(".<locals>")[0] + "."):
                return _like(one, wanted)
    raise LookupError(wanted.co_qualname)


@contextmanager
def running(codes: set[CodeType]) -> Iterator[set[CodeType]]:
    """Which of these functions are run meanwhile."""
    seen: set[CodeType] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            seen.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)
