"""`manage.py remove_strays`: the operator decides that peers without a record shall go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.events import SYSTEM
from control.adoption import remove_strays
from control.management.interfaces import add_interface_argument, chosen


class Command(BaseCommand):
    help = "Remove the peers that the mass-loss guard left alone. Their owners are cut off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        interface = chosen(str(options["interface"]))
        number = remove_strays(interface, actor=SYSTEM, at=timezone.now())
        self.stdout.write(f"{number} peers of {interface.name} will be removed")
