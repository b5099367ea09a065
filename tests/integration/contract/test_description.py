"""The description is complete: examples that its schemas allow, refusals, headers, scopes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from rest.problems import PROBLEMS
from tenants.permissions import ANYBODY, SCOPES
from vwg.description import operations
from vwg.samples import Sampler

#: Formats whose bodies are no text that could stand in a description.
BINARY = ("image/png", "image/jpeg", "application/zip")


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where, media type and description of each body of an operation that is its own."""
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", kind, media
    for status, response in operation["responses"].items():
        for kind, media in response.get("content", {}).items():
            yield status, kind, media


def examples_of(media: dict[str, Any]) -> list[Any]:
    named = [example.get("value") for example in media.get("examples", {}).values()]
    return [*named, *([media["example"]] if "example" in media else [])]


def check(instance: Any, schema: Any, description: dict[str, Any]) -> str | None:
    """Why the schema does not allow the value, None when it does."""
    whole = {"components": description["components"], **schema}
    checker = jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    fault = jsonschema.exceptions.best_match(checker.iter_errors(instance))
    return None if fault is None else f"{fault.json_path}: {fault.message[:200]}"


def test_every_body_has_an_example(description: dict[str, Any]) -> None:
    """A format that `vwg/samples.toml` does not know gets its example in its view."""
    bare = [
        f"{method} {path} {where} {kind}"
        for path, method, operation in operations(description)
        for where, kind, media in bodies(operation)
        if kind not in BINARY and not examples_of(media)
    ]
    assert bare == []


def test_every_example_is_what_its_schema_allows(description: dict[str, Any]) -> None:
    """What is found here needs a likely value in `vwg/samples.toml`."""
    wrong = [
        f"{method} {path} {where}: {fault}"
        for path, method, operation in operations(description)
        for where, kind, media in bodies(operation)
        if "json" in kind
        for example in examples_of(media)
        if (fault := check(example, media["schema"], description))
    ]
    assert wrong == []


def test_the_check_of_examples_finds_a_wrong_one(description: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/JobRef"}
    right = Sampler(description["components"]["schemas"]).sample(schema)
    assert check(right, schema, description) is None
    assert check({**right, "id": "no uuid"}, schema, description)
    assert check({**right, "status": "nonsense"}, schema, description)


def test_examples_of_refusals_are_allowed_and_their_types_exist(
    description: dict[str, Any],
) -> None:
    shapes = {
        f"{shape}Problem{status}"
        for status in (400, 401, 403, 404, 406, 408, 409, 412, 413, 415, 422, 429, 500, 502, 503)
        for shape in ("", "Founding")
    }
    responses = description["components"]["responses"]
    assert shapes <= responses.keys()
    for name in shapes:
        for media in responses[name]["content"].values():
            assert check(media["example"], media["schema"], description) is None
            if "type" in media["example"]:
                assert media["example"]["type"] in {problem.uri for problem in PROBLEMS.values()}


def test_every_operation_says_what_it_needs_and_how_it_refuses(
    description: dict[str, Any],
) -> None:
    secured = [
        (method, operation)
        for _, method, operation in operations(description)
        if "x-vwg-scope" in operation
    ]
    assert len(secured) > 15
    for method, operation in secured:
        assert operation["x-vwg-scope"] in {*SCOPES, ANYBODY}
        assert isinstance(operation["x-vwg-operator"], bool)
        assert operation["security"]
        assert {"400", "401", "403", "406", "429", "503"} <= operation["responses"].keys()
        assert ("409" in operation["responses"]) == (method != "get")
        keyed = method == "post" and not operation.get("x-vwg-unkeyed")
        assert ("422" in operation["responses"]) == keyed


def names(operation: dict[str, Any]) -> set[str]:
    parameters = operation.get("parameters", [])
    return {p.get("name") or p["$ref"].rpartition("/")[2] for p in parameters}


@pytest.mark.parametrize(
    ("path", "method", "parameters", "status", "headers"),
    [
        ("/api/v1/clients", "post", {"IdempotencyKey", "Prefer"}, "201", {"ETag", "Location"}),
        ("/api/v1/clients/{client_id}", "get", {"IfNoneMatch"}, "200", {"ETag"}),
        ("/api/v1/clients/{client_id}", "patch", {"IfMatch", "Prefer"}, "200", {"ETag"}),
        ("/api/v1/clients/{client_id}", "delete", {"IfMatch", "Prefer"}, "204", {"X-VWG-Job"}),
        ("/api/v1/jobs", "get", {"Tenant"}, "200", {"RateLimit-Reset"}),
        ("/api/wg/add-peer", "post", {"IdempotencyKey"}, "202", {"Idempotency-Replayed"}),
    ],
)
def test_headers_are_described(
    path: str,
    method: str,
    parameters: set[str],
    status: str,
    headers: set[str],
    description: dict[str, Any],
) -> None:
    operation = description["paths"][path][method]
    assert parameters <= names(operation)
    assert headers <= operation["responses"][status]["headers"].keys()


def test_a_strict_body_says_that_it_takes_no_other_field(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    assert schemas["ClientCreateRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Client"]


def test_names_of_operations_are_unique(description: dict[str, Any]) -> None:
    found = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(found) == len(set(found))
