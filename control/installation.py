"""The first start: an operator, a gateway, an interface with keys and pools. Safe to repeat."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from audit.events import SYSTEM, Target, record
from gateways.models import Gateway, Interface
from peers.services.interfaces import make_interface
from tenants.models import User


@dataclass(frozen=True)
class Installed:
    """What a start found missing and made. ``password`` is shown once and kept nowhere."""

    password: str | None
    interface: Interface
    made_interface: bool


@transaction.atomic
def install(
    *,
    gateway_slug: str,
    netns: str | None,
    interface_name: str,
    addresses: Sequence[str],
    listen_port: int,
    password: str,
) -> Installed:
    """Make what is missing; what is there stays as it is. Raises `rest.errors`."""
    shown = _ensure_operator(password)
    gateway, _ = Gateway.objects.get_or_create(
        slug=gateway_slug, defaults={"name": gateway_slug, "netns": netns or ""}
    )
    existing = Interface.objects.filter(gateway=gateway, name=interface_name).first()
    if existing is not None:
        return Installed(shown, existing, made_interface=False)
    interface = make_interface(
        actor=SYSTEM,
        gateway=gateway,
        name=interface_name,
        addresses=addresses or _own_addresses(),
        listen_port=listen_port,
    )
    return Installed(shown, interface, made_interface=True)


def _ensure_operator(password: str) -> str | None:
    """The first operator, with the given password or a random one; returns a random one."""
    if User.objects.filter(operator=User.Operator.FULL, is_superuser=True).exists():
        return None
    chosen = password or secrets.token_urlsafe(15)
    user = User.objects.create_superuser(
        username="admin",
        email="",
        password=chosen,
        operator=User.Operator.FULL,
        must_change_password=not password,  # it was printed, so it lies in a log
    )
    record(
        actor=SYSTEM,
        action="user.create",
        target=Target(type="user", id=str(user.uuid), name=user.username),
    )
    return None if password else chosen


def _own_addresses() -> list[str]:
    """10.252.0.1/16 and a random IPv6 network of our own (RFC 4193, 40 random bits)."""
    digits = secrets.token_hex(5)
    return ["10.252.0.1/16", f"fd{digits[:2]}:{digits[2:6]}:{digits[6:]}::1/64"]
