"""Shapes of what was used. Bytes are WireGuard's own, overhead included (docs/accounting.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework import serializers

from peers.api.representation import moment
from quotas.models import Session
from quotas.ranges import BYS, Wanted
from quotas.spans import Bytes, total_of
from quotas.usage import Series


class BytesSerializer(serializers.Serializer[Any]):
    """Bytes as the client sees them. Raw is what was counted, billed what counts against limits."""

    raw_upload_bytes = serializers.IntegerField()
    raw_download_bytes = serializers.IntegerField()
    billed_upload_bytes = serializers.IntegerField()
    billed_download_bytes = serializers.IntegerField()


def bytes_body(found: Bytes) -> dict[str, int]:
    """The body of `BytesSerializer`."""
    return {
        "raw_upload_bytes": found.raw_up,
        "raw_download_bytes": found.raw_down,
        "billed_upload_bytes": found.billed_up,
        "billed_download_bytes": found.billed_down,
    }


class PointSerializer(BytesSerializer):
    """One span of a series; a day has 23 or 25 hours where clocks are turned."""

    begins_at = serializers.DateTimeField(help_text="With the offset that the zone has then.")
    seconds = serializers.IntegerField()


class SeriesSerializer(serializers.Serializer[Any]):
    """What was used, span by span; none is left out."""

    by = serializers.ChoiceField(choices=BYS)
    timezone = serializers.CharField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    coarse = serializers.BooleanField(
        help_text="Some of it is so old that only longer sums are kept: each stands where it began."
    )
    total = BytesSerializer()
    points = PointSerializer(many=True)


def series_body(wanted: Wanted, found: Series) -> dict[str, Any]:
    """The body of `SeriesSerializer`."""
    pairs = zip(found.edges, found.edges[1:], found.points, strict=False)
    return {
        "by": wanted.by,
        "timezone": wanted.zone.key,
        "begins_at": local(found.edges[0], wanted.zone),
        "ends_at": local(found.edges[-1], wanted.zone),
        "coarse": found.coarse,
        "total": bytes_body(total_of(found.points)),
        "points": [
            {
                "begins_at": local(begin, wanted.zone),
                "seconds": int((end - begin).total_seconds()),
                **bytes_body(point),
            }
            for begin, end, point in pairs
        ],
    }


def local(at: datetime, zone: ZoneInfo) -> str:
    """RFC 3339 by the clock of a zone."""
    return at.astimezone(zone).isoformat().replace("+00:00", "Z")


class PeriodSerializer(serializers.Serializer[Any]):
    """The period that limits count in. ``ends_at`` is null where none follows by itself."""

    number = serializers.IntegerField()
    began_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class DeviceUsage(BytesSerializer):
    """All that a device used since it was added."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    observed_at = serializers.DateTimeField(allow_null=True)


class SpeedSerializer(serializers.Serializer[Any]):
    """How fast each device may be now, in kbit/s: the least of what was sold, of the tenant's limit
    and, at the limit of bytes, of the throttle. Null is no limit.
    """

    upload_kbit = serializers.IntegerField(allow_null=True)
    download_kbit = serializers.IntegerField(allow_null=True)


class ClientUsage(serializers.Serializer[Any]):
    """What a client used in its period, and what is left; null limits are none."""

    period = PeriodSerializer()
    used_bytes = serializers.IntegerField(help_text="Billed, both directions together.")
    used_upload_bytes = serializers.IntegerField()
    used_download_bytes = serializers.IntegerField()
    limit_bytes = serializers.IntegerField(allow_null=True, help_text="With what was topped up.")
    limit_upload_bytes = serializers.IntegerField(allow_null=True)
    limit_download_bytes = serializers.IntegerField(allow_null=True)
    extra_bytes = serializers.IntegerField(help_text="Topped up, or carried over.")
    left_bytes = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True, help_text="Of the nearest limit.")
    throttled_since = serializers.DateTimeField(allow_null=True)
    speed = SpeedSerializer()
    total = BytesSerializer(help_text="Since the client was made.")
    devices = DeviceUsage(many=True)
    observed_at = serializers.DateTimeField(
        allow_null=True, help_text="When a device of it was last counted."
    )


class SessionSerializer(serializers.Serializer[Any]):
    """From a device's first handshake after a silence to its last before the next."""

    device = serializers.UUIDField()
    device_name = serializers.CharField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: it goes on.")
    endpoint = serializers.CharField()
    upload_bytes = serializers.IntegerField()
    download_bytes = serializers.IntegerField()


def session_body(session: Session, counted: Mapping[int, tuple[int, int]]) -> dict[str, Any]:
    """A session; of an open one the bytes come from what its device counted so far."""
    up, down = session.up, session.down
    if session.ended_at is None and session.peer_id in counted:
        now_up, now_down = counted[session.peer_id]
        up, down = max(now_up - session.base_up, 0), max(now_down - session.base_down, 0)
    return {
        "device": str(session.peer.uuid),
        "device_name": session.peer.name,
        "began_at": moment(session.began_at),
        "ended_at": moment(session.ended_at),
        "endpoint": session.endpoint,
        "upload_bytes": up,
        "download_bytes": down,
    }
