"""Two resellers who must not notice each other: A with one row of everything, then B.

What B's building adds is remembered row by row: its values are the canaries that nobody else may
be shown, and its rows are those that nobody else may change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model

from audit.models import AuditEvent, Erasure
from gateways.models import GlobalSetting, Interface, Job, JobItem
from peers.models import (
    BulkItem,
    BulkRun,
    Client,
    CustomerAccess,
    Peer,
    PeerKey,
    PeerNetwork,
    ShareLink,
)
from peers.networks import bounds
from peers.sealing import seal_preshared_key, seal_private_key, seal_request
from peers.sharing import digest_of
from portal.models import SavedView
from quotas.models import Hold
from rest.models import IdempotentRequest
from tenants import row_policies
from tenants.models import DEFAULT_TENANT, ApiToken, Tenant, User
from tests.integration.isolation import ledger_rows
from tests.make import (
    make_client,
    make_gateway,
    make_interface,
    make_key,
    make_peer,
    make_plan,
    make_tenant,
    make_token,
    make_user,
    make_wake_host,
)
from wireguard.types import Secret

#: Names of B's things in every text; short enough for every column.
CANARY: Final = "CNB"
NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LEAST = 6  # shorter values are nobody's in particular
_COMMON = re.compile(r"[a-z-]{1,24}|\d{1,7}|[0-9.:T+ -]{19,32}|#[0-9a-f]{6}", re.ASCII)


@dataclass
class Side:
    """One reseller: the ids of its things by kind, texts of its tokens, and all its rows."""

    letter: str
    tenant: Tenant
    people: dict[str, User]
    ids: dict[str, str]
    texts: dict[str, str]
    twin: Tenant
    link: ShareLink
    rows: dict[type[Model], list[Any]] = field(default_factory=dict)
    #: Those of its sandbox.
    twins: dict[type[Model], list[Any]] = field(default_factory=dict)
    #: The fingerprint as it was at first.
    first: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def fingerprint(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every value of every row, and of every row that came to this tenant since."""
        found = {}
        for model, keys in self.rows.items():
            rows = model._default_manager.filter(pk__in=keys)
            if _has_tenant(model):
                rows = model._default_manager.filter(tenant=self.tenant)
            found[model._meta.db_table] = [_plain(row) for row in rows.order_by("pk").values_list()]
        return found

    def vanish(self) -> None:
        """Delete every row, unseen by any code of ours. To be rolled back."""
        for tenant in (self.tenant, self.twin):
            Erasure.objects.create(tenant_id=tenant.pk, allowed_by="test", allowed_at=NEVER)
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA defer_foreign_keys = ON")
            for rows in (self.rows, self.twins):
                for model, keys in rows.items():
                    model._default_manager.filter(pk__in=keys)._raw_delete(connection.alias)
        Erasure.objects.all().delete()

    def values(self) -> set[str]:
        """What the reseller's things, and those of its sandbox, are called."""
        return values_of(self.rows) | values_of(self.twins)


def identity(letter: str, kind: str) -> UUID:
    """The id that this side's thing of that kind has, known before it is made."""
    return uuid5(NAMESPACE_URL, f"{letter} {kind}")


def name(letter: str, kind: str) -> str:
    """A text that is nobody else's."""
    return f"CN{letter}-{kind}-7f3{letter.lower()}9"


def idempotency_key(letter: str) -> str:
    """The key that this side has used."""
    return f"key-of-{letter}"


def public_key(letter: str) -> str:
    """A canonical key, the same in every run."""
    return {"A": "AAAA", "B": "BBBB"}[letter] * 10 + "wxU="


def asked(letter: str) -> dict[str, str]:
    """Values of this side's things, to look for: ids, names, keys, addresses."""
    own = {kind: name(letter, kind) for kind in ("client", "tag", "plan", "external", "interface")}
    ids = ("client", "peer", "plan", "member", "token", "job", "run", "interface", "tenant")
    return {
        **own,
        "email": f"{name(letter, 'mail').lower()}@example.org",
        "key": public_key(letter),
        "network": _network(letter),
        "slug": name(letter, "slug").lower(),
        **{f"{kind} id": str(identity(letter, kind)) for kind in ids},
    }


