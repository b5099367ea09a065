"""The operator's status page and its live parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.timezone import now as clock
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET

from portal.doors import is_fragment, may_write, operators_only
from portal.status import queries
from portal.status.rows import InterfaceRow, JobRow, Page, Verdict, Worker
from portal.status.verdicts import verdict

_LONGEST_QUERY = 120


@dataclass(frozen=True)
class Shown:
    """Everything on the status page that can change by itself."""

    interfaces: tuple[InterfaceRow, ...]
    page: Page
    jobs: tuple[JobRow, ...]
    workers: tuple[Worker, ...]
    verdict: Verdict
    tallies: tuple[tuple[str, int], ...]
    now: datetime

    @property
    def etag(self) -> str:
        """Names what is shown, without the ages: those are told in headers, with a 304 too."""
        interfaces = [replace(row, observed_at=None) for row in self.interfaces]
        workers = [(worker.queue, worker.late) for worker in self.workers]
        parts = (get_language(), interfaces, self.page, self.jobs, workers, self.tallies)
        return f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'

    @property
    def observed_at(self) -> datetime | None:
        """How old the page's figures are: the oldest reading that is part of them."""
        read = [row.observed_at for row in self.interfaces if row.glyph != "off"]
        return min((at for at in read if at is not None), default=None)

    @property
    def list_name(self) -> str:
        """Changes when a device joins or leaves the list; not when one changes its state."""
        text = " ".join(str(row.uuid) for row in self.page.rows)
        return blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def readings(self) -> str:
        """For the header: when each interface was read, the page's own age first."""
        pairs = [
            ("page", self.observed_at),
            *((row.uuid, row.observed_at) for row in self.interfaces),
        ]
        return " ".join(f"{key}={at.isoformat()}" for key, at in pairs if at is not None)


@require_GET
@operators_only()
def status(request: HttpRequest) -> HttpResponse:
    """The page; for a search, paging or a view only its list of devices."""
    template = "status/status.html"
    if is_fragment(request) and request.headers.get("HX-Target") == "peers":
        template = "status/peers.html"
    return render(request, template, _context(request, _shown(request)))


@require_GET
@operators_only()
def live(request: HttpRequest) -> HttpResponse:
    """The live parts of the page, each with its id; 304 when nothing on it has changed."""
    shown = _shown(request)
    if request.headers.get("If-None-Match") == shown.etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "status/live.html", _context(request, shown))
    add_never_cache_headers(response)
    response["ETag"] = shown.etag
    response["X-VWG-Now"] = shown.now.isoformat()
    response["X-VWG-Observed"] = shown.readings
    return response


def _shown(request: HttpRequest) -> Shown:
    now = clock()
    show = request.GET.get("show", "")
    found = queries.counts(now)
    rows = queries.interfaces(found, now)
    tally = sum(found.values(), queries.Counts())
    page = queries.peers(
        query=request.GET.get("q", "").strip().replace("\0", "")[:_LONGEST_QUERY],
        show=show if show in queries.SHOWS else "all",
        interface=_uuid(request.GET.get("interface", "")),
        older=_cursor(request.GET.get("older", "")),
        newer=_cursor(request.GET.get("newer", "")),
        now=now,
    )
    return Shown(
        interfaces=rows,
        page=page,
        jobs=queries.jobs(now=now),
        workers=queries.workers(now),
        verdict=verdict(rows),
        tallies=tuple((name, getattr(tally, name)) for name in queries.SHOWS),
        now=now,
    )


def _context(request: HttpRequest, shown: Shown) -> dict[str, object]:
    page = shown.page
    base = {"q": page.query, "show": "" if page.show == "all" else page.show}
    chosen = request.GET.get("interface", "")
    if _uuid(chosen):
        base["interface"] = chosen
    base = {key: value for key, value in base.items() if value}
    cursor = dict([page.cursor.split("=")]) if page.cursor else {}
    words = {
        "all": gettext("All"),
        "online": gettext("Online"),
        "waiting": gettext("Waiting"),
        "failed": gettext("Set aside"),
        "off": gettext("Off"),
    }
    views = [
        (name, words[name], count, urlencode({**base, "show": name}))
        for name, count in shown.tallies
    ]
    return {
        "shown": shown,
        "page": page,
        "views": views,
        "may_write": may_write(request),
        "poll": urlencode({**base, **cursor}),
        "older": urlencode({**base, "older": page.older}) if page.older else "",
        "newer": urlencode({**base, "newer": page.newer}) if page.newer else "",
        "several": len(shown.interfaces) > 1,
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _cursor(text: str) -> int:
    """A row's id as it stands in a link; 0 for anything that is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
