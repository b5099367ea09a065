"""`manage.py doctor`: what is missing here, and how to mend it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from control.doctor import examine
from control.management.interfaces import add_interface_argument, chosen
from gateways.models import Interface


class Command(BaseCommand):
    help = "Check rights, WireGuard, forwarding, NAT, Redis, database, workers and clock."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_interface_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        bad = 0
        for finding in examine(self._interface(str(options["interface"]))):
            mark = "ok  " if finding.ok else "MEND"
            self.stdout.write(f"{mark} {finding.subject}: {finding.text}")
            if not finding.ok:
                bad += 1
                self.stdout.write(f"     -> {finding.mend}")
        self.stdout.write("all is well" if not bad else f"{bad} to mend")
        if bad:
            sys.exit(1)

    def _interface(self, name: str) -> Interface | None:
        try:
            return chosen(name)
        except DatabaseError:
            return None
