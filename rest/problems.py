"""Every code of a refusal: what it means, and what to do about it.

The rows are in ``problems.toml``. A problem's ``type`` leads to a page made from its row, and
``docs/problems.md`` is made from all of them (``python -m rest.problems``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final

_ROWS: Final = Path(__file__).with_name("problems.toml")
#: The type of what has no code of its own (RFC 9457, 4.2.1).
BLANK: Final = "about:blank"


@dataclass(frozen=True)
class Problem:
    """One kind of refusal. ``code`` is the stable word for programs."""

    code: str
    status: int
    title: str
    meaning: str
    remedy: str

    @property
    def slug(self) -> str:
        """The code as it stands in an address."""
        return self.code.replace("_", "-")

    @property
    def uri(self) -> str:
        """The ``type`` of a problem of this kind: an address on this server."""
        return f"/problems/{self.slug}"

    @property
    def phrase(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


def _read() -> Mapping[str, Problem]:
    rows = tomllib.loads(_ROWS.read_text("utf-8"))
    return MappingProxyType({code: Problem(code, **row) for code, row in rows.items()})


#: By code, in the order of the alphabet.
PROBLEMS: Final = _read()
BY_SLUG: Final = MappingProxyType({problem.slug: problem for problem in PROBLEMS.values()})


def type_and_title(code: str, status: int) -> tuple[str, str]:
    """A problem's ``type`` and ``title``; those of the bare status for a code without a row."""
    problem = PROBLEMS.get(code)
    return (problem.uri, problem.title) if problem else (BLANK, HTTPStatus(status).phrase)


def as_markdown() -> str:
    """``docs/problems.md``."""
    lines = [
        "# Problems",
        "",
        "Made by `python -m rest.problems` from `rest/problems.toml`; the same is at `/problems/`",
        "of a running portal.",
        "",
        "A refusal below `/api/` is a problem of RFC 9457. `type` is the address of one of these",
        "pages and never changes; `detail` is a sentence for people and may. Where fields are to",
        "blame, `errors` names each with its own code:",
        "",
        "```json",
        '{"type": "/problems/validation-failed", "title": "Fields that cannot be used",',
        ' "status": 400, "detail": "name: This field is required.",',
        ' "errors": [{"field": "name", "code": "required", "detail": "This field is required."}]}',
        "```",
        "",
        "The founding calls (`/api/wg/…`, `/api/apply-wg-config`) answer with the same status and",
        'the same `errors`, in the body `{"success": false, "message", "errors"}`.',
        "",
        "| code | status | title |",
        "|---|---|---|",
    ]
    lines += [
        f"| [`{found.code}`](#{found.code}) | {found.status} | {found.title} |"
        for found in PROBLEMS.values()
    ]
    for found in PROBLEMS.values():
        lines += ["", f"## {found.code}", "", f"{found.status} {found.phrase}: {found.title}."]
        lines += ["", found.meaning, "", found.remedy]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
