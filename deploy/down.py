"""`make down`: stop a running stack first, so that nothing heals the link, then take it down."""

import os
import sys
from io import StringIO
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from deploy import environment, knobs, ownership

ROOT = Path(__file__).resolve().parent.parent
#: Above what the supervisor gives its programs to end (supervisord.conf.in), one group after the
#: other.
PATIENCE = 20.0


def main() -> None:
    """Leave neither processes nor interface; rows and files stay."""
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")
    noted = knobs.recall(ROOT, os.environ)
    known = environment.environment_path(ROOT).exists() or os.environ.get("SECRET_KEY")
    if not noted and not known:
        print("vwg: nothing to take down here (never started)")
        return
    try:
        _down()
    except (CommandError, ImproperlyConfigured, DatabaseError) as error:
        sys.exit(f"vwg: {error}")


def _down() -> None:
    """Which interface is meant comes first: else the portal would be stopped, and the tunnel not
    found.
    """
    state = settings.VWG_STATE_DIR
    django.setup()
    try:
        call_command("link_down", dry_run=True, stdout=StringIO())
    except (CommandError, DatabaseError) as error:
        holder = ownership.holder(state)
        still = f" Nothing was stopped: process {holder} still serves." if holder else ""
        raise CommandError(
            f"no interface to take down ({error}).{still} Give `make down` what `make up` was given"
        ) from None
    if not ownership.stop(state, seconds=PATIENCE):
        sys.exit(f"vwg: the running stack did not stop within {PATIENCE:.0f} s")
    call_command("link_down")
    knobs.forget(ROOT, state)


if __name__ == "__main__":
    main()
