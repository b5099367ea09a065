"""`make down`: stop a running stack first, so that nothing heals the link, then take it down."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from deploy import ownership

_PATIENCE = 15.0


def main() -> None:
    """Leave neither processes nor interface; rows and files stay."""
    os.chdir(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")
    try:
        if not ownership.stop(settings.VWG_STATE_DIR, seconds=_PATIENCE):
            sys.exit(f"vwg: the running stack did not stop within {_PATIENCE:.0f} s")
        django.setup()
        call_command("link_down")
    except (CommandError, ImproperlyConfigured, DatabaseError) as error:
        sys.exit(f"vwg: {error}")


if __name__ == "__main__":
    main()
