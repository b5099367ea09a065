"""What every operation of the API has in common, written into its description.

A view says what is its own: bodies, parameters, success. From that follow the refusals it may
answer, the headers it reads and sets, and an example of each body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from rest.problems import PROBLEMS
from vwg.errors import CONTENT_TYPE
from vwg.samples import Sampler

Json = dict[str, Any]
_TAG: Final = '"5f3a9c0e1d2b-3-9c1f7a52e4d0"'
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_HEADERS: Final[Mapping[str, Json]] = {
    "ETag": {
        "description": "Which row this is, its version and, where one is shown, its state; live "
        "figures do not count. For `If-Match` and `If-None-Match`.",
        "schema": {"type": "string"},
        "example": _TAG,
    },
    "Location": {
        "description": "Where the new thing is.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Idempotency-Replayed": {
        "description": "`true`: this is the kept answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to be recognised; of a 403, the scope that was missing (RFC 6750).",
        "schema": {"type": "string"},
    },
    "X-VWG-Job": {
        "description": "The id of the job that the act made.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "Preference-Applied": {
        "description": "The wait that was granted.",
        "schema": {"type": "string"},
    },
    "RateLimit-Limit": {
        "description": "Requests a minute of the limit that is nearest (token or tenant).",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "Requests left in this minute.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "Seconds until the minute is over.",
        "schema": {"type": "integer"},
    },
}
#: In the order in which "Authorize" offers them; else they stand in that of the alphabet.
_SCHEMES: Final = ("token", "session")
_RATE: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def _header_parameter(name: str, text: str, schema: Json, example: Any) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": text,
        "schema": schema,
        "example": example,
    }


_PARAMETERS: Final[Mapping[str, Json]] = {
    "IdempotencyKey": _header_parameter(
        "Idempotency-Key",
        "1 to 255 visible ASCII characters, fresh for each act. A repetition with the same key and "
        "body is answered as the first was, less secrets that are shown once; kept for 24 hours.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "order-4711",
    ),
    "IfMatch": _header_parameter(
        "If-Match",
        "The ETag that was read: act only if it is still this row and this version, whatever its "
        "state; else 412.",
        {"type": "string", "pattern": '^(\\*|"[!#-~]{1,64}")$'},
        _TAG,
    ),
    "IfNoneMatch": _header_parameter(
        "If-None-Match",
        "Answer 304 without a body if this is still the current ETag, state and all.",
        {"type": "string"},
        _TAG,
    ),
    "Prefer": _header_parameter(
        "Prefer",
        "`wait=N`: wait up to N seconds (20 at most) for what becomes of the change. What cannot "
        "be read is ignored.",
        {"type": "string"},
        "wait=10",
    ),
    "Tenant": _header_parameter(
        "X-VWG-Tenant",
        "Slug of the tenant to act for: operators, and members of several tenants.",
        {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$"},
        "acme",
    ),
}
_ERROR: Final[Json] = {
    "type": "object",
    "required": ["field", "code", "detail"],
    "properties": {
        "field": {"type": ["string", "null"], "description": "The input to blame; null: all."},
        "code": {"type": "string", "description": "A stable word, listed at /problems/."},
        "detail": {"type": "string", "description": "A sentence for people."},
    },
}
_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "RFC 9457. Not every `type` has its own status: `errors` says more.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
    },
}
_FOUNDING_PROBLEM: Final[Json] = {
    "type": "object",
    "required": ["success", "message", "errors"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
    },
}
#: Status -> the code that stands as its example.
_REFUSALS: Final[Mapping[int, str]] = {
    400: "validation_failed",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    406: "not_acceptable",
    408: "request_timeout",
    409: "conflict",
    412: "stale_version",
    413: "too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "throttled",
    500: "server_error",
    502: "not_applied",
    503: "unavailable",
}


def describe(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """drf-spectacular's hook: complete the description of every operation."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    sampler = Sampler(schemas)
    tagged = {path for path, _, found in operations(result) if "version" in _answer(found, schemas)}
    for path, method, operation in operations(result):
        if "x-vwg-scope" in operation:
            _complete(path, method, operation, schemas, matched=path in tagged)
        sampler.add_examples(operation)
    schemas |= {"Problem": _PROBLEM, "FoundingProblem": _FOUNDING_PROBLEM, "ProblemError": _ERROR}
    schemes = components.get("securitySchemes", {})
    components["securitySchemes"] = {name: schemes[name] for name in _SCHEMES if name in schemes}
    components["headers"] = dict(_HEADERS)
    components["parameters"] = dict(_PARAMETERS)
    components["responses"] = {
        f"{shape}Problem{status}": _refusal(status, founding=bool(shape))
        for shape in ("", "Founding")
        for status in _REFUSALS
    }
    components["responses"] |= {
        "NotModified": {"description": "What the caller has is current."},
        "AddressTooLong": {"description": "Said by the web server itself, in HTML."},
    }
    return result


