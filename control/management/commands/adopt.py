"""`manage.py adopt`: take over an interface, or peers, that vwg has no record of."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.events import SYSTEM
from control.adoption import adopt
from control.management.interfaces import add_interface_argument, chosen
from gateways.drivers import station
from rest.errors import Refusal
from tenants.models import DEFAULT_TENANT, Tenant
from wireguard.errors import WireGuardError


class Command(BaseCommand):
    help = "Adopt a foreign interface with its peers, or peers that run without a record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)
        parser.add_argument("--tenant", default=DEFAULT_TENANT, help="who owns adopted clients")

    def handle(self, *args: Any, **options: Any) -> None:
        interface = chosen(str(options["interface"]))
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"there is no tenant {options['tenant']!r}")
        post = station(interface)
        try:
            with post.lock(timeout_s=30.0):
                made = adopt(interface, post, tenant=tenant, actor=SYSTEM, at=timezone.now())
        except (WireGuardError, Refusal) as error:
            raise CommandError(str(error)) from None
        what = "interface and " if made.interface else ""
        self.stdout.write(f"adopted {what}{made.peers} peers of {interface.name}")
