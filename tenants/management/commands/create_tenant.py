"""Make a tenant."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from tenants.accounts import AccountRefused, create_tenant


class Command(BaseCommand):
    """`manage.py create_tenant --name N [--slug s]`; prints the slug alone on the last line."""

    help = "Make a tenant. Prints its slug alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="as people read it")
        parser.add_argument("--slug", default="", help="as programs name it; made from the name")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        slug = options["slug"] or slugify(name)[:48].strip("-_")
        if not slug:
            raise CommandError("The name has no letters for a slug; give --slug.")
        try:
            tenant = create_tenant(name=name, slug=slug)
        except AccountRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(tenant.slug)
