"""What is sent to whoever helps: how everything stands, and the logs, without a secret."""

from __future__ import annotations

import json
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.db.models import Count

from gateways.models import Gateway, Interface, Job, ScheduledJob
from gateways.queries import expected_queues, global_settings, queue_seen
from peers.models import Client, Peer
from portal.system import host
from tenants.models import Tenant

#: Settings that say how it is set up, and hold no secret.
_SETTINGS: Final = (
    "DEBUG", "VWG_PUBLIC_URL", "VWG_GATEWAY", "VWG_INTERFACE", "VWG_OBSERVE_SECONDS",
    "VWG_SWEEP_SECONDS", "VWG_CUTOFF", "VWG_DRIVER", "VWG_COMMAND_TIMEOUT", "LANGUAGES",
)  # fmt: skip
_LOG_LINES: Final = 2000


def bundle(*, at: datetime) -> bytes:
    """A ZIP archive of texts."""
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        archive.writestr("system.json", _json(_system(at)))
        archive.writestr("gateways.json", _json(_gateways()))
        archive.writestr("jobs.json", _json(_jobs()))
        archive.writestr("schedule.json", _json(_schedule()))
        for name in host.log_files():
            archive.writestr(f"log/{name}", "\n".join(host.tail(name, lines=_LOG_LINES)))
    return made.getvalue()


def _json(value: Any) -> str:
    return host.cleaned(json.dumps(value, indent=1, default=str, ensure_ascii=False))


def _system(at: datetime) -> dict[str, Any]:
    chosen = global_settings()
    return {
        "at": at,
        "versions": dict(host.versions()),
        "host": vars(host.host()),
        "database_bytes": host.database_bytes(),
        "settings": {name: getattr(settings, name, None) for name in _SETTINGS},
        "global_settings": {
            name: getattr(chosen, name)
            for name in ("mtu", "persistent_keepalive", "dns_servers", "default_routes", "timezone")
        },
        "counts": {
            "tenants": Tenant.objects.count(),
            "clients": Client.objects.filter(deleted_at=None).count(),
            "devices": Peer.objects.filter(deleted_at=None).count(),
            "quarantined": Peer.objects.exclude(quarantine_reason="").count(),
        },
    }


def _gateways() -> list[dict[str, Any]]:
    rows = list(Gateway.objects.exclude(interfaces__simulated=True).order_by("slug"))
    seen = queue_seen(rows)
    names = (
        "name", "state", "state_reason", "enabled", "listen_port", "observed_at",
        "observed_backend", "observed_peers", "drift", "cutoff", "shaping", "apply_seq",
        "restart_policy", "boot_dirty_since",
    )  # fmt: skip
    interfaces = Interface.objects.filter(simulated=False).annotate(devices=Count("peers"))
    return [
        {
            "slug": row.slug,
            "alarm": row.alarm,
            "worker_seen_at": seen.get(row.queue),
            "interfaces": [
                {name: getattr(one, name) for name in names}
                | {"devices": one.devices, "unknown_peers": len(one.guard_keys)}
                for one in interfaces.filter(gateway=row).order_by("name")
            ],
        }
        for row in rows
    ] + [{"queues": expected_queues()}]


def _jobs() -> list[dict[str, Any]]:
    names = (
        "kind", "status", "total", "done", "failed", "tier", "message", "created_at",
        "finished_at",
    )  # fmt: skip
    return list(Job.objects.order_by("-pk").values(*names)[:200])


def _schedule() -> list[dict[str, Any]]:
    return [dict(row) for row in ScheduledJob.objects.order_by("name").values()]
