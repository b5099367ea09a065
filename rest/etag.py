"""``ETag`` and ``If-Match`` over a row's version (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from typing import Final

from rest_framework.request import Request

from rest.errors import Invalid, StaleVersion

_TAG: Final = re.compile(r'"(\d{1,18})"', re.ASCII)


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def wanted_version(request: Request) -> int | None:
    """The version that ``If-Match`` names; None without the header, or with ``*``.

    Raises Invalid for what is no tag of ours, StaleVersion for a weak one, which never matches.
    """
    text = str(request.headers.get("If-Match", "*")).strip()
    if text == "*":
        return None
    if text.startswith("W/"):
        raise StaleVersion("If-Match needs a strong tag.", field="If-Match")
    match = _TAG.fullmatch(text)
    if match is None:
        raise Invalid("If-Match must be one tag that an ETag gave.", field="If-Match")
    return int(match[1])


def check_version(request: Request, version: int) -> None:
    """Raise StaleVersion (412) unless ``If-Match`` is absent or names this version."""
    wanted = wanted_version(request)
    if wanted is not None and wanted != version:
        raise StaleVersion("It has been changed since you read it. Read it again.")
