"""`manage.py link_down`: take an interface down with all that was made for it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from control import bootfile, cutoff, escalation, shaping
from control.management.interfaces import add_interface_argument, chosen
from gateways.drivers import station
from gateways.models import Interface
from wireguard.errors import WireGuardError


class Command(BaseCommand):
    help = "Take an interface down. Its clients are cut off until it is brought up again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="say which, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        interface = chosen(str(options["interface"]))
        if options["dry_run"]:
            self.stdout.write(f"{interface.name} would be taken down")
            return
        post = station(interface)
        try:
            with post.lock(timeout_s=30.0):
                Interface.objects.filter(pk=interface.pk).update(
                    enabled=False, state=Interface.State.DOWN, state_reason="stopped by hand"
                )
                escalation.take_down(interface, post)
                cutoff.forget(interface, post)
                shaping.forget(interface, post)
        except WireGuardError as error:
            raise CommandError(str(error)) from None
        bootfile.write(interface)
        self.stdout.write(f"{interface.name} is down")