def build_shared() -> Interface:
    """What belongs to nobody: the default gateway and interface, and what migrations make."""
    Tenant.objects.get_or_create(slug=DEFAULT_TENANT, defaults={"name": "Default"})
    GlobalSetting.objects.get_or_create(pk=1)
    return make_interface()


def build(letter: str, shared: Interface, at: datetime) -> Side:
    """One reseller with a row of every model that has a tenant."""
    before = every_key()
    side = _Builder(letter, shared, at).side()
    after = every_key()
    for model, keys in after.items():
        new = model._default_manager.filter(pk__in=keys - before[model])
        twins = new.none()
        if model is Tenant:
            twins = new.filter(pk=side.twin.pk)
        elif _has_tenant(model):
            twins = new.filter(tenant=side.twin)
        side.twins[model] = list(twins.values_list("pk", flat=True))
        if rows := list(new.exclude(pk__in=side.twins[model]).values_list("pk", flat=True)):
            side.rows[model] = rows
    side.first = side.fingerprint()
    return side


def unbuilt(side: Side) -> set[str]:
    """Tables of tenants in which this side has no row."""
    there = {model._meta.db_table for model in side.rows}
    return row_policies.walls().keys() - row_policies.OPERATORS.keys() - there


def values_of(rows: Mapping[type[Model], Collection[Any]]) -> set[str]:
    """The texts in these rows that are somebody's in particular."""
    found: set[str] = set()
    for model, keys in rows.items():
        for values in model._default_manager.filter(pk__in=keys).values_list():
            for value in values:
                found |= _texts(value)
    return found


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_texts(one) for pair in value.items() for one in pair))
    if isinstance(value, list | tuple):
        return set().union(*(_texts(one) for one in value))
    if isinstance(value, bool | datetime | bytes | memoryview | None):
        return set()
    text = str(value)
    return set() if len(text) < _LEAST or _COMMON.fullmatch(text) else {text}


def _has_tenant(model: type[Model]) -> bool:
    return any(one.name == "tenant" for one in model._meta.local_fields)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(one) if isinstance(one, memoryview) else one for one in row)


def every_key() -> dict[type[Model], set[Any]]:
    """The primary keys of all rows of all models."""
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.managed]
    return {m: set(m._default_manager.values_list("pk", flat=True)) for m in models}


def _network(letter: str) -> str:
    return {"A": "192.168.65.0/24", "B": "192.168.66.0/24"}[letter]