def operations(description: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation."""
    for path, methods in description.get("paths", {}).items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _complete(path: str, method: str, operation: Json, schemas: Json, *, matched: bool) -> None:
    answer = _answer(operation, schemas)
    unsafe, one = method != "get", "{" in path or method in ("patch", "delete")
    tagged = "version" in answer
    waits = unsafe and ("job" in answer or ("200" in operation["responses"] and method == "delete"))
    keyed = method == "post" and "x-vwg-unkeyed" not in operation
    parameters = [
        *(["IdempotencyKey"] if keyed else []),
        *(["IfMatch"] if unsafe and one and matched else []),
        *(["IfNoneMatch"] if tagged and not unsafe else []),
        *(["Prefer"] if waits else []),
        "Tenant",
    ]
    operation.setdefault("parameters", []).extend(
        {"$ref": f"#/components/parameters/{name}"} for name in parameters
    )
    responses = operation["responses"]
    if waits:
        for status in ("200", "202"):
            responses.setdefault(status, _settled(status, responses))
    if "IfNoneMatch" in parameters:
        responses["304"] = {"$ref": "#/components/responses/NotModified"}
    for status, response in responses.items():
        if "$ref" not in response:
            _add_headers(response, status, keyed=keyed, tagged=tagged, waits=waits)
    statuses = [400, 401, 403, 404, 406, 429, 503]
    statuses += [408, 409, 413, 415] if unsafe else []
    statuses += [412] if "IfMatch" in parameters else []
    statuses += [422] if keyed else []
    statuses += [502] if waits else []
    if any(parameter.get("in") == "query" for parameter in operation["parameters"]):
        responses["414"] = {"$ref": "#/components/responses/AddressTooLong"}
    shape = "Founding" if operation.get("x-vwg-founding") else ""
    for number in sorted(statuses):
        reference = {"$ref": f"#/components/responses/{shape}Problem{number}"}
        responses.setdefault(str(number), reference)


def _answer(operation: Json, schemas: Json) -> Json:
    """The properties of what the operation answers when all went well."""
    for status in ("200", "201", "202"):
        media = operation["responses"].get(status, {}).get("content", {}).get("application/json")
        if media:
            schema = media.get("schema", {})
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            properties: Json = schemas.get(name, schema).get("properties", {})
            return properties
    return {}


def _settled(status: str, responses: Json) -> Json:
    """What `Prefer: wait` makes of a success."""
    words = {"200": "Waited for, and applied.", "202": "Stored; not applied yet."}
    first = next(response for code, response in responses.items() if code in ("201", "200", "202"))
    return {"description": words[status], "content": first.get("content", {})}


def _add_headers(response: Json, status: str, *, keyed: bool, tagged: bool, waits: bool) -> None:
    names = [*_RATE]
    names += ["ETag"] if tagged else []
    names += ["Location"] if status == "201" else []
    names += ["X-VWG-Job"] if waits and status == "204" else []
    names += ["Idempotency-Replayed"] if keyed else []
    names += ["Preference-Applied"] if waits and status in ("200", "202") else []
    headers = response.setdefault("headers", {})
    for name in names:
        headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})


def _refusal(status: int, *, founding: bool) -> Json:
    """A refusal as a component: its schema, its headers, an example from the registry."""
    problem = PROBLEMS[_REFUSALS[status]]
    detail = problem.meaning.partition(". ")[0].rstrip(".") + "."
    code = "required" if status == HTTPStatus.BAD_REQUEST else problem.code
    error = {"field": "name" if code == "required" else None, "code": code, "detail": detail}
    example: Json = {"success": False, "message": detail, "errors": [error]}
    if not founding:
        example = {
            "type": problem.uri,
            "title": problem.title,
            "status": status,
            "detail": detail,
            "errors": [error],
        }
    schema = f"#/components/schemas/{'Founding' if founding else ''}Problem"
    content = {"schema": {"$ref": schema}, "example": example}
    names = [*_RATE, *(["Retry-After"] if status in (409, 429, 503) else [])]
    names += ["WWW-Authenticate"] if status in (401, 403) else []
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {"application/json" if founding else CONTENT_TYPE: content},
    }
