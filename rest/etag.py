"""``ETag``, ``If-Match`` and ``If-None-Match`` over a row's version (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from typing import Final

from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from rest.errors import Invalid, StaleVersion

_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_LIST: Final = re.compile(rf"(?:[ \t]*,)*[ \t]*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_EACH: Final = re.compile(_TAG)
_OURS: Final = re.compile(r'"(\d{1,18})"', re.ASCII)
_LONGEST: Final = 4096
#: Headers whose value decides what is answered.
_VARY: Final = ("Accept", "Authorization", "Cookie", "X-VWG-Tenant")
#: What a 304 repeats of the 200 that it stands for (RFC 9110, 15.4.5).
_REPEATED: Final = ("ETag", "Cache-Control", "Content-Location", "Last-Modified", "Link")


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def wanted_version(request: Request) -> int | None:
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
    versions = {int(match[1]) for tag in found if (match := _OURS.fullmatch(tag))}
    if len(versions) > 1:
        raise Invalid("If-Match must name one version.", field="If-Match")
    if not versions:
        raise StaleVersion("If-Match names no version.", field="If-Match")
    return versions.pop()


def check_version(request: Request, version: int) -> None:
    """Raise StaleVersion (412) unless ``If-Match`` is absent or names this version."""
    wanted = wanted_version(request)
    if wanted is not None and wanted != version:
        raise StaleVersion("It has been changed since you read it. Read it again.")


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
