"""The world that the tour shows: two gateways, five resellers, and Kestrel Net's customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final

import time_machine
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from fido2.cose import CoseKey
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from audit.events import Actor
from gateways.models import Gateway, GlobalSetting, Heartbeat, Interface, Job, JobItem
from peers.models import BulkItem, BulkRun, Client, Peer, ShareLink
from peers.services.switching import disable_client
from portal.models import SavedView
from quotas.models import Hold, Plan, Usage
from tenants.models import ApiToken, Tenant, User
from tenants.scoping import Caller
from tests.browser.one_client import a_client
from tests.browser.operator_pictures import busy_day
from tests.browser.reseller import OWNER, a_resellers_day
from tests.browser.scene import ordinary_day
from tests.browser.shared import shared_links
from tests.make import make_client, make_peer, make_user

GB: Final = 10**9
#: Of the manager's authenticator app.
SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NAMES: Final = (
    "Neda A.", "بهرام صادقی", "shop-7", "Aria home", "Mahsa & Ali", "Pouya S.", "کافه لاله",
    "Dena TV", "Roya M.", "Siavash laptop", "Mehdi", "دکتر کریمی", "Golnaz", "Kaveh PC",
    "Ziba hair salon", "Arman N.", "نگار", "Hamid office", "Sahar", "Vahid gaming",
)  # fmt: skip
LOG: Final = """\
2026-11-23 10:38:12 INFO control.apply wg0: Successfully added 1 new peers to interface wg0
2026-11-23 10:38:12 INFO control.apply wg0: Configuration applied successfully without \
disrupting active connections
2026-11-23 10:39:40 WARNING control.observe ams2 wg0: 14 keys that vwg does not know
2026-11-23 10:40:46 ERROR control.apply wg0: a peer is refused: the key is the server's own
2026-11-23 10:40:46 INFO control.apply wg0: the other 3 changes are live
2026-11-23 10:41:02 INFO control.observe wg0: 64 devices, 26 online, 0 drifted
"""


def build_world() -> Mapping[str, str]:
    """All rows; and what stands for {sara} and the like in addresses."""
    make_user("oscar", operator="full", is_staff=True, is_superuser=True)
    make_user("newcomer")
    wg0 = ordinary_day(devices=60)
    busy_day()
    kestrel = a_resellers_day()
    User.objects.filter(username=OWNER).update(first_name="Mina", last_name="Karimi")
    mina = User.objects.get(username=OWNER)
    actor = Actor("user", str(mina.uuid), OWNER)
    caller = Caller(kestrel, "", frozenset({"*"}), actor, "owner", user=mina)
    _customers(kestrel, wg0)
    with before(hours=5):
        links = shared_links(wg0, kestrel)
        Client.objects.filter(name="Sara Moradi").update(name="Sina Rad")
    with before(hours=2):
        sara = a_client(caller, wg0)
    _are_seen(kestrel, wg0)
    off = Client.objects.filter(tenant=kestrel, name="Mehdi")[0]
    with before(minutes=50):
        at = timezone.now()
        disable_client(caller=caller, client_id=off.uuid, at=at, note="waits for payment")
    Peer.objects.filter(client=off).update(blocked=True, verified_generation=2)
    _runs(kestrel, wg0)
    _guarded(User.objects.get(username="arash.d"))
    _log()
    GlobalSetting.objects.update(dns_servers=["9.9.9.9", "2620:fe::9"])
    return {
        **_places(kestrel, sara, off),
        "used": links.used, "paused": links.off, "once": links.once,
        "outdated": links.outdated, "keyless": links.keyless,
        "reset": _reset(User.objects.get(username="newcomer")), "broken": "/system/",
    }  # fmt: skip


def _places(kestrel: Tenant, sara: Client, off: Client) -> dict[str, str]:
    phone = sara.peers.order_by("pk")[0]
    view = SavedView.objects.create(
        tenant=kestrel, user=User.objects.get(username=OWNER), name="Nearly used up",
        query="over=90",
    )  # fmt: skip
    runs = BulkRun.objects.filter(tenant=kestrel).order_by("pk")
    rows: dict[str, Any] = {
        "sara": sara,
        "off": off,
        "phone": phone,
        "device": Peer.objects.filter(tenant__slug="default").order_by("pk")[0],
        "link": ShareLink.objects.filter(peer=phone)[0],
        "view": view,
        "plan": Plan.objects.get(tenant=kestrel, name="Gamer 50"),
        "token": ApiToken.objects.get(tenant=kestrel, name="Telegram bot"),
        "member": User.objects.get(username="nora"),
        "fra": Interface.objects.get(gateway__slug="fra1", name="wg0"),
        "down": Interface.objects.get(gateway__slug="fra1", name="wg1"),
        "ams": Interface.objects.get(gateway__slug="ams2"),
        "gateway": Gateway.objects.get(slug="ams2"),
        "pool": Interface.objects.get(gateway__slug="ams2").pools.all()[0],
        "failed": Job.objects.filter(status="failed")[0],
        "run": runs[0],
        "going": runs[1],
    }
    passkey = Authenticator.objects.get(type="webauthn")
    return {name: str(row.uuid) for name, row in rows.items()} | {"passkey": str(passkey.pk)}


def _customers(tenant: Tenant, interface: Interface) -> None:
    """Forty more, as a shop has them, with plans, ends, tags and usage."""
    chance, now = Random(2), timezone.now()
    for number in range(40):
        client = make_client(tenant, name=NAMES[number % len(NAMES)])
        peer = make_peer(client, interface)
        peer.applied_key, peer.observed_present = peer.public_key, True
        peer.applied_generation = peer.verified_generation = 1
        peer.last_handshake_at = now - timedelta(seconds=chance.choice([9, 51, 80, 700, 86400]))
        peer.save()
    plans = list(Plan.objects.filter(tenant=tenant, archived_at=None, total_bytes__gt=0))
    for place, client in enumerate(Client.objects.filter(tenant=tenant).order_by("pk")):
        plan = chance.choice(plans)
        client.plan, client.quota_bytes = plan, plan.total_bytes
        client.expires_at = client.expires_at or now + timedelta(days=chance.uniform(1, 40))
        client.tags = chance.sample(["vip", "shop", "shiraz"], chance.randrange(3))
        client.first_connected_at = client.created_at = now - timedelta(days=20)
        client.save()
        share = chance.choice([0.08, 0.31, 0.4, 0.62, 0.93]) if place % 9 else 1
        used = int((client.quota_bytes or 0) * share)
        Usage.objects.update_or_create(
            client=client, defaults={"tenant": tenant, "billed_down": used, "raw_down": used}
        )
        if share == 1:
            Hold.objects.get_or_create(
                tenant=tenant, client=client, reason="quota",
                defaults={"opened_at": now - timedelta(hours=5), "opened_by": "vwg"},
            )  # fmt: skip
            Peer.objects.filter(client=client).update(blocked=True, applied_allowed_ips="")


@contextmanager
def before(**span: float) -> Iterator[None]:
    """For the time of the block it is so long ago."""
    with time_machine.travel(timezone.now() - timedelta(**span), tick=False):
        yield


def _are_seen(tenant: Tenant, interface: Interface) -> None:
    """What was made before is connected now."""
    now = timezone.now()
    Interface.objects.filter(pk=interface.pk).update(observed_at=now - timedelta(seconds=3))
    Client.objects.filter(tenant=tenant, first_connected_at=None).exclude(name="Leila").update(
        first_connected_at=now - timedelta(days=3)
    )
    Peer.objects.filter(tenant=tenant, client__name__in=["Sina Rad", "Omid laptop"]).update(
        last_handshake_at=now - timedelta(seconds=40)
    )
    Peer.objects.filter(client__name="Sara Moradi", name="phone").update(
        last_handshake_at=now - timedelta(seconds=48)
    )
    Heartbeat.objects.create(queue="gateway.ams2", seen_at=now - timedelta(seconds=2))


def _runs(tenant: Tenant, interface: Interface) -> None:
    """A request for eight clients of which two failed, and one that is half way."""
    now = timezone.now()
    clients = list(Client.objects.filter(tenant=tenant).order_by("pk")[20:28])
    partly = BulkRun.objects.create(
        tenant=tenant, action="extend", status="failed", request="", actor_name=OWNER, total=8,
        done=8, failed=2, started_at=now - timedelta(minutes=6),
        finished_at=now - timedelta(minutes=6) + timedelta(seconds=2),
    )  # fmt: skip
    BulkRun.objects.filter(pk=partly.pk).update(created_at=now - timedelta(minutes=6))
    for index, client in enumerate(clients):
        bad = index in (2, 5)
        BulkItem.objects.create(
            run=partly, index=index, client=None if bad else client, ref=str(client.uuid),
            outcome="failed" if bad else "done",
            message="This client has no end that could be moved." if bad else "",
        )  # fmt: skip
    going = BulkRun.objects.create(
        tenant=tenant, action="create", status="running", request="", actor_name="arash.d",
        total=500, done=380, started_at=now,
    )  # fmt: skip
    for kind, total, done, age in (("create", 380, 290, 0), ("disable", 12, 12, 30)):
        job = Job.objects.create(
            tenant=tenant, kind=kind, status="running" if done < total else "succeeded",
            actor_name="arash.d", total=total, done=done, tier=1, started_at=now,
            finished_at=None if done < total else now - timedelta(seconds=age),
        )  # fmt: skip
        Job.objects.filter(pk=job.pk).update(created_at=now - timedelta(seconds=age + 1))
        JobItem.objects.create(job=job, interface=interface, due_at=now)
        if kind == "create":
            going.jobs.add(job)


def _guarded(user: User) -> None:
    """An authenticator app, recovery codes, a passkey."""
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    Authenticator.objects.create(
        user=user, type="webauthn", data={"name": "the laptop", "credential": _credential()}
    )


def _credential() -> dict[str, Any]:
    """What a browser says of a new passkey."""
    public = CoseKey({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)})
    made = AttestedCredentialData.create(Aaguid.NONE, b"passkey of the tour", public)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(sha256(b"localhost").digest(), flags, 0, made)
    client = CollectedClientData.create("webauthn.create", b"challenge", "http://localhost")
    identity = websafe_encode(made.credential_id)
    return {
        "id": identity, "rawId": identity, "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {},
    }  # fmt: skip


def _reset(user: User) -> str:
    key = default_token_generator.make_token(user)
    ids = {"uidb36": user_pk_to_url_str(user), "key": key}
    return reverse("account_reset_password_from_key", kwargs=ids)


def _log() -> None:
    folder = settings.VWG_STATE_DIR / "log"
    folder.mkdir(exist_ok=True)
    (folder / "gateway.log").write_text(LOG)
