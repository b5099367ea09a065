"""`manage.py setup`: make the operator, gateway and interface of a first start, if missing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from control.installation import install
from control.scheduling import expect


class Command(BaseCommand):
    help = "Make the first operator, gateway and interface; what is there stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        made = install(
            gateway_slug=settings.VWG_GATEWAY,
            netns=settings.VWG_NETNS,
            interface_name=settings.VWG_INTERFACE,
            addresses=settings.VWG_ADDRESS,
            listen_port=settings.VWG_LISTEN_PORT,
            password=settings.VWG_ADMIN_PASSWORD,
        )
        expect()
        if made.made_interface:
            self.stdout.write(f"interface {made.interface.name}: {made.interface.public_key}")
        if made.password is not None:
            self.stdout.write(f"user admin, one-time password: {made.password}")
