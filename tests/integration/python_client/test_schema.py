"""The Python client says what the API's description says: calls, bodies, answers."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from vwg_client import External, Vwg, models
from vwg_client.groups import Group, Options
from vwg_client.transport import Answer

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "clients" / "python"
#: Of each path, what stands for its parameters.
PLACE = "00000000-0000-4000-8000-000000000000"
#: Calls that are no operation of their own.
COMPOSED = {"Jobs.wait"}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


def operations(description: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Verb, path and operation of everything below /api/v1/, clients by their id alone."""
    for path, verbs in description["paths"].items():
        if path.startswith("/api/v1/") and "/schema" not in path:
            for verb, operation in verbs.items():
                if isinstance(operation, dict) and "responses" in operation:
                    yield verb.upper(), path, operation


class Recorder:
    """A sender that notes what it is asked for, and answers with an empty page."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, timeout: float
    ) -> Answer:
        path = re.sub(r"^https?://[^/]+|\?.*$", "", url)
        self.asked.append((method, path))
        return Answer(200, {}, b'{"results": [], "next": null}')


def groups(vwg: Vwg) -> list[Group]:
    return [value for value in vars(vwg).values() if isinstance(value, Group)]


def methods(group: Group) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, method in inspect.getmembers(group, inspect.ismethod):
        if not name.startswith("_") and f"{type(group).__name__}.{name}" not in COMPOSED:
            yield f"{type(group).__name__}.{name}", method


def call(method: Callable[..., Any], place: str) -> None:
    """Call with something for every positional parameter."""
    given = [
        b"x"
        if parameter.annotation in (bytes, "bytes")
        else {}
        if str(parameter.annotation).startswith("models.")
        else place
        for parameter in inspect.signature(method).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and parameter.default is parameter.empty
    ]
    answer = method(*given)
    if inspect.isgenerator(answer):
        list(answer)


def calls() -> dict[tuple[str, str], set[str]]:
    """Every request that the client can make, with the methods that make it."""
    recorder = Recorder()
    vwg = Vwg("http://testserver", "x", sender=recorder)
    found: dict[tuple[str, str], set[str]] = {}
    for group in groups(vwg):
        for name, method in methods(group):
            for place in (PLACE, External(PLACE)):
                recorder.asked.clear()
                call(method, place)
                assert len(recorder.asked) == 1, name
                found.setdefault(recorder.asked[0], set()).add(name)
    return found


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", PLACE, path)


def test_every_operation_has_a_method_and_every_method_an_operation(
    description: dict[str, Any],
) -> None:
    described = {(verb, concrete(path)) for verb, path, _ in operations(description)}
    made = set(calls())
    assert described - made == set()
    assert made - described == set()


def component(content: Mapping[str, Any]) -> str:
    """The name of the component that a body is made of, "" for none."""
    schema = content.get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def named(kind: Any) -> set[str]:
    """The names of the types in an annotation: Client of Iterator[Client], both of a union."""
    inner = typing.get_args(kind)
    names = {name for one in inner for name in named(one)} if inner else {kind.__name__}
    return names - {"NoneType"}


def test_answers_and_bodies_are_those_of_the_description(description: dict[str, Any]) -> None:
    """The components' own fields are compared by `test_models_are_made_anew`."""
    vwg = Vwg("http://testserver", "x", sender=Recorder())
    by_name = dict(pair for group in groups(vwg) for pair in methods(group))
    made, wrong = calls(), []
    names = _names()(description["components"]["schemas"])
    for verb, path, operation in operations(description):
        answers = {
            component(answer.get("content", {})).removeprefix("Paginated").removesuffix("List")
            for status, answer in operation["responses"].items()
            if status.startswith("2") and "application/json" in answer.get("content", {})
        } - {""}
        body = component(operation.get("requestBody", {}).get("content", {}))
        for name in made[verb, concrete(path)]:
            method = by_name[name]
            hints = typing.get_type_hints(method)
            if answers and named(hints["return"]) != answers and not _is_file(method):
                wrong.append(f"{name} answers {hints['return']}, described is {answers}")
            if body not in ("", "NothingRequest") and not _takes(method, names[body]):
                wrong.append(f"{name} does not take {names[body]}")
    assert wrong == []


def _is_file(method: Callable[..., Any]) -> bool:
    """Text and pictures are asked for by their own media types."""
    return typing.get_type_hints(method)["return"] in (str, bytes)


def _names() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    space: dict[str, Any] = {"__name__": "make_models"}
    exec(compile((PACKAGE / "make_models.py").read_text(), "make_models.py", "exec"), space)  # noqa: S102
    names: Callable[[Mapping[str, Any]], dict[str, str]] = space["names"]
    return names


def _takes(method: Callable[..., Any], name: str) -> bool:
    """Whether the keywords of a method are those of a model, and the options of a write; or one of
    its arguments is the model.
    """
    hints = typing.get_type_hints(method)
    if getattr(models, name) in hints.values():
        return True
    (keywords,) = (hints[p.name] for p in _keywords(method))
    taken = set(typing.get_type_hints(typing.get_args(keywords)[0]))
    return taken - set(Options.__annotations__) == set(typing.get_type_hints(getattr(models, name)))


def _keywords(method: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = inspect.signature(method).parameters.values()
    return [one for one in parameters if one.kind is one.VAR_KEYWORD]


def test_models_are_made_anew(description: dict[str, Any]) -> None:
    """Else: manage.py spectacular --format openapi-json | python clients/python/make_models.py"""
    made = subprocess.run(
        [sys.executable, str(PACKAGE / "make_models.py")],
        input=json.dumps(description), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert made == (PACKAGE / "vwg_client" / "models.py").read_text()


def test_the_package_imports_the_standard_library_alone() -> None:
    found = set()
    for path in (PACKAGE / "vwg_client").glob("*.py"):
        found |= set(re.findall(r"^(?:from|import) ([a-z_0-9]+)", path.read_text(), re.MULTILINE))
    assert found - {"vwg_client"} <= sys.stdlib_module_names
