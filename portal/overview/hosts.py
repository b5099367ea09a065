"""Gateways as a home shows them: the worst of a host's interfaces, and their sums. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from gateways.models import AddressPool
from peers.pools import Utilisation
from portal.overview.rows import GatewayRow
from portal.status.rows import InterfaceRow

_WORST = ("bad", "warn", "wait", "new", "live", "off")


def gateway_rows(
    interfaces: Sequence[InterfaceRow],
    places: Mapping[str, str],
    pools: Iterable[tuple[AddressPool, Utilisation]],
    bits: Mapping[UUID, int],
) -> tuple[GatewayRow, ...]:
    """A row for every host that has an interface, in the order in which those come."""
    groups: dict[str, list[InterfaceRow]] = {}
    for row in interfaces:
        groups.setdefault(row.gateway, []).append(row)
    given: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for pool, used in pools:
        if pool.family == 4:
            slug = pool.gateway.slug
            given[slug] = given.get(slug, 0) + used.given + used.held_back
            sizes[slug] = sizes.get(slug, 0) + pool.size
    return tuple(
        _row(slug, rows, places.get(slug, ""), given.get(slug, 0), sizes.get(slug, 0), bits)
        for slug, rows in groups.items()
    )


def _row(
    slug: str,
    rows: Sequence[InterfaceRow],
    place: str,
    given: int,
    addresses: int,
    bits: Mapping[UUID, int],
) -> GatewayRow:
    worst = min(rows, key=lambda row: _WORST.index(row.glyph))
    several = len(rows) > 1 and worst.glyph not in ("live", "off")
    read = [row for row in rows if row.glyph != "off" and row.observed_at is not None]
    return GatewayRow(
        slug=slug,
        place=place,
        glyph=worst.glyph,
        words=f"{worst.name}: {worst.words}" if several else worst.words,
        online=sum(row.online for row in rows),
        peers=sum(row.wanted for row in rows),
        given=given,
        addresses=addresses,
        bits=sum(bits.get(row.uuid, 0) for row in rows),
        observed_at=min((row.observed_at for row in read if row.observed_at), default=None),
        stale=any(row.stale for row in read),
    )
