"""Putting the policies of `tenants.row_policies` into the database, and looking whether they are
there. As the owner of the tables; the web role cannot change any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from environ import Env
from psycopg.sql import SQL, Composable, Identifier, Literal

from tenants.row_policies import FUNCTIONS, OPEN, Policy, walls

_OWNER: Final = Policy("vwg_owner", "ALL", "true", "true")
_SCHEMA: Final = "public"


_DEFAULT_ROLE: Final = "vwg_web"


class CannotInstall(Exception):
    """The policies cannot be put in place; the text says what to do first."""


def web_role() -> str:
    """The web server's role: the user of its URL."""
    url = settings.VWG_WEB_DATABASE_URL
    return str(Env.db_url_config(url)["USER"] if url else "") or _DEFAULT_ROLE


@transaction.atomic
def install(role: str) -> list[str]:
    """Bring policies, functions and rights to what they should be; the tables that had to change.

    ``role`` is the web process's. Raises CannotInstall.
    """
    if connection.vendor != "postgresql":
        raise CannotInstall("Row-level security needs PostgreSQL; SQLite has none.")
    if bad := list(_role_faults(role)):
        raise CannotInstall("; ".join(bad))
    if missing := walls().keys() - _tables():
        raise CannotInstall(f"run `migrate` first: there is no table {min(missing)}")
    _run(SQL("GRANT USAGE ON SCHEMA public TO {}").format(Identifier(role)))
    for name, body in FUNCTIONS.items():
        _run(SQL(f"CREATE OR REPLACE FUNCTION public.{name} {body}"))
        _run(SQL(f"REVOKE ALL ON FUNCTION public.{name} FROM PUBLIC"))
        _run(SQL(f"GRANT EXECUTE ON FUNCTION public.{name} TO {{}}").format(Identifier(role)))
    changed = [table for table in walls() if list(_table_faults(table, role))]
    for table in changed:
        _build(table, role)
    for table, rights in _rights().items():
        if table in _tables() and _granted(table, role) != _words(rights):
            _grant(table, rights, role)
    for table in _tables() - _rights().keys():
        _run(SQL("REVOKE ALL ON {} FROM {}").format(_name(table), Identifier(role)))
    return changed


def faults(role: str) -> list[str]:
    """What is not as it should be, a sentence each; empty when the wall stands."""
    if connection.vendor != "postgresql":
        return ["the database is not PostgreSQL"]
    bad = list(_role_faults(role))
    if bad:
        return bad
    there = _tables()
    bad += [f"{table}: the table is missing" for table in sorted(_rights().keys() - there)]
    for table in sorted(walls().keys() & there):
        bad += [f"{table}: {fault}" for fault in _table_faults(table, role)]
    for table in sorted(there):
        expected = _words(_rights().get(table, ""))
        if extra := _granted(table, role) - expected:
            bad.append(f"{table}: {role} may {', '.join(sorted(extra))}")
        if lacking := expected - _granted(table, role):
            bad.append(f"{table}: {role} may not {', '.join(sorted(lacking))}")
    return bad


def _role_faults(role: str) -> Iterator[str]:
    found = _ask(
        "SELECT rolsuper, rolbypassrls, pg_has_role(rolname, current_user, 'MEMBER'),"
        " EXISTS (SELECT 1 FROM pg_roles AS r WHERE (r.rolsuper OR r.rolbypassrls)"
        "   AND r.oid <> pg_roles.oid AND pg_has_role(pg_roles.oid, r.oid, 'MEMBER')),"
        " has_schema_privilege(rolname, 'public', 'CREATE'),"
        " EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid)"
        " FROM pg_roles WHERE rolname = %s",
        [role],
    )
    if not found:
        yield f"there is no role {role}; make it: CREATE ROLE {role} LOGIN PASSWORD '…'"
        return
    words = (
        "is a superuser",
        "has BYPASSRLS",
        "is a member of the owner's role",
        "is a member of a role that is a superuser or has BYPASSRLS",
        "may create objects in the schema public",
        "owns objects",
    )
    for has, word in zip(found[0], words, strict=True):
        if has:
            yield f"the role {role} {word}: row-level security would not hold it"


def _table_faults(table: str, role: str) -> Iterator[str]:
    on, forced = _ask(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
        [f"{_SCHEMA}.{table}"],
    )[0]
    if not on or not forced:
        yield "row-level security is not enabled and forced"
    there = dict(
        _ask(
            "SELECT polname, obj_description(oid, 'pg_policy') FROM pg_policy"
            " WHERE polrelid = %s::regclass",
            [f"{_SCHEMA}.{table}"],
        )
    )
    wanted = {policy.name: _mark(policy, to) for policy, to in _policies(table, role)}
    for name in sorted(wanted.keys() - there.keys()):
        yield f"the policy {name} is missing"
    for name in sorted(there.keys() - wanted.keys()):
        yield f"the policy {name} is none of vwg's"
    for name in sorted(there.keys() & wanted.keys()):
        if there[name] != wanted[name]:
            yield f"the policy {name} is of another release"


def _policies(table: str, role: str) -> list[tuple[Policy, str]]:
    return [*((policy, role) for policy in walls()[table].policies), (_OWNER, _owner())]


def _build(table: str, role: str) -> None:
    place = _name(table)
    for (name,) in _ask(
        "SELECT polname FROM pg_policy WHERE polrelid = %s::regclass", [f"{_SCHEMA}.{table}"]
    ):
        _run(SQL("DROP POLICY {} ON {}").format(Identifier(name), place))
    for policy, to in _policies(table, role):
        check = f" WITH CHECK ({policy.check})" if policy.check else ""
        head = SQL("CREATE POLICY {} ON {} FOR {} TO {}").format(
            Identifier(policy.name), place, SQL(policy.command), Identifier(to)
        )
        _run(head + SQL(f" USING ({policy.using}){check}"))
        comment = SQL("COMMENT ON POLICY {} ON {} IS {}")
        _run(comment.format(Identifier(policy.name), place, Literal(_mark(policy, to))))
    _run(SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(place))
    _run(SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(place))


def _mark(policy: Policy, to: str) -> str:
    """Names this very definition: PostgreSQL gives an expression back in other words."""
    return f"vwg {sha256(repr((policy, to)).encode()).hexdigest()[:16]}"


def _rights() -> dict[str, str]:
    return {**OPEN, **{wall.table: wall.rights for wall in walls().values()}}


def _words(rights: str) -> set[str]:
    return {word.strip() for word in rights.split(",") if word.strip()}


def _grant(table: str, rights: str, role: str) -> None:
    _run(SQL("REVOKE ALL ON {} FROM {}").format(_name(table), Identifier(role)))
    _run(SQL(f"GRANT {rights} ON {{}} TO {{}}").format(_name(table), Identifier(role)))


def _granted(table: str, role: str) -> set[str]:
    """What the role may do with the table, through PUBLIC too."""
    words = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    found = _ask(
        "SELECT word FROM unnest(%s::text[]) AS word WHERE has_table_privilege(%s, %s, word)",
        [list(words), role, f"{_SCHEMA}.{table}"],
    )
    return {word for (word,) in found}


def _tables() -> set[str]:
    found = _ask("SELECT tablename FROM pg_tables WHERE schemaname = %s", [_SCHEMA])
    return {table for (table,) in found}


def _owner() -> str:
    return str(_ask("SELECT current_user", [])[0][0])


def _name(table: str) -> Identifier:
    return Identifier(_SCHEMA, table)


def _ask(sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())


def _run(sql: Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.as_string(connection.connection))
