"""``ETag``, ``If-Match`` and ``If-None-Match`` (RFC 9110, 8.8.3 and 13.1).

A tag is ``"row-version"`` or ``"row-version-state"``: whose it is (`rest.versions`), and where an
answer shows what moves without a new version, a digest of that. ``If-Match`` asks about row and
version alone, so that a change is not refused because a gateway got on with its work;
``If-None-Match`` about the whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2s
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from rest.errors import Invalid, StaleVersion
from rest.versions import ONLY, Version, Versioned, version_of

_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_LIST: Final = re.compile(rf"(?:[ \t]*,)*[ \t]*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_EACH: Final = re.compile(_TAG)
_OURS: Final = re.compile(
    rf'"([0-9a-f]{{12}}|{ONLY})-([1-9]\d{{0,17}})(?:-[0-9a-f]{{12}})?"', re.ASCII
)
_LONGEST: Final = 4096
#: Headers whose value decides what is answered.
_VARY: Final = ("Accept", "Authorization", "Cookie", "X-VWG-Tenant")
#: What a 304 repeats of the 200 that it stands for (RFC 9110, 15.4.5).
_REPEATED: Final = ("ETag", "Cache-Control", "Content-Location", "Last-Modified", "Link")


def etag(row: Versioned, shown: Mapping[str, Any] | None = None) -> str:
    """The entity tag of a row; of an answer that shows more of it than its version covers, with
    what is ``shown``, less figures that may move without making another answer of it.
    """
    return f'"{version_of(row)}"' if shown is None else f'"{version_of(row)}-{_digest(shown)}"'


def wanted_version(request: Request) -> Version | None:
    """The version that ``If-Match`` names; None without the header, or with ``*``.

    Raises Invalid for what is no list of tags, or names several versions; StaleVersion where no
    tag can match: a weak one never does, nor one that is not of ours.
    """
    text = str(request.headers.get("If-Match", "*")).strip()
    if text == "*":
        return None
    found = _tags(text)
    if not found:
        raise Invalid("If-Match must be a tag that an ETag gave.", field="If-Match")
    named = {Version(match[1], int(match[2])) for tag in found if (match := _OURS.fullmatch(tag))}
    if len(named) > 1:
        raise Invalid("If-Match must name one version.", field="If-Match")
    if not named:
        raise StaleVersion(
            "If-Match holds no tag as an ETag gives them. Read it again, and send that ETag.",
            field="If-Match",
        )
    return named.pop()


def is_current(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names this tag: what the caller has is as good (weak comparison).

    A header that is no list of tags is as none.
    """
    text = str(request.headers.get("If-None-Match", "")).strip()
    if text == "*":
        return True
    return _strong(tag) in {_strong(other) for other in _tags(text)}


def conditional(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """The answer to a safe request: 304 without a body where the caller has it already."""
    tag = response.headers.get("ETag")
    if not tag or response.status_code != 200 or not is_current(request, tag):
        return response
    kept = {name: response[name] for name in _REPEATED if name in response}
    return Response(status=304, headers=kept)


def say_how_to_keep(response: HttpResponseBase) -> None:
    """Whether an answer may be kept, unless it says so itself: what has a tag by the caller alone,
    to be asked for anew each time; all else by nobody.
    """
    if "Cache-Control" not in response:
        tagged = "ETag" in response and response.status_code in (200, 304)
        response["Cache-Control"] = "private, no-cache" if tagged else "no-store"
    patch_vary_headers(response, _VARY)


def _tags(text: str) -> list[str]:
    """The tags of a list; none where it is malformed."""
    if len(text) > _LONGEST or not _LIST.fullmatch(text):
        return []
    return _EACH.findall(text)


def _strong(tag: str) -> str:
    return tag.removeprefix("W/")


def _digest(shown: Mapping[str, Any]) -> str:
    text = json.dumps(shown, sort_keys=True, default=str)
    return blake2s(text.encode(), digest_size=6).hexdigest()
