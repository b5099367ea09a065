"""`manage.py rotate_keys`: seal every secret with the first key of its ring."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from control.rotation import rotate
from vault.ring import RingError


class Command(BaseCommand):
    help = (
        "Re-encrypt secrets with the first key of VWG_ENCRYPTION_KEYS. Put a new key in front,"
        " restart, run this, then drop the old one. May be killed and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = rotate()
        except RingError as error:
            raise CommandError(str(error)) from None
        for what, number in done.items():
            self.stdout.write(f"{number} {what} re-encrypted")
