"""Row-level security on PostgreSQL: which tables it is on, and the policies and rights there.

The tables are found from the models: whatever has a ``tenant``, or hangs on something that has.
What belongs to no tenant is listed here with what the web process may do with it; a model that is
neither is refused by the test of this list, and by PostgreSQL, since nothing is granted on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db.models import ForeignKey, Model

#: Tables of no tenant, and the web role's rights there. Reviewed by hand: nothing of one tenant
#: that another may not see is in any of them.
OPEN: Final[Mapping[str, str]] = {
    "gateways_globalsetting": "SELECT, INSERT, UPDATE",
    "gateways_gateway": "SELECT, INSERT, UPDATE, DELETE",
    "gateways_interface": "SELECT, INSERT, UPDATE, DELETE",
    "gateways_addresspool": "SELECT, INSERT, UPDATE, DELETE",
    "gateways_heartbeat": "SELECT",
    "gateways_scheduledjob": "SELECT",
    "quotas_counterrun": "SELECT, UPDATE",  # its interface may go
    # A person may belong to several tenants, and signs in before any is known.
    "tenants_user": "SELECT, INSERT, UPDATE, DELETE",
    "tenants_user_groups": "SELECT, INSERT, DELETE",
    "tenants_user_user_permissions": "SELECT, INSERT, DELETE",
    "auth_group": "SELECT",
    "auth_group_permissions": "SELECT",
    "auth_permission": "SELECT",
    "account_emailaddress": "SELECT, INSERT, UPDATE, DELETE",
    "account_emailconfirmation": "SELECT, INSERT, UPDATE, DELETE",
    # How a person proves who he is, and where he is signed in.
    "mfa_authenticator": "SELECT, INSERT, UPDATE, DELETE",
    "usersessions_usersession": "SELECT, INSERT, UPDATE, DELETE",
    "socialaccount_socialaccount": "SELECT, INSERT, UPDATE, DELETE",
    "socialaccount_socialtoken": "SELECT, INSERT, UPDATE, DELETE",
    "socialaccount_socialapp": "SELECT",
    "django_content_type": "SELECT",
    "django_session": "SELECT, INSERT, UPDATE, DELETE",
    # Counters of throttles; no model.
    "vwg_cache": "SELECT, INSERT, UPDATE, DELETE",
}
#: Of no tenant, and for operators alone: what they did in the admin names what they did it to.
OPERATORS: Final[Mapping[str, str]] = {
    "django_admin_log": "SELECT, INSERT, DELETE",
    "audit_erasure": "SELECT, INSERT",
    "gateways_wakehost": "SELECT, INSERT, UPDATE, DELETE",
}
#: Rights where a tenant's table has less than all four: what is written there stays written.
RIGHTS: Final[Mapping[str, str]] = {
    "audit_auditevent": "SELECT, INSERT",
    # Workers keep the books; a transfer takes a meter along, and a move leaves one behind.
    "quotas_meter": "SELECT, INSERT, UPDATE",
    "quotas_ledgersegment": "SELECT",
    "quotas_usagebucket": "SELECT",
    "quotas_session": "SELECT",
    "quotas_shape": "SELECT, DELETE",
}
_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"

_TOLD: Final = "(SELECT current_setting('vwg.{}', true))"
_EVERY: Final = f"{_TOLD.format('tenant')} = '*'"
_MINE: Final = "(SELECT NULLIF(NULLIF(current_setting('vwg.tenant', true), ''), '*')::bigint)"
_SIGNING_IN: Final = "(SELECT public.vwg_signing_in())"


@dataclass(frozen=True)
class Policy:
    """One policy: for which commands, and the conditions on rows read and rows written."""

    name: str
    command: str
    using: str
    check: str = ""


@dataclass(frozen=True)
class Wall:
    """A table under row-level security."""

    table: str
    rights: str
    policies: tuple[Policy, ...]


#: Who signs in, before a tenant is known: the ids of the tenants that the told token or user
#: belongs to (a sandbox with its tenant, a tenant with its sandbox), and the id of the user.
#: As owner, for these look-ups lie across the tables whose policies ask them.
FUNCTIONS: Final[Mapping[str, str]] = {
    "vwg_signing_in()": """