class _Builder:
    """Makes one side, row by row."""

    def __init__(self, letter: str, shared: Interface, at: datetime) -> None:
        self.letter, self.shared, self.at = letter, shared, at
        self.ids: dict[str, str] = {}
        self.texts: dict[str, str] = {}

    def name(self, kind: str) -> str:
        return name(self.letter, kind)

    def know(self, kind: str) -> UUID:
        one = identity(self.letter, kind)
        self.ids[kind] = str(one)
        return one

    def side(self) -> Side:
        self.tenant = make_tenant(
            f"{self.name('slug').lower()}",
            uuid=self.know("tenant"),
            name=self.name("tenant"),
            contact_name=self.name("contact"),
            contact_email=f"{self.name('contact').lower()}@example.org",
            brand_name=self.name("brand"),
            support_url=f"https://{self.name('support').lower()}.example",
            limits_interfaces=True,
            limits_pools=True,
            brand_logo=b"\x89PNG\r\n\x1a\n" + self.name("logo").encode(),
            brand_logo_type="image/png",
            customers_sign_in=True,
        )
        self.twin = make_tenant(
            f"{self.name('twin').lower()}", name=self.name("sandbox"), sandbox_of=self.tenant
        )
        self._people()
        self._tokens()
        self._interface()
        self._plan()
        self._clients()
        self._jobs()
        self._records()
        self.ids["slug"] = self.tenant.slug
        ApiToken.objects.update(last_used_at=self.at)  # so that reading leaves no trace
        return Side(
            self.letter, self.tenant, self.people, self.ids, self.texts, self.twin, self.link
        )

    def _people(self) -> None:
        self.people = {
            role: make_user(
                self.name(role).lower(),
                tenant=self.tenant,
                role=role if role in ("owner", "manager", "viewer") else "owner",
                uuid=self.know({"viewer": "member"}.get(role, role)),
                first_name=self.name(f"first {role}")[:30],
            )
            for role in ("owner", "manager", "viewer", "inactive")
        }
        User.objects.filter(pk=self.people["inactive"].pk).update(is_active=False)

    def _tokens(self) -> None:
        def token(kind: str, tenant: Tenant | None = None, **fields: Any) -> ApiToken:
            row, self.texts[kind] = make_token(
                tenant or self.tenant, name=self.name(f"{kind} token"), **fields
            )
            return row

        for role, user in self.people.items():
            token(role, user=user)
        token("machine")
        token("narrow", scopes=["webhooks:write"])
        token("integrator", self.twin)
        past = self.at - timedelta(days=1)
        ApiToken.objects.filter(pk=token("expired").pk).update(expires_at=past)
        ApiToken.objects.filter(pk=token("revoked").pk).update(revoked_at=past)
        spare = token("spare", scopes=["clients:read"], allowed_cidrs=["198.51.100.0/24"])
        ApiToken.objects.filter(pk=spare.pk).update(uuid=self.know("token"))

    def _interface(self) -> None:
        number = {"A": 65, "B": 66}[self.letter]
        self.own = make_interface(
            gateway=make_gateway(self.name("gw").lower(), name=self.name("gateway")),
            name=self.name("if")[:15],
            addresses=[f"10.{number}.0.1/16", f"fd52:7677:{number}::1/64"],
            listen_port=51000 + number,
            is_default=False,
            label=self.name("label"),
        )
        Interface.objects.filter(pk=self.own.pk).update(uuid=self.know("interface"))
        self.ids["gateway"] = str(self.own.gateway.uuid)
        self.tenant.interfaces.set([self.own, self.shared])
        self.tenant.pools.set([*self.own.pools.all(), *self.shared.pools.all()])
        host = make_wake_host(self.own.gateway, uuid=self.know("wake host"))
        self.ids["wake_host"] = str(host.uuid)
        self.ids["pool"] = str(self.own.pools.order_by("family")[0].uuid)

    def _plan(self) -> None:
        self.plan = make_plan(
            self.tenant,
            name=self.name("plan"),
            uuid=self.know("plan"),
            devices=3,
            description=self.name("described"),
            price_label=self.name("price"),
        )
        make_plan(self.tenant, name=self.name("spare plan"), uuid=self.know("spare plan"))

    def _client(self, kind: str, **fields: Any) -> Client:
        self.ids[f"{kind} external"] = self.name(kind if kind != "client" else "external")
        return make_client(
            self.tenant,
            name=self.name(kind),
            uuid=self.know(kind),
            external_id=self.ids[f"{kind} external"],
            note=self.name("note"),
            email=f"{self.name('mail').lower()}@example.org",
            telegram_id=self.name("telegram"),
            tags=[self.name("tag")],
            metadata={self.name("meta"): self.name("data")},
            created_by=self.name("maker"),
            **fields,
        )

    def _peer(self, client: Client, kind: str, interface: Interface, **fields: Any) -> Peer:
        uuid = self.know(kind)
        private, public = make_key()
        peer = make_peer(
            client,
            interface,
            uuid=uuid,
            name=self.name(kind),
            public_key=fields.pop("public_key", public),
            preshared_key=seal_preshared_key(uuid, Secret(make_key()[0])),
            observed_endpoint=f"203.0.113.{ord(self.letter)}:4711",
            endpoint_override=f"{self.name('endpoint').lower()}.example:51820",
            last_handshake_at=self.at - timedelta(seconds=30),
            observed_present=True,
            **fields,
        )
        PeerKey.objects.create(peer=peer, private_key=seal_private_key(uuid, Secret(private)))
        return peer

    def _clients(self) -> None:
        self.client = self._client("client", plan=self.plan, quota_bytes=ord(self.letter) * 10**9)
        self.peer = self._peer(self.client, "peer", self.shared, public_key=public_key(self.letter))
        self.ids["key"] = self.peer.public_key
        ledger_rows.write(self.peer, factor=ord(self.letter) * 1_000_003, at=self.at)
        first, last = bounds(_network(self.letter))
        PeerNetwork.objects.create(
            gateway=self.shared.gateway, tenant=self.tenant, peer=self.peer,
            network=_network(self.letter), start=first, end=last,
        )  # fmt: skip
        held = self._client("held")
        self._peer(held, "held peer", self.own, blocked=True)
        self._hold(held, "manual")
        shop = self._client("suspended")
        self._peer(shop, "suspended peer", self.own, blocked=True)
        self._hold(shop, "suspended")
        past, later = self.at - timedelta(hours=1), self.at + timedelta(hours=23)
        gone = self._client("gone", deleted_at=past, purge_at=later)
        self._peer(gone, "gone peer", self.own, deleted_at=past)
        self.texts["secret"] = f"{self.letter}" * 43
        self.link = ShareLink.objects.create(
            uuid=self.know("share"), tenant=self.tenant, peer=self.peer,
            digest=digest_of(self.texts["secret"]), name=self.name("share"),
            created_by=self.name("maker"),
        )  # fmt: skip

        self.people["customer"] = make_user(
            self.name("customer").lower(), email=f"{self.name('customer').lower()}@example.net"
        )
        CustomerAccess.objects.create(
            uuid=self.know("login"), tenant=self.tenant, client=self.client,
            user=self.people["customer"], created_by=self.name("maker"),
        )  # fmt: skip
        SavedView.objects.create(
            uuid=self.know("view"), tenant=self.tenant, user=self.people["owner"],
            name=self.name("view"), query="online=true",
        )  # fmt: skip

    def _hold(self, client: Client, reason: str) -> None:
        Hold.objects.create(
            tenant=self.tenant, client=client, reason=reason, note=self.name("hold"),
            opened_at=self.at, opened_by=self.name("opener"),
        )  # fmt: skip

    def _jobs(self) -> None:
        self.job = self._job("job", Job.Status.SUCCEEDED, JobItem.Status.DONE)
        self._job("failed job", Job.Status.FAILED, JobItem.Status.FAILED)
        run = BulkRun(
            uuid=self.know("run"), tenant=self.tenant, action=BulkRun.Action.UPDATE,
            status=BulkRun.Status.SUCCEEDED, actor_name=self.name("bulk actor"),
            total=1, done=1, started_at=self.at, finished_at=self.at,
        )  # fmt: skip
        run.request = seal_request(run.uuid, "{}")
        run.save()
        run.jobs.add(self.job)
        BulkItem.objects.create(
            run=run, index=0, client=self.client, ref=self.ids["client external"], outcome="done",
            message=self.name("bulk message"),
        )  # fmt: skip

    def _job(self, kind: str, status: str, outcome: str) -> Job:
        failed = int(status == Job.Status.FAILED)
        job = Job.objects.create(
            uuid=self.know(kind), tenant=self.tenant, kind=Job.Kind.UPDATE, status=status, total=1,
            done=1, failed=failed, message=self.name("job message"),
            actor_name=self.name("job actor"), finished_at=self.at,
        )  # fmt: skip
        JobItem.objects.create(
            job=job, interface=self.shared, peer=self.peer, public_key=self.peer.public_key,
            status=outcome, due_at=self.at, settled_at=self.at, message=self.name("item message"),
        )  # fmt: skip
        return job

    def _records(self) -> None:
        AuditEvent.objects.create(
            uuid=self.know("event"), tenant=self.tenant, actor_kind="user",
            actor_id=self.ids["owner"],
            actor_name=self.name("audit actor"),
            action="client.updated", target_type="client",
            target_id=self.ids["client"], target_name=self.name("audit target"),
            before={"name": self.name("audit before")}, after={"name": self.name("audit after")},
        )  # fmt: skip
        IdempotentRequest.objects.create(
            tenant=self.tenant, key=idempotency_key(self.letter), fingerprint=self.name("print"),
            status="done",
            claim=self.know("claim"), claimed_until=self.at, answer_status=201,
            answer_body=f'{{"name": "{self.name("idempotent answer")}"}}', created_at=self.at,
        )  # fmt: skip
        LogEntry.objects.create(
            user=self.people["owner"], content_type=ContentType.objects.get_for_model(Client),
            object_id=str(self.client.pk), object_repr=self.name("log"), action_flag=CHANGE,
        )  # fmt: skip
