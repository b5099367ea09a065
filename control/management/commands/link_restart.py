"""`manage.py link_restart`: tier 3 by the operator's hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from control import claims, escalation
from control.management.interfaces import add_interface_argument, chosen
from gateways.drivers import station
from wireguard.errors import WireGuardError


class Command(BaseCommand):
    help = "Restart an interface: counters are read first, endpoints are given back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        interface = chosen(str(options["interface"]))
        post = station(interface)
        try:
            with post.lock(timeout_s=30.0):
                escalation.restart(interface, post)
        except WireGuardError as error:
            raise CommandError(str(error)) from None
        claims.hurry(interface.pk, at=timezone.now())
        self.stdout.write(f"{interface.name} was restarted")
