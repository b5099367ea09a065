"""What is missing on this host, and how to mend it. Looks only; changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from control import link
from control.findings import Finding, cut_off, speeds
from control.heartbeat import queues
from gateways.drivers import needs_sudo, station
from gateways.models import Gateway, Heartbeat, Interface
from gateways.schedule import expected, standings
from tenants.row_installation import faults, web_role
from vault.ring import RingError
from vault.rings import client_ring, gateway_ring
from wireguard.errors import DriverError, TruncatedDump
from wireguard.firewall import table_name
from wireguard.host import (
    command_prefix,
    dialled_address,
    forwarding,
    kernel_wireguard_available,
    versions,
)
from wireguard.runner import LocalRunner

_PACKAGES = {"wg": "wireguard-tools", "nft": "nftables", "ip": "iproute2"}
LATE = timedelta(seconds=60)
#: A job of every second that waited for a busy machine is nothing to mend.
_HICCUP_S = 15.0
_LARGEST_SKEW = timedelta(seconds=2)


def examine(interface: Interface | None) -> Iterator[Finding]:
    """Every finding, one after another. Raises nothing that it can report instead."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _programs,
        _backend,
        _database,
        _row_security,
        _keys,
        _broker,
        _workers,
        _schedule,
        _clock,
        _endpoint,
    ]
    if interface is not None:
        checks += [
            lambda: _permissions(interface),
            lambda: _interface(interface),
            lambda: _forwarding(interface),
            lambda: _nat(interface),
            lambda: cut_off(interface),
            lambda: speeds(interface),
        ]
    for check in checks:
        try:
            yield from check()
        except (DriverError, DatabaseError, OSError) as error:
            yield Finding(check.__name__.strip("_"), "could not be checked", mend=str(error))


def _programs() -> Iterator[Finding]:
    for program, version in versions(LocalRunner()).items():
        package = _PACKAGES.get(program, program)
        if version is not None:
            yield Finding(program, version)
        elif program == "wireguard-go":
            yield Finding(program, "not installed (only needed without kernel WireGuard)")
        else:
            yield Finding(
                program,
                "is not installed",
                mend=f"apt-get install --no-install-recommends {package}",
            )


def _backend() -> Iterator[Finding]:
    prefix = command_prefix(sudo=needs_sudo())
    if kernel_wireguard_available(LocalRunner(), prefix):
        yield Finding("backend", "kernel WireGuard")
    elif shutil.which("wireguard-go"):
        yield Finding("backend", "wireguard-go in user space (this kernel has no WireGuard)")
    else:
        yield Finding(
            "backend",
            "neither kernel WireGuard nor wireguard-go",
            mend="modprobe wireguard, or apt-get install --no-install-recommends wireguard-go",
        )


def _database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", "does not answer", mend=f"check DATABASE_URL ({error})")
        return
    if missing:
        yield Finding(
            "database", f"{len(missing)} migrations are not applied", mend="manage.py migrate"
        )
    else:
        yield Finding("database", f"{connection.vendor}, all migrations applied")


def _row_security() -> Iterator[Finding]:
    """The second wall between tenants, where the web server has a role of its own."""
    if not settings.VWG_WEB_DATABASE_URL:
        return
    role = web_role()
    if found := faults(role):
        text = found[0] + (f" (and {len(found) - 1} more)" if found[1:] else "")
        yield Finding("row security", text, mend="manage.py row_security, as the tables' owner")
    else:
        yield Finding("row security", f"every table is as it should be for {role}")


def _keys() -> Iterator[Finding]:
    try:
        yield Finding("encryption", f"{gateway_ring()!r}, clients {client_ring()!r}")
    except RingError as error:
        yield Finding("encryption", "no usable key", mend=str(error))


