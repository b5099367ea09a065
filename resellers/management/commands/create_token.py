"""Make an API token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from audit.events import SYSTEM
from resellers.services.sandbox import ensure_sandbox
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
        parser.add_argument("--sandbox", action="store_true", help="works on the tenant's sandbox")
        parser.add_argument("--expires-days", type=int, help="days until it ends by itself")
        parser.add_argument("--expires", default="", help="when, like 2027-01-31T12:00:00Z")
        parser.add_argument("--cidrs", default="", help="networks it may be used from, commas")
        parser.add_argument("--cidr", action="append", default=[], help="one; may be repeated")
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
        expires_at = _expiry(options["expires_days"], options["expires"], at)
        if options["sandbox"]:
            if options["operator"]:
                raise CommandError("A sandbox has no operators.")
            if not tenant.is_sandbox:
                tenant = ensure_sandbox(tenant=tenant, actor=SYSTEM, at=at)
        former = live_token(tenant, options["name"]) if options["replace"] else None
        if former is not None:
            revoke(token=former, at=at)
        try:
            token, text = issue(
                tenant=tenant,
                name=options["name"],
                scopes=scopes,
                operator=options["operator"],
                expires_at=expires_at,
                allowed_cidrs=[
                    *(cidr.strip() for cidr in options["cidrs"].split(",") if cidr),
                    *options["cidr"],
                ],
            )
        except TokenNameTaken as error:
            raise CommandError(f"{error} Use another name, or --replace to revoke it.") from None
        except TokenRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Token {token.name!r} of {tenant.slug}, shown this once:")
        self.stdout.write(text)


def _expiry(days: int | None, text: str, at: datetime) -> datetime | None:
    """When the token ends. Raises CommandError for a time that is none, or past."""
    if days is not None and text:
        raise CommandError("Give either --expires-days or --expires.")
    if days is not None:
        if not 1 <= days <= 36500:
            raise CommandError("--expires-days must be from 1 to 36500.")
        return at + timedelta(days=days)
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or is_naive(moment) or moment <= at:
        raise CommandError("--expires must be a time to come, like 2027-01-31T12:00:00Z.")
    return moment
