"""`manage.py audit_ledger`: prove the ledger, on a system in service."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from control.auditing import audit


class Command(BaseCommand):
    help = "Check that no byte is lost or counted twice; changes nothing. Ends with 1 if it finds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shown", type=int, default=20, help="violations shown of each check")

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for check in audit():
            mark = "ok   " if not check.violations else "WRONG"
            self.stdout.write(f"{mark} {check.what}: {check.looked_at} checked")
            for violation in check.violations[: options["shown"]]:
                self.stdout.write(f"      {violation}")
            if (more := len(check.violations) - options["shown"]) > 0:
                self.stdout.write(f"      and {more} more")
            found += len(check.violations)
        self.stdout.write("the ledger is right" if not found else f"{found} violations")
        if found:
            sys.exit(1)
