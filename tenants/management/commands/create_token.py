"""Make an API token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from tenants.permissions import EVERYTHING, READS, SCOPES
from tenants.queries import find_tenant, live_token
from tenants.tokens import TokenNameTaken, TokenRefused, issue, revoke


class Command(BaseCommand):
    """`manage.py create_token --tenant N --name T --scopes '*'`."""

    help = "Make an API token. Prints it alone on the last line; it is never shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or name")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--scopes", required=True, help="'*', or scopes with commas between")
        parser.add_argument("--operator", action="store_true", help="acts for every tenant")
        parser.add_argument("--expires-days", type=int, help="days until it ends by itself")
        parser.add_argument("--cidrs", default="", help="networks it may be used from, commas")
        parser.add_argument(
            "--replace", action="store_true", help="revoke the live token of this name first"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        tenant = find_tenant(options["tenant"])
        if tenant is None:
            raise CommandError(f"No tenant has the slug or name {options['tenant']!r}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        unknown = sorted(set(scopes) - SCOPES.keys() - {EVERYTHING, READS})
        if unknown or not scopes:
            known = ", ".join([EVERYTHING, READS, *SCOPES])
            raise CommandError(f"Unknown scopes: {', '.join(unknown) or 'none given'}. Use {known}")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--expires-days must be from 1 to 36500.")
        former = live_token(tenant, options["name"]) if options["replace"] else None
        if former is not None:
            revoke(token=former, at=at)
        try:
            token, text = issue(
                tenant=tenant,
                name=options["name"],
                scopes=scopes,
                operator=options["operator"],
                expires_at=at + timedelta(days=days) if days else None,
                allowed_cidrs=[cidr.strip() for cidr in options["cidrs"].split(",") if cidr],
            )
        except TokenNameTaken as error:
            raise CommandError(f"{error} Use another name, or --replace to revoke it.") from None
        except TokenRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Token {token.name!r} of {tenant.slug}, shown this once:")
        self.stdout.write(text)
