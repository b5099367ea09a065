"""Every code that a refusal may carry has its row, its page and its place in the documents."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.test import APIClient

from rest import errors as refusals
from rest.problems import PROBLEMS, as_markdown
from tests.test_architecture import house_files
from vwg.errors import STATUS
from vwg.urls import urlpatterns

ROOT = Path(settings.BASE_DIR)
#: Calls whose second argument is a code; `_plain`'s is the third.
POSITIONS = {"ErrorDetail": 1, "_error": 1, "_plain": 2, "Failure": 0}
RAISED = {name: kind for name, kind in vars(refusals).items() if isinstance(kind, type)}


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def codes_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each code that a source names, with the name of what is called with it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            found = [literal(word.value) for word in node.keywords if word.arg == "code"]
            position = POSITIONS.get(name)
            if position is not None and len(node.args) > position:
                found.append(literal(node.args[position]))
            yield from ((name, code) for code in found if code)
        elif isinstance(node, ast.Assign):
            targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if "default_code" in targets and (code := literal(node.value)):
                yield "default_code", code
            elif "default_error_messages" in targets and isinstance(node.value, ast.Dict):
                yield from (("fail", str(literal(key))) for key in node.value.keys)


def used() -> set[tuple[str, str]]:
    return {
        found for path in house_files() for found in codes_of(ast.parse(path.read_text("utf-8")))
    }


def statuses() -> dict[type[Exception], int]:
    return dict(STATUS)


def test_the_search_finds_codes_of_each_kind() -> None:
    found = {code for _, code in used()}
    assert {"address_taken", "unknown_field", "too_large", "not_text", "csrf_failed"} <= found


def test_every_code_of_the_tree_has_a_row() -> None:
    assert {code for _, code in used()} - PROBLEMS.keys() == set()


def test_a_code_has_the_status_of_what_is_raised_with_it() -> None:
    wrong = {
        (name, code)
        for name, code in used()
        if name in RAISED and PROBLEMS[code].status != statuses()[RAISED[name]]
    }
    assert wrong == set()


def test_the_frameworks_own_refusals_have_rows() -> None:
    kinds = [kind for kind in vars(drf).values() if isinstance(kind, type)]
    rows = {
        kind.default_code: kind.status_code
        for kind in kinds
        if issubclass(kind, drf.APIException)
        and kind not in (drf.APIException, drf.ValidationError)
    }
    rows["throttled"] = drf.Throttled.status_code
    assert {code: PROBLEMS[code].status for code in rows} == rows


def fields_of(kind: type[serializers.Serializer]) -> Iterator[serializers.Field]:
    waiting = list(kind._declared_fields.values())
    while waiting:
        field = waiting.pop()
        yield field
        child = getattr(field, "child", None)
        waiting += [child] if isinstance(child, serializers.Field) else []
        waiting += getattr(field, "_declared_fields", {}).values()


def all_serializers() -> list[type[serializers.Serializer]]:
    assert urlpatterns  # everything is imported
    found: list[type[serializers.Serializer]] = []
    waiting = [serializers.Serializer]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        waiting += kinds
        found += [
            kind for kind in kinds if not kind.__module__.startswith(("rest_framework", "tests"))
        ]
    return found


def test_whatever_a_field_of_ours_refuses_has_a_row() -> None:
    kinds = all_serializers()
    assert len(kinds) > 10
    codes = {
        code
        for kind in kinds
        for field in fields_of(kind)
        if not field.read_only
        for code in [
            *field.error_messages,
            *(getattr(validator, "code", "invalid") for validator in field.validators),
        ]
    }
    assert codes - PROBLEMS.keys() == set()


def test_rows_stand_in_order_and_say_something() -> None:
    assert list(PROBLEMS) == sorted(PROBLEMS)
    for problem in PROBLEMS.values():
        assert problem.code.replace("_", "").isalnum(), problem
        assert problem.phrase
        assert problem.meaning.endswith(".")
        assert problem.remedy.endswith((".", "…")), problem.code


def test_the_document_is_current() -> None:
    """python -m rest.problems > docs/problems.md"""
    assert (ROOT / "docs" / "problems.md").read_text("utf-8") == as_markdown()


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_type_leads_to_its_page(code: str, client: Browser) -> None:
    # No database fixture: the pages stand while the database is away.
    problem = PROBLEMS[code]
    answer = client.get(problem.uri)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f"<code>{code}</code>" in page
    assert "`" not in page
    assert "<script" not in page


def test_words_of_code_are_marked_as_such(client: Browser) -> None:
    page = client.get("/problems/external-id-taken").content.decode()
    way = "/api/v1/clients/by-external-id/{external_id}"
    assert f'look it up with <code dir="ltr">{way}</code>.' in page


def test_the_list_leads_to_each_page(client: Browser) -> None:
    page = client.get("/problems/").content.decode()
    assert [f'href="{problem.uri}"' in page for problem in PROBLEMS.values()] == [True] * len(
        PROBLEMS
    )


def test_what_is_no_problem_is_404(client: Browser) -> None:
    assert client.get("/problems/none").status_code == 404
    assert client.post("/problems/").status_code == 405


def test_a_refusals_type_is_such_a_page(alice_api: APIClient, anonymous_api: APIClient) -> None:
    answers = [
        anonymous_api.get("/api/v1/clients"),
        alice_api.get("/api/v1/nothing"),
        alice_api.get("/api/v1/clients?x=1"),
        alice_api.post("/api/v1/clients", {}),
        alice_api.put("/api/v1/clients", {}),
    ]
    kinds = [answer.json()["type"] for answer in answers]
    assert kinds == [
        "/problems/not-authenticated",
        "/problems/not-found",
        "/problems/validation-failed",
        "/problems/validation-failed",
        "/problems/method-not-allowed",
    ]
    for kind, answer in zip(kinds, answers, strict=True):
        assert alice_api.get(kind).status_code == 200
        assert answer.json()["title"] in alice_api.get(kind).content.decode()
