"""`python -m tests.browser.tour`: take all pictures, or those whose names begin as the words say.

With --large DIR the pictures stay there in their full size as well; with --looks not all four are
taken, and docs/tour is left alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread
os.environ.pop("DATABASE_URL", None)  # the world is put back from a copy of a file

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from pytest_django.live_server_helper import LiveServer  # noqa: E402

from deploy.catalogues import build  # noqa: E402
from tests.browser.chromium import chromium  # noqa: E402
from tests.browser.tour.camera import LOOKS, Album  # noqa: E402
from tests.browser.tour.fate import repeated  # noqa: E402
from tests.browser.tour.parts import SHOTS  # noqa: E402
from tests.browser.tour.sheets import make_picture, make_sheet  # noqa: E402
from tests.browser.tour.shots import OPERATOR, Shot  # noqa: E402
from tests.browser.tour.world import build_world  # noqa: E402

DOCS = Path(__file__).resolve().parents[3] / "docs"


def main() -> int:
    """Take them; 1 if a page complained."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*")
    asked.add_argument("--large", type=Path)
    asked.add_argument("--looks", default=",".join(LOOKS))
    options = asked.parse_args()
    wanted = [
        one for one in SHOTS if not options.names or one.name.startswith(tuple(options.names))
    ]
    wanted.sort(key=lambda one: one.who != OPERATOR)  # who sees what the others do in theirs
    build()
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        out = options.large or Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        with repeated() as chance:
            chance.begin("world")
            places = build_world()
            server = LiveServer("localhost")
            try:
                with chromium() as browser:
                    album = Album(browser, server.url, out, places, chance)
                    for look in options.looks.split(","):
                        album.take(wanted, look)
            finally:
                server.stop()
        if options.looks == ",".join(LOOKS):
            _join(wanted, out)
    print("\n".join(album.faults) or "no page complained")
    return 1 if album.faults else 0


def _join(shots: Sequence[Shot], folder: Path) -> None:
    sheets = DOCS / "tour"
    sheets.mkdir(exist_ok=True)
    named = {f"{shot.name}.webp" for shot in SHOTS}
    for path in [path for path in sheets.iterdir() if path.name not in named]:
        path.unlink()
    missing = [one for one in shots if not (folder / f"{one.name}-phone.png").exists()]
    changed = [
        shot.name
        for shot in shots
        if shot not in missing and make_sheet(folder, shot.name, sheets / f"{shot.name}.webp")
    ]
    if any(shot.name == "clients" for shot in shots):
        for look in ("light", "dark"):
            make_picture(folder / f"clients-{look}.png", DOCS / f"portal-{look}.webp")
    print(f"{len(shots)} pages, {len(changed)} look otherwise than before:", *changed)


if __name__ == "__main__":
    sys.exit(main())