RETURNS bigint[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH home AS (
        SELECT tenant_id AS id FROM public.tenants_apitoken
        WHERE prefix = NULLIF(current_setting('vwg.token', true), '')
        UNION
        SELECT tenant_id FROM public.tenants_membership
        WHERE user_id = NULLIF(current_setting('vwg.user', true), '')::bigint
    )
    SELECT COALESCE(array_agg(t.id), '{}') FROM public.tenants_tenant t
    WHERE t.id IN (SELECT id FROM home) OR t.sandbox_of_id IN (SELECT id FROM home)
        OR t.id IN (
            SELECT s.sandbox_of_id FROM public.tenants_tenant s
            WHERE s.id IN (SELECT id FROM home)
        )
$$""",
    "vwg_person()": """
RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT COALESCE(
        NULLIF(current_setting('vwg.user', true), '')::bigint,
        (SELECT user_id FROM public.tenants_apitoken
         WHERE prefix = NULLIF(current_setting('vwg.token', true), ''))
    )
$$""",
}
#: The tenant makes its sandbox, and hands out and revokes its tokens. What lives in it, it reaches
#: by those tokens alone.
_TWIN: Final = f"sandbox_of_id = {_MINE}"
_OF_TWIN: Final = (
    "EXISTS (SELECT 1 FROM public.tenants_tenant twin"  # noqa: S608  names of models
    f" WHERE twin.id = tenant_id AND twin.{_TWIN})"
)
_BY_TOKEN: Final = f"prefix = NULLIF({_TOLD.format('token')}, '')"
#: What a person does with the own account belongs to no tenant.
_ABOUT_ONESELF: Final = (
    "tenant_id IS NULL AND target_type = 'user' AND target_id = (SELECT me.uuid::text"  # noqa: S608
    f" FROM public.tenants_user me WHERE me.id = NULLIF({_TOLD.format('user')}, '')::bigint)"
)
#: The named exceptions, each on exact rows: sign-in, one's own account, a customer's clients, a
#: tenant's sandbox, a share link's secret, and the two doors.
EXCEPTIONS: Final[Mapping[str, tuple[Policy, ...]]] = {
    "audit_auditevent": (Policy("vwg_oneself", "ALL", _ABOUT_ONESELF, _ABOUT_ONESELF),),
    "tenants_apitoken": (
        Policy("vwg_token", "SELECT", _BY_TOKEN),
        Policy("vwg_token_used", "UPDATE", _BY_TOKEN, _BY_TOKEN),
        Policy("vwg_sandbox", "ALL", _OF_TWIN, _OF_TWIN),
    ),
    "tenants_tenant": (
        Policy("vwg_sign_in", "SELECT", f"id = ANY ({_SIGNING_IN}::bigint[])"),
        Policy("vwg_sandbox", "ALL", _TWIN, _TWIN),
    ),
    "tenants_tenant_interfaces": (Policy("vwg_sandbox", "ALL", _OF_TWIN, _OF_TWIN),),
    "tenants_membership": (
        Policy("vwg_sign_in", "SELECT", "user_id = (SELECT public.vwg_person())"),
    ),
    "peers_sharelink": (
        Policy("vwg_share", "SELECT", f"digest = NULLIF({_TOLD.format('share')}, '')"),
    ),
    # Which clients a person may look at as their customer, of whatever tenants they are.
    "peers_customeraccess": (
        Policy("vwg_customer", "SELECT", f"user_id = NULLIF({_TOLD.format('user')}, '')::bigint"),
    ),
    "peers_peeraddress": (
        Policy("vwg_addresses", "SELECT", f"{_TOLD.format('door')} = 'addresses'"),
        Policy("vwg_take_over", "UPDATE", f"{_TOLD.format('door')} = 'addresses'", "{own}"),
    ),
    "peers_peernetwork": (
        Policy("vwg_networks", "SELECT", f"{_TOLD.format('door')} = 'networks'"),
    ),
    # Items of the system's jobs (healing) tell a tenant of its own devices.
    "gateways_jobitem": (
        Policy(
            "vwg_own_peer",
            "SELECT",
            "EXISTS (SELECT 1 FROM public.peers_peer own WHERE own.id = peer_id)",
        ),
    ),
}


def walls() -> dict[str, Wall]:
    """The tables under policy, by name."""
    found = {}
    for model in _models():
        own = own_condition(model)
        if own is None:
            continue
        table = model._meta.db_table
        exceptions = tuple(
            Policy(one.name, one.command, one.using, one.check.format(own=own))
            for one in EXCEPTIONS.get(table, ())
        )
        policies = (Policy("vwg_tenant", "ALL", own, own), *exceptions)
        found[table] = Wall(table, RIGHTS.get(table, _ALL), policies)
    for table, rights in OPERATORS.items():
        found[table] = Wall(table, rights, (Policy("vwg_operator", "ALL", _EVERY, _EVERY),))
    return found


def unplaced() -> set[str]:
    """Tables of models that are neither a tenant's nor listed above."""
    tables = {model._meta.db_table for model in _models()}
    return tables - walls().keys() - OPEN.keys() - OPERATORS.keys()


def own_condition(model: type[Model]) -> str | None:
    """The condition that a row is of the tenant told, or that an operator asks; None for a model
    of no tenant."""
    if model._meta.label == "tenants.Tenant":
        return f"id = {_MINE} OR {_EVERY}"
    if any(field.name == "tenant" for field in _links(model)):
        return f"tenant_id = {_MINE} OR {_EVERY}"
    above = [field for field in _links(model) if not field.null and _is_owned(_target(field))]
    parts = [_hangs_on(model, field) for field in above]
    return f"{_EVERY} OR ({' AND '.join(parts)})" if parts else None


def _hangs_on(model: type[Model], field: ForeignKey[Model, Model]) -> str:
    """The policy of the table above decides: it is asked as the role that asks."""
    table, above = model._meta.db_table, _target(field)._meta.db_table
    row = f"WHERE above.id = {table}.{field.column}"
    return f"EXISTS (SELECT 1 FROM public.{above} above {row})"  # noqa: S608  names of models


def _is_owned(model: type[Model]) -> bool:
    return own_condition(model) is not None


def _target(field: ForeignKey[Model, Model]) -> type[Model]:
    target = field.related_model
    if isinstance(target, str):
        raise TypeError(f"{field} is not resolved yet")
    return target


def _links(model: type[Model]) -> Iterator[ForeignKey[Model, Model]]:
    for field in model._meta.local_fields:
        if isinstance(field, ForeignKey) and field.related_model is not model:
            yield field


def _models() -> Iterator[type[Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model
