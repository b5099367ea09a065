"""Write everything that is stored of a tenant into a file."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.events import SYSTEM
from resellers.services.exporting import export_tenant
from tenants.models import Tenant
from tenants.queries import find_tenant


class Command(BaseCommand):
    """`manage.py export_tenant --tenant SLUG --out FILE [--with-secrets]`."""

    help = "Write everything that is stored of a tenant into a file of JSON lines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--out", required=True, help="the file, 0600; - for standard output")
        parser.add_argument(
            "--with-secrets", action="store_true", help="clients' private and preshared keys too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        secrets = bool(options["with_secrets"])
        if options["out"] == "-":
            _write(tenant, sys.stdout.fileno(), secrets)
            return
        path = Path(options["out"])
        try:
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                written = _write(tenant, descriptor, secrets)
                Path(name).replace(path)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        self.stdout.write(f"{written} lines in {path}")


def _write(tenant: Tenant, descriptor: int, secrets: bool) -> int:
    with os.fdopen(descriptor, "wb", closefd=descriptor > 2) as file:
        return export_tenant(
            tenant=tenant,
            file=file,
            actor=SYSTEM,
            at=timezone.now(),
            with_secrets=secrets,
            for_operator=True,
        )
