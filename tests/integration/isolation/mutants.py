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

from rest_framework.permissions import AllowAny

from tests.integration.isolation.enumeration import resolved

ROOT: Final = Path(__file__).resolve().parents[3]
_APPS: Final = ("tenants", "gateways", "quotas", "peers", "resellers", "rest")
_ASKS: Final = frozenset({"filter", "get", "exclude", "Q"})


@dataclass(frozen=True)
class Mutant:
    """``name`` says where; ``code`` finds who runs it; ``place`` puts it in place."""

    name: str
    code: CodeType | None
    view: type | None
    place: Callable[[], Any]


def mutants() -> Iterator[Mutant]:
    """Every mutant of the code and of the views."""
    for path in sorted(one for app in _APPS for one in (ROOT / app).rglob("*.py")):
        if not {"migrations", "management", "__pycache__", "admin.py"} & set(path.parts):
            yield from _of_file(path)
    views = {getattr(v, "view_class", None) or getattr(v, "cls", None) for v in resolved().values()}
    for view in sorted((v for v in views if getattr(v, "scopes", None)), key=lambda v: v.__name__):
        yield Mutant(f"{view.__name__}: anybody", None, view, _sets(view, "permission_classes"))
        if view.operator_only:
            yield Mutant(f"{view.__name__}: tenants", None, view, _sets(view, "operator_only"))


def _sets(view: Any, name: str) -> Callable[[], Any]:
    value: Any = [AllowAny] if name == "permission_classes" else False

    @contextmanager
    def put() -> Iterator[None]:
        own, before = name in vars(view), getattr(view, name)
        setattr(view, name, value)
        yield
        setattr(view, name, before) if own else delattr(view, name)

    return put


def _of_file(path: Path) -> Iterator[Mutant]:
    source = path.read_text()
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for line, column, name in sorted(_sites(ast.parse(source))):
        tree = _Drop(line, column, name).visit(ast.parse(source))
        changed = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
        function = _function_at(importlib.import_module(module), line, str(path))
        if function is None:
            continue
        code = _like(changed, function.__code__)
        label = f"{path.relative_to(ROOT)}:{line} {function.__qualname__} without {name}"
        yield Mutant(label, function.__code__, None, _exchanges(function, code))


def _exchanges(function: Any, code: CodeType) -> Callable[[], Any]:
    @contextmanager
    def put() -> Iterator[None]:
        before = function.__code__
        function.__code__ = code
        yield
        function.__code__ = before

    return put


def _sites(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _ASKS:
            for one in node.keywords:
                if one.arg and "tenant" in one.arg.split("__")[0]:
                    yield one.value.lineno, one.value.col_offset, one.arg


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


class _Drop(ast.NodeTransformer):
    """Leaves out one keyword of one call."""

    def __init__(self, line: int, column: int, name: str) -> None:
        self.site = (line, column, name)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        node.keywords = [
            one
            for one in node.keywords
            if (one.value.lineno, one.value.col_offset, one.arg) != self.site
        ]
        return node


def _function_at(module: Any, line: int, path: str) -> Any:
    """The innermost top-level function or method whose source holds this line."""
    owners = [module, *(one for one in vars(module).values() if inspect.isclass(one))]
    found = None
    for owner in owners:
        for one in vars(owner).values():
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
