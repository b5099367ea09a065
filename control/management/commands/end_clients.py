"""`manage.py end_clients`: the operator decides that the clock is right after all."""

from typing import Any

from django.core.management.base import BaseCommand

from control.ending import check_all, end_due


class Command(BaseCommand):
    help = "End, delete and renew every client whose time has come, however many are late."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = end_due(doubting=False) | check_all(doubting=False)
        told = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.stdout.write(f"Clients: {told}")
