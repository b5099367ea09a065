"""Screenshots of the operators' pages, on a day on which something waits for them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.utils import timezone
from playwright.sync_api import Browser

from audit.models import AuditEvent
from gateways.models import Gateway, Interface, Job, ScheduledJob
from gateways.schedule import expected
from quotas.models import LedgerSegment, Meter, TenantUsage, UsageBucket
from tenants.models import Membership, Tenant
from tests.browser.chromium import Watched
from tests.make import (
    make_client,
    make_gateway,
    make_interface,
    make_peer,
    make_tenant,
    make_user,
    make_wake_host,
)

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
DRESSES: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "fa": {"viewport": DESK, "locale": "fa-IR"},
    "phone": {"viewport": PHONE, "has_touch": True},
}
PAGES = {
    "home": "/",
    "tenants": "/tenants/",
    "tenant": "/tenants/kestrel/",
    "tenant-edit": "/tenants/kestrel/edit/",
    "gateways": "/gateways/",
    "interface": "/interfaces/{ams}/",
    "interface-edit": "/interfaces/{fra}/edit/",
    "pools": "/pools/",
    "settings": "/settings/",
    "system": "/system/",
    "jobs": "/jobs/",
    "quarantine": "/quarantine/",
    "wake": "/wake/",
    "schedule": "/schedule/",
    "audit": "/audit/",
}
#: A page and the link on it that opens a dialog.
DIALOGS = {
    "suspend": ("/tenants/kestrel/", "a[href$='/suspend/']"),
    "key": ("/interfaces/{fra}/", "a[href$='/key/']"),
    "adopt": ("/interfaces/{ams}/", "a[href$='/adopt/']"),
    "remove-strays": ("/interfaces/{ams}/", "a[href$='/remove/']"),
    "member": ("/tenants/kestrel/", "a[href$='/members/new/']"),
    "wake-new": ("/wake/", "a[href='/wake/new/']"),
}


def shoot_operator(browser: Browser, base: str, out: Path) -> None:
    """Every page of `PAGES` and dialog of `DIALOGS` in every dress."""
    busy_day()
    found = Interface.objects.values_list("gateway__slug", "uuid").order_by("-is_default")
    ids = {"fra": found.filter(name="wg0")[0][1], "ams": dict(found)["ams2"]}
    for dress, options in DRESSES.items():
        watched = Watched(browser, base, **options)
        page = watched.sign_in("oscar", "/")
        for name, path in PAGES.items():
            page.goto(path.format(**ids))
            page.screenshot(path=out / f"op-{name}-{dress}.png", full_page=True)
        for name, (path, link) in DIALOGS.items():
            page.goto(path.format(**ids))
            page.click(link)
            page.wait_for_selector("dialog[open] footer .btn")
            page.screenshot(path=out / f"op-{name}-{dress}.png")
        print("operator", dress, watched.faults)
        watched.context.close()


def busy_day() -> None:
    """More gateways and resellers, the schedule, traffic, an audit trail, and what went wrong."""
    now = timezone.now()
    Gateway.objects.filter(slug="fra1").update(location="Frankfurt", country="DE")
    ams = make_gateway("ams2", location="Amsterdam", endpoint_address="198.51.100.20")
    wg = make_interface(
        gateway=ams, is_default=False, addresses=["10.9.0.1/25"], state="up", observed_at=now,
        observed_backend="kernel", observed_peers=130, guard_keys=["a" * 43 + "="] * 14,
        guard_since=now - timedelta(minutes=6), drift={"guarded": 14},
    )  # fmt: skip
    pars = make_tenant("pars", name="پارس‌گیم", max_bytes_per_period=100 * 10**12)
    harbour = make_tenant("harbour", name="Blue Harbour VPN", max_bytes_per_period=40 * 10**12)
    make_tenant("dotnet", name="dotnet-cafe", status="suspended", status_reason="unpaid",
                status_since=now, max_bytes_per_period=5 * 10**12)  # fmt: skip
    kestrel = Tenant.objects.get(slug="kestrel")
    Tenant.objects.filter(pk=kestrel.pk).update(
        max_clients=20_000, max_bytes_per_period=200 * 10**12, contact_name="Mina Karimi",
        contact_email="mina@kestrel.example", timezone="Europe/Berlin",
    )  # fmt: skip
    for number in range(116):
        make_peer(make_client((pars, harbour)[number % 2], name=f"Client {number}"), wg)
    for tenant, share in ((kestrel, 70), (pars, 93), (harbour, 44)):
        tenant.refresh_from_db()
        used = (tenant.max_bytes_per_period or 0) * share // 100
        TenantUsage.objects.update_or_create(
            tenant=tenant,
            defaults={"billed_down": used, "period_began_at": now - timedelta(days=22),
                      "period_ends_at": now + timedelta(days=8)},
        )  # fmt: skip
    for name, role in (("mina", "owner"), ("dara", "manager"), ("kian", "viewer")):
        Membership.objects.create(tenant=kestrel, user=make_user(name), role=role)
    _traffic(now)
    _machines(ams, now)
    _schedule(now)
    _trail(kestrel, now)


def _machines(gateway: Gateway, now: Any) -> None:
    """Some to wake: one woken, one in vain, one never."""
    for number, (name, sent) in enumerate((("nas", True), ("build-server", False))):
        job = Job.objects.create(
            kind="wake", status="succeeded" if sent else "failed", total=1, done=1,
            failed=int(not sent), actor_name="oscar", finished_at=now + timedelta(seconds=1),
            message="failed: the packet could not be sent: No such device" * (not sent),
        )  # fmt: skip
        make_wake_host(
            gateway, name=name, mac=f"02:42:ac:11:00:0{number}", link="eth1", job=job,
            broadcast="192.168.7.255",
        )  # fmt: skip
    make_wake_host(gateway, name="دفتر", mac="02:42:ac:11:00:07")


def _traffic(now: Any) -> None:
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    for meter in Meter.objects.all():
        if meter.interface_id is None:
            continue
        LedgerSegment.objects.create(
            meter=meter, tenant_id=meter.tenant_id, interface_id=meter.interface_id,
            incarnation=1, quarter=quarter, from_rx=0, to_rx=9_000_000, from_tx=0,
            to_tx=120_000_000, billed_up=0, billed_down=0, sampled_at=now,
        )  # fmt: skip

    meter = Meter.objects.exclude(interface=None).order_by("pk")[0]
    assert meter.interface_id is not None
    for back in range(1, 7 * 96):
        begins_at = quarter - back * timedelta(minutes=15)
        share = 2 + (begins_at.hour * 4 + begins_at.minute // 15) * 37 % 50 + begins_at.hour
        UsageBucket.objects.create(
            meter=meter, tenant_id=meter.tenant_id, interface_id=meter.interface_id,
            begins_at=begins_at, seconds=900, raw_up=share * 10**9, raw_down=share * 7 * 10**9,
        )  # fmt: skip


def _schedule(now: Any) -> None:
    ScheduledJob.objects.all().delete()
    for place, (name, seconds) in enumerate(sorted(expected().items())):
        late = name == "rollup"
        ScheduledJob.objects.create(
            name=name, interval_seconds=seconds, runs=1200 - place * 40,
            started_at=now - timedelta(seconds=1), duration_ms=3.5 * (place + 1),
            finished_at=now - timedelta(hours=2) if late else now, counts={"done": place},
            failures=3 if late else 0, failed_at=now if late else None,
            error="OperationalError: the database is locked" if late else "",
        )  # fmt: skip


def _trail(tenant: Tenant, now: Any) -> None:
    deeds = [
        ("client.created", "client", "Sara Moradi", "mina", {}),
        ("tenant.updated", "tenant", "Kestrel Net", "oscar", {"max_clients": 20_000}),
        ("client.quota_reached", "client", "Amir Tehrani", "vwg", {}),
        ("interface.updated", "interface", "fra1 wg0", "oscar", {"mtu": 1380}),
        ("token.issued", "token", "shop", "mina", {"scopes": ["*"]}),
    ]
    for number, (action, kind, name, actor, after) in enumerate(deeds * 2):
        with time_machine.travel(now - timedelta(hours=40 - 2 * number), tick=False):
            AuditEvent.objects.create(
                tenant=tenant, actor_kind="user" if actor != "vwg" else "system", actor_name=actor,
                action=action, target_type=kind, target_id="0", target_name=name, after=after,
                address="203.0.113.7", by_operator=actor == "oscar",
            )  # fmt: skip
    Job.objects.filter(status="failed").update(finished_at=now)
    Interface.objects.filter(name="wg1").update(enabled=False, state="down")
