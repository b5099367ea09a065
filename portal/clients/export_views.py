"""A view of the list as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as clock
from django.views.decorators.http import require_GET

from peers.queries import ClientView, view_clients
from portal.clients.address import Address
from portal.clients.places import Place
from portal.clients.queries import narrowed
from portal.doors import for_tenant
from tenants.scoping import Caller

CHUNK: Final = 500
HEAD: Final = (
    "id", "name", "external_id", "state", "plan", "used_bytes", "limit_bytes", "expires_at",
    "addresses", "tags", "note", "email", "created_at",
)  # fmt: skip
#: A cell that begins so is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@require_GET
@for_tenant("clients:read")
def as_csv(request: HttpRequest, caller: Caller) -> HttpResponse:
    """All clients of the view, newest first, as CSV: the words and units of the API."""
    rows = narrowed(Place(caller).rows, Address.of(request.GET).filters)
    ids = list(rows.order_by("-pk").values_list("pk", flat=True))
    name = f"clients-{caller.tenant.slug}-{clock():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = _lines(caller, ids)
    return HttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _lines(caller: Caller, ids: list[int]) -> Iterator[str]:
    yield _written(HEAD)
    for start in range(0, len(ids), CHUNK):
        wanted = ids[start : start + CHUNK]
        found = {client.pk: client for client in Place(caller).rows.filter(pk__in=wanted)}
        for view in view_clients([found[pk] for pk in wanted if pk in found]):
            yield _written(_cells(view))


def _cells(view: ClientView) -> tuple[Any, ...]:
    client, balance = view.client, view.balance
    addresses = [text for device in view.devices for text in device.addresses]
    return (
        client.uuid, client.name, client.external_id or "", view.state,
        client.plan.name if client.plan else "", balance.used,
        "" if balance.limit is None else balance.limit,
        client.expires_at.isoformat() if client.expires_at else "",
        " ".join(addresses), " ".join(client.tags), client.note, client.email,
        client.created_at.isoformat(),
    )  # fmt: skip


def _written(cells: tuple[Any, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
