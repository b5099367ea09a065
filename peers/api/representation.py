"""Clients as JSON. Made by hand: a page of 50 clients is 2,000 values, and none is a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateways.api.serializers import job_ref
from gateways.models import Job
from peers.models import Client, Peer
from peers.queries import ONLINE_WITHIN, ClientView, Device
from peers.reasons import Off
from quotas.balance import Balance
from quotas.policies import MANUAL
from rest.etag import etag

#: Live figures, which are others each time; and the job of a change.
_MOVING: Final = frozenset({"live", "usage", "job"})


def client_body(view: ClientView, *, at: datetime, job: Job | None = None) -> dict[str, Any]:
    """The client at the moment ``at``; with ``job``, the job of the change that is answered."""
    client = view.client
    body: dict[str, Any] = {
        "id": str(client.uuid),
        "name": client.name,
        "external_id": client.external_id,
        "state": view.state,
        "enabled": all(hold.reason != MANUAL for hold in view.holds),
        "holds": [
            {
                "reason": hold.reason,
                "note": hold.note,
                "opened_at": moment(hold.opened_at),
                "until": moment(hold.until),
            }
            for hold in view.holds
        ],
        "off": _off_body(view.off),
        "tags": client.tags,
        "metadata": client.metadata,
        "note": client.note,
        "email": client.email,
        "telegram_id": client.telegram_id,
        "plan": None if client.plan is None else str(client.plan.uuid),
        **_terms_body(client),
        "usage": usage_body(view.balance),
        "first_connected_at": moment(client.first_connected_at),
        "version": client.version,
        "created_by": client.created_by,
        "created_at": moment(client.created_at),
        "updated_at": moment(client.updated_at),
        "deleted_at": moment(client.deleted_at),
        "purge_at": moment(client.purge_at),
        "devices": [device_body(device, at=at) for device in view.devices],
    }
    if job is not None:
        body["job"] = job_ref(job)
    return body


def _terms_body(client: Client) -> dict[str, Any]:
    """What was sold."""
    return {
        "quota_bytes": client.quota_bytes,
        "upload_quota_bytes": client.upload_quota_bytes,
        "download_quota_bytes": client.download_quota_bytes,
        "reset": client.reset,
        "starts_at": moment(client.starts_at),
        "start_before": moment(client.start_before),
        "expires_at": moment(client.expires_at),
        "duration_days": client.duration_days,
        "upload_kbit": client.upload_kbit,
        "download_kbit": client.download_kbit,
        "at_limit": client.at_limit,
        "throttle_kbit": client.throttle_kbit,
        "grace_seconds": client.grace_seconds,
        "delete_after_days": client.delete_after_days,
        "next_plan": None
        if client.next_plan is None
        else {
            "plan": str(client.next_plan.uuid),
            "when": client.next_plan_when,
            "carries": client.next_plan_carries,
        },
    }


def _off_body(off: Off | None) -> dict[str, Any] | None:
    """Why it is off."""
    if off is None:
        return None
    return {
        "reason": off.reason,
        "message": off.message,
        "since": moment(off.since),
        "until": moment(off.until),
        "remedy": off.remedy,
    }


def usage_body(found: Balance) -> dict[str, int | None]:
    """How much of its period's bytes a client used."""
    return {"used_bytes": found.used, "left_bytes": found.left, "percent": found.percent}


def device_body(device: Device, *, at: datetime) -> dict[str, Any]:
    """A device: what is wanted, how far it has come, and what was last seen of it."""
    peer = device.peer
    return {
        "id": str(peer.uuid),
        "name": peer.name,
        "interface": device.interface,
        "gateway": device.gateway,
        "public_key": peer.public_key,
        "private_key_known": device.private_key_known,
        "awaits_key": peer.awaits_key,
        "preshared_key_set": device.preshared_key_set,
        "addresses": list(device.addresses),
        "networks": list(device.networks),
        "persistent_keepalive": peer.persistent_keepalive,
        "endpoint": peer.endpoint,
        "dns_servers": None if peer.use_server_dns else peer.dns_servers,
        "mtu": peer.mtu,
        "client_keepalive": peer.client_keepalive,
        "routes": peer.routes or None,
        "endpoint_override": peer.endpoint_override,
        "status": device.status,
        "reason": device.reason,
        "file": {"outdated": device.file_outdated, "delivered_at": moment(peer.delivered_at)},
        "live": {
            "online": is_online(peer, at=at),
            "endpoint": peer.observed_endpoint or None,
            "last_handshake_at": moment(peer.last_handshake_at),
            "upload_bytes": device.upload_bytes,
            "download_bytes": device.download_bytes,
            "observed_at": moment(device.observed_at),
        },
    }


def peer_body(device: Device, client: Client, *, at: datetime) -> dict[str, Any]:
    """A device where it stands by itself: with whose it is."""
    return {
        **device_body(device, at=at),
        "client": str(client.uuid),
        "client_external_id": client.external_id,
        "version": client.version,
    }


def tag_of(client: Client, body: Mapping[str, Any]) -> str:
    """The ETag of an answer about a client or one of its devices: it moves with all that is shown
    but for live figures, which are others each time, and the job.
    """
    return etag(client, _still(body))


def _still(body: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in body.items() if name not in _MOVING}
    if "devices" in shown:
        shown["devices"] = [_still(device) for device in shown["devices"]]
    return shown


def is_online(peer: Peer, *, at: datetime) -> bool:
    """On the interface, not blocked, and a handshake that still carries a session."""
    return (
        peer.observed_present
        and not peer.blocked
        and peer.last_handshake_at is not None
        and peer.last_handshake_at >= at - ONLINE_WITHIN
    )


def moment(value: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
