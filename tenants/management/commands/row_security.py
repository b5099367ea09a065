"""Put row-level security in place, or look whether it is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.row_installation import CannotInstall, faults, install, web_role
from tenants.row_policies import walls


class Command(BaseCommand):
    """`manage.py row_security [--check] [--role NAME]`, as the owner of the tables."""

    help = "Let PostgreSQL show the web server the rows of one tenant only. Run after `migrate`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing, say what is amiss"
        )
        parser.add_argument(
            "--role", default="", help="the web server's; by default the user of its URL"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"] or web_role()
        if not options["check"]:
            try:
                changed = install(role)
            except CannotInstall as error:
                raise CommandError(str(error)) from None
            if options["verbosity"]:
                self.stdout.write(f"{len(changed)} tables changed")
        if found := faults(role):
            raise CommandError("\n".join(found))
        if options["verbosity"]:
            self.stdout.write(f"{len(walls())} tables under policy for {role}")
