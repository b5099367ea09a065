"""Kestrel Net on an ordinary day: what it sells, who works there, what was used and done."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import time_machine
from django.utils import timezone

from audit.models import AuditEvent
from peers.models import Client, Peer
from quotas.models import Meter, Plan, TenantUsage, UsageBucket
from tenants.models import ApiToken, Tenant
from tests.make import make_plan, make_token, make_user

GB = 10**9
OWNER = "mina.karimi"


def a_resellers_day(slug: str = "kestrel") -> Tenant:
    """On top of `ordinary_day`: its tenant, with one of everything that its pages show."""
    now = timezone.now()
    Tenant.objects.filter(slug=slug).update(
        max_clients=20_000, max_devices_per_client=5, max_bytes_per_period=10 * 10**12,
        brand_name="Kestrel Net", brand_color="#8a3b12", brand_color_dark="#f0a074",
        support_url="https://t.me/kestrelnet", warn_percents=[80, 95], warn_days=[7, 1],
        contact_name="Mina Karimi", contact_email="mina@kestrel.example",
        timezone="Asia/Tehran",
    )  # fmt: skip
    kestrel = Tenant.objects.get(slug=slug)
    for name, role in ((OWNER, "owner"), ("arash.d", "manager"), ("nora", "viewer")):
        make_user(name, tenant=kestrel, role=role)
    make_user("gone", tenant=kestrel, role="viewer", is_active=False)
    _plans(kestrel, now)
    _tokens(kestrel, now)
    _clients(kestrel, now)
    _used(kestrel, now)
    _deeds(kestrel)
    return kestrel


def _plans(tenant: Tenant, now: datetime) -> None:
    common = {"duration_days": 30, "start": Plan.Start.FIRST_HANDSHAKE}
    make_plan(tenant, name="Basic 20", total_bytes=20 * GB, price_label="€ 3", **common)
    make_plan(
        tenant, name="Gamer 50", total_bytes=50 * GB, reset="month", at_limit="throttle",
        throttle_kbit=2000, download_kbit=50_000, upload_kbit=20_000, devices=3,
        price_label="€ 6.50 a month", **common,
    )  # fmt: skip
    make_plan(tenant, name="خانواده", total_bytes=150 * GB, devices=5, price_label="250,000 تومان")
    make_plan(tenant, name="Staff", devices=10)
    make_plan(
        tenant, name="Night owl", upload_bytes=10 * GB, download_bytes=200 * GB, reset="week",
        duration_days=365, upload_kbit=512, download_kbit=4_000,
    )  # fmt: skip
    make_plan(tenant, name="Spring offer", total_bytes=5 * GB, archived_at=now, **common)


def _tokens(tenant: Tenant, now: datetime) -> None:
    make_token(tenant, name="shop", expires_at=now + timedelta(days=200))
    make_token(tenant, name="Telegram bot", scopes=["clients:read", "clients:write", "plans:read"],
               allowed_cidrs=["203.0.113.0/24", "2001:db8:77::/48"])  # fmt: skip
    make_token(tenant, name="Bookkeeping", scopes=["*:read"], expires_at=now + timedelta(days=3))
    make_token(tenant, name="old shop")
    ApiToken.objects.filter(name="old shop").update(revoked_at=now - timedelta(days=9))
    for name, minutes in (("shop", 1), ("Telegram bot", 300)):
        ApiToken.objects.filter(tenant=tenant, name=name).update(
            last_used_at=now - timedelta(minutes=minutes), last_used_ip="203.0.113.77"
        )


def _clients(tenant: Tenant, now: datetime) -> None:
    """Three that end this week, of whom one has a plan to follow; a device that was refused."""
    following = Plan.objects.get(tenant=tenant, name="Basic 20")
    for place, client in enumerate(Client.objects.filter(tenant=tenant).order_by("pk")[:3]):
        Client.objects.filter(pk=client.pk).update(
            expires_at=now + timedelta(hours=9 + place * 41),
            plan=following,
            next_plan=following if place == 1 else None,
            next_plan_when="at-end" if place == 1 else "",
        )
    last = Peer.objects.filter(tenant=tenant).order_by("-pk")[0]
    Peer.objects.filter(pk=last.pk).update(quarantine_reason="the key is the server's own")


def _used(tenant: Tenant, now: datetime) -> None:
    """Quarters of the last day, days before."""
    chance, quarter = Random(11), now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    rows, sums = [], [0, 0]
    spans = [(quarter - timedelta(minutes=30 * n), 900, 1) for n in range(48)]
    spans += [(quarter - timedelta(days=n), 900, 40) for n in range(2, 30)]
    for begins, seconds, weight in spans:
        evening = 3 if 15 <= begins.hour <= 21 else 1
        for meter in Meter.objects.filter(tenant=tenant):
            if meter.interface_id is None:
                continue
            down = chance.randrange(5 * 10**6, 9 * 10**7) * evening * weight
            up = down // chance.randrange(5, 9)
            sums = [sums[0] + down, sums[1] + up]
            rows.append(UsageBucket(
                meter=meter, tenant=tenant, interface_id=meter.interface_id, begins_at=begins,
                seconds=seconds, raw_up=up, raw_down=down, billed_up=up, billed_down=down,
            ))  # fmt: skip
    UsageBucket.objects.bulk_create(rows, ignore_conflicts=True)  # `busy_day` has some of them
    TenantUsage.objects.update_or_create(
        tenant=tenant,
        defaults={"billed_down": 7_460 * GB, "billed_up": 910 * GB,
                  "period_began_at": now - timedelta(days=22),
                  "period_ends_at": now + timedelta(days=8)},
    )  # fmt: skip


def _deeds(tenant: Tenant) -> None:
    sara = Client.objects.filter(tenant=tenant).order_by("pk")[0]
    deeds = [
        ("client.created", "client", sara.name, OWNER, "user"),
        ("client.disabled", "client", sara.name, "shop", "token"),
        ("client.quota_reached", "client", sara.name, "vwg", "system"),
        ("plan.updated", "plan", "Gamer 50", "arash.d", "user"),
        ("token.issued", "token", "shop", OWNER, "user"),
        ("member.added", "member", "nora", OWNER, "user"),
        ("tenant.updated", "tenant", "Kestrel Net", "oscar", "user"),
    ]
    for number, (action, kind, name, actor, actor_kind) in enumerate(deeds * 3):
        at = timezone.now() - timedelta(minutes=37 * (22 - number))
        address = "2001:db8:77::41" if number % 4 else "203.0.113.7"
        with time_machine.travel(at, tick=False):
            AuditEvent.objects.create(
                tenant=tenant, actor_kind=actor_kind, actor_name=actor, action=action,
                target_type=kind, target_id=str(sara.uuid) if kind == "client" else "0",
                target_name=name, after={}, by_operator=actor == "oscar",
                address=None if actor == "vwg" else address,
            )  # fmt: skip
