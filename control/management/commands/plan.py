"""`manage.py plan`: what an apply would do now, and by which tier. Changes nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from control.management.interfaces import add_interface_argument, chosen
from control.preview import KINDS, preview_live


class Command(BaseCommand):
    help = "Print the difference between the rows and the interface, and the tier. Reads only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        interface = chosen(str(options["interface"]))
        found = preview_live(interface)
        self.stdout.write(f"interface {interface.name}, from {found.source}")
        for kind in KINDS:
            for key in found.peers(kind):
                self.stdout.write(f"  {kind:<10} {key}")
        for kind, number in found.drift.items():
            self.stdout.write(f"  drift: {number} {kind}")
        if found.obstacle:
            self.stdout.write(f"nothing would be done: {found.obstacle}")
        elif found.tier is None:
            self.stdout.write("nothing to do")
        else:
            others = ", nobody else is touched" if found.others_untouched else ""
            self.stdout.write(f"tier {found.tier}{others}")
