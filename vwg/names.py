"""What the admin site calls models and their fields, in the reader's language.

Apart from the models: Django would keep each word in a migration. Where the catalogue says nothing
of a field (context "admin"), its own name stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Name = tuple[Promise | str, Promise | str]

#: One of them, and several.
MODELS: Final[Mapping[str, Name]] = {
    "audit.AuditEvent": (pgettext_lazy("admin", "event"), pgettext_lazy("admin", "events")),
    "tenants.User": (pgettext_lazy("admin", "user"), pgettext_lazy("admin", "users")),
    "mfa.Authenticator": (
        pgettext_lazy("admin", "second factor"),
        pgettext_lazy("admin", "second factors"),
    ),
    "usersessions.UserSession": (
        pgettext_lazy("admin", "session"),
        pgettext_lazy("admin", "sessions"),
    ),
    "tenants.Tenant": (pgettext_lazy("admin", "tenant"), pgettext_lazy("admin", "tenants")),
    "tenants.ApiToken": (pgettext_lazy("admin", "token"), pgettext_lazy("admin", "tokens")),
    "tenants.Membership": (pgettext_lazy("admin", "member"), pgettext_lazy("admin", "members")),
    "gateways.GlobalSetting": (
        pgettext_lazy("admin", "global settings"),
        pgettext_lazy("admin", "global settings"),
    ),
    "gateways.Gateway": (pgettext_lazy("admin", "gateway"), pgettext_lazy("admin", "gateways")),
    "gateways.Interface": (
        pgettext_lazy("admin", "interface"),
        pgettext_lazy("admin", "interfaces"),
    ),
    "gateways.AddressPool": (
        pgettext_lazy("admin", "address pool"),
        pgettext_lazy("admin", "address pools"),
    ),
    "gateways.Job": (pgettext_lazy("admin", "job"), pgettext_lazy("admin", "jobs")),
    "gateways.JobItem": (pgettext_lazy("admin", "job item"), pgettext_lazy("admin", "job items")),
    "gateways.Heartbeat": (pgettext_lazy("admin", "worker"), pgettext_lazy("admin", "workers")),
    "gateways.ScheduledJob": (
        pgettext_lazy("admin", "scheduled job"),
        pgettext_lazy("admin", "scheduled jobs"),
    ),
    "quotas.Meter": (pgettext_lazy("admin", "meter"), pgettext_lazy("admin", "meters")),
    "gateways.WakeHost": (pgettext_lazy("admin", "machine"), pgettext_lazy("admin", "machines")),
    "quotas.Usage": (
        pgettext_lazy("admin", "client's usage"),
        pgettext_lazy("admin", "clients' usage"),
    ),
    "quotas.LedgerSegment": (
        pgettext_lazy("admin", "ledger segment"),
        pgettext_lazy("admin", "ledger segments"),
    ),
    "quotas.UsageBucket": (
        pgettext_lazy("admin", "usage by time"),
        pgettext_lazy("admin", "usage by time"),
    ),
    "quotas.Session": (
        pgettext_lazy("admin", "connection"),
        pgettext_lazy("admin", "connections"),
    ),
    "quotas.Shape": (pgettext_lazy("admin", "speed"), pgettext_lazy("admin", "speeds")),
    "quotas.CounterRun": (
        pgettext_lazy("admin", "run of counters"),
        pgettext_lazy("admin", "runs of counters"),
    ),
    "peers.ShareLink": (
        pgettext_lazy("admin", "share link"),
        pgettext_lazy("admin", "share links"),
    ),
    "peers.BulkRun": (
        pgettext_lazy("admin", "act on many"),
        pgettext_lazy("admin", "acts on many"),
    ),
    "quotas.TenantUsage": (
        pgettext_lazy("admin", "tenant's usage"),
        pgettext_lazy("admin", "tenants' usage"),
    ),
    "quotas.Plan": (pgettext_lazy("admin", "plan"), pgettext_lazy("admin", "plans")),
    "quotas.Hold": (pgettext_lazy("admin", "hold"), pgettext_lazy("admin", "holds")),
    "peers.Client": (pgettext_lazy("admin", "client"), pgettext_lazy("admin", "clients")),
    "peers.Peer": (pgettext_lazy("admin", "device"), pgettext_lazy("admin", "devices")),
    "peers.PeerKey": (
        pgettext_lazy("admin", "private key"),
        pgettext_lazy("admin", "private keys"),
    ),
    "peers.PeerAddress": (
        pgettext_lazy("admin", "device address"),
        pgettext_lazy("admin", "device addresses"),
    ),
    "peers.PeerNetwork": (
        pgettext_lazy("admin", "device network"),
        pgettext_lazy("admin", "device networks"),
    ),
}


def give_names() -> None:
    """Name the models and, in the reader's language, the fields that Django does not."""
    for label, (one, several) in MODELS.items():
        meta: Any = apps.get_model(label)._meta
        meta.verbose_name, meta.verbose_name_plural = one, several
        for field in (*meta.local_fields, *meta.local_many_to_many):
            if isinstance(field.verbose_name, str):
                field.verbose_name = pgettext_lazy("admin", field.verbose_name)
