"""`manage.py link_up`: bring an interface up; one that is up already is left alone."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from control import bootfile, claims, heartbeat, link
from control.boot import boot
from control.management.interfaces import add_interface_argument, chosen
from control.observe import observe_interface
from gateways.drivers import station
from gateways.models import Interface
from wireguard.errors import WireGuardError


class Command(BaseCommand):
    help = "Bring an interface up. One that is up and vwg's own is left exactly as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)
        parser.add_argument(
            "--boot",
            action="store_true",
            help="from the boot file alone, without the database (at boot)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = str(options["interface"])
        try:
            message = boot(name) if options["boot"] else self._from_rows(name)
        except (WireGuardError, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(message)

    def _from_rows(self, name: str) -> str:
        interface = chosen(name)
        post = station(interface)
        with post.lock(timeout_s=30.0):
            Interface.objects.filter(pk=interface.pk).update(enabled=True)
            sight = post.look()
            if sight.exists and sight.up and link.is_ours(interface, sight):
                message = f"{name} is up already"
            elif (
                sight.exists
                and not link.is_ours(interface, sight)
                and not link.is_unfinished(interface, sight)
            ):
                raise link.refuse(interface)
            else:
                link.bring_up(interface, post)
                message = f"{name} is up"
        claims.hurry(interface.pk, at=timezone.now())
        heartbeat.find_address(interface.gateway.slug)
        observe_interface(interface_id=interface.pk)
        interface.refresh_from_db()
        if interface.boot_dirty_since is not None or not bootfile.path_of(interface).exists():
            bootfile.write(interface)
        return message