def _broker() -> Iterator[Finding]:
    try:
        with current_app.connection_for_write(
            transport_options=settings.CELERY_PUBLISH_TRANSPORT_OPTIONS
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
        yield Finding("Redis", "answers")
    except (BrokerError, OSError) as error:
        yield Finding(
            "Redis",
            f"does not answer ({type(error).__name__}); changes wait, nothing is lost",
            mend="start it (`make up` runs one) or check REDIS_URL",
        )


def _workers() -> Iterator[Finding]:
    now = timezone.now()
    seen = dict(Heartbeat.objects.values_list("queue", "seen_at"))
    for queue in queues():
        yield _worker(queue, seen.get(queue), now)
    for slug, alarm in Gateway.objects.exclude(alarm="").values_list("slug", "alarm"):
        yield Finding(f"gateway {slug}", "alarm", mend=alarm)


def _worker(queue: str, seen: datetime | None, now: datetime) -> Finding:
    if seen is not None and now - seen < LATE:
        return Finding(f"worker {queue}", f"answered {(now - seen).total_seconds():.0f} s ago")
    when = "never" if seen is None else f"{(now - seen).total_seconds():.0f} s ago"
    return Finding(
        f"worker {queue}",
        f"last answered: {when}",
        mend=f"start one: celery -A vwg worker -Q {queue} (`make up` does)",
    )


def _schedule() -> Iterator[Finding]:
    """What runs by the clock: beat calls it, a worker of the queue does it."""
    known = standings()
    for name in sorted(set(expected()) - {one.job.name for one in known}):
        yield Finding(f"job {name}", "is not known yet", mend="manage.py setup, or start beat")
    late = [one for one in known if one.late and one.age_seconds > _HICCUP_S]
    for one in late:
        done = "last finished" if one.job.finished_at else "never finished; expected since"
        yield Finding(
            f"job {one.job.name}",
            f"late: {done} {one.age_seconds:.0f} s ago, every {one.job.interval_seconds:g} s"
            " is wanted",
            mend=one.job.error or "start beat (celery -A vwg beat) and its worker",
        )
    if known and not late:
        yield Finding("schedule", f"{len(known)} jobs, none is late")


def _clock() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            yield Finding("clock", "the database shares this host's")
            return
        cursor.execute("SELECT now()")
        (theirs,) = cursor.fetchone() or (timezone.now(),)
    skew = abs(timezone.now() - theirs)
    yield Finding(
        "clock",
        f"{skew.total_seconds():.1f} s from the database's",
        mend="" if skew < _LARGEST_SKEW else "run an NTP client on both hosts",
    )


def _endpoint() -> Iterator[Finding]:
    chosen = settings.VWG_ENDPOINT or dialled_address(LocalRunner())
    if chosen:
        yield Finding("endpoint", f"clients dial {chosen}")
    else:
        yield Finding("endpoint", "not known", mend="set VWG_ENDPOINT to what clients dial")


def _permissions(interface: Interface) -> Iterator[Finding]:
    how = "sudo -n" if needs_sudo() else "own rights"
    try:
        post = station(interface)
        dump = post.driver.read() if post.look().exists else None
    except (DriverError, TruncatedDump) as error:
        yield Finding(
            "permissions",
            f"`wg show {interface.name}` with {how} fails",
            mend=f"{error}; test it: sudo wg show {interface.name}",
        )
        return
    count = "the interface is not there" if dump is None else f"{len(dump.peers)} peers"
    yield Finding("permissions", f"`wg show {interface.name}` works with {how} ({count})")


def _interface(interface: Interface) -> Iterator[Finding]:
    sight = station(interface).look()
    up = f"manage.py link_up --interface {interface.name}"
    if not sight.exists:
        yield Finding(interface.name, "does not exist", mend=up)
    elif not link.is_ours(interface, sight):
        yield Finding(
            interface.name,
            "exists, but vwg did not bring it up; it is not written to",
            mend=f"manage.py adopt --interface {interface.name}",
        )
    elif not sight.up:
        yield Finding(interface.name, "is down", mend=up)
    else:
        yield Finding(interface.name, "is up and vwg's own")
    if interface.guard_keys:
        yield Finding(
            interface.name,
            f"{len(interface.guard_keys)} peers run without a record",
            mend="decide: manage.py adopt, or manage.py remove_strays",
        )


def _forwarding(interface: Interface) -> Iterator[Finding]:
    prefix = command_prefix(interface.gateway.netns or None, sudo=needs_sudo())
    state = forwarding(LocalRunner(), prefix)
    for family, on in (("IPv4", state.ipv4), ("IPv6", state.ipv6)):
        key = "net.ipv4.ip_forward" if family == "IPv4" else "net.ipv6.conf.all.forwarding"
        if on is None:
            yield Finding(f"forwarding {family}", "this kernel has none")
        else:
            yield Finding(
                f"forwarding {family}",
                "on" if on else "off: clients reach the gateway only",
                mend="" if on else f"sysctl -w {key}=1",
            )


def _nat(interface: Interface) -> Iterator[Finding]:
    if not interface.nat:
        yield Finding("NAT", "switched off for this interface")
        return
    prefix = command_prefix(interface.gateway.netns or None, sudo=needs_sudo())
    asked = LocalRunner(prefix).run(["nft", "list", "tables", "inet"])
    there = f"table inet {table_name(interface.name)}".encode() in asked.stdout
    yield Finding(
        "NAT",
        "vwg's own nftables table is in place" if there else "vwg's nftables table is missing",
        mend="" if there else f"manage.py link_restart --interface {interface.name}",
    )
