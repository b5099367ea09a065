"""Choosing the interface that a command works on."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError

from gateways.models import Interface


def add_interface_argument(parser: ArgumentParser) -> None:
    """``--interface NAME``; the gateway is this host's (VWG_GATEWAY)."""
    parser.add_argument("--interface", default=settings.VWG_INTERFACE, metavar="NAME")


def chosen(name: str) -> Interface:
    """This gateway's interface of that name. Raises CommandError."""
    interface = (
        Interface.objects.select_related("gateway")
        .filter(gateway__slug=settings.VWG_GATEWAY, name=name, simulated=False)
        .first()
    )
    if interface is None:
        raise CommandError(
            f"the gateway {settings.VWG_GATEWAY!r} has no interface {name!r}; `manage.py setup`"
            " makes the one that VWG_INTERFACE names"
        )
    return interface
