"""``python -m bench.verdicts``: verdicts on everybody, at 1,000, 10,000 and 100,000 clients.

In a database of its own, without a worker: what is measured is what the schedule calls. Beside each
figure the floor of the same run: one UPDATE of the same rows. ``--quick`` stops at 10,000;
``--database-url`` names a PostgreSQL where databases may be created.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, save, table
from deploy import environment
from tests.stack.databases import ROOT, Tenancy, fill_sqlite, own_environment

SIZES = (1_000, 10_000, 100_000)


def main() -> int:
    """Make a database, measure in a process of its own, print and save."""
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 clients at most")
    parser.add_argument("--database-url", help="a PostgreSQL where databases may be created")
    given = parser.parse_args()
    sizes = SIZES[:2] if given.quick else SIZES
    state = Path(tempfile.mkdtemp(prefix="vbv"))
    tenancy = None
    try:
        if given.database_url:
            tenancy = Tenancy(given.database_url, f"vbv_{secrets.token_hex(4)}")
            url = tenancy.url
        else:
            fill_sqlite(state / "vwg.sqlite3")
            url = f"sqlite:///{state / 'vwg.sqlite3'}"
        figures = _measured(url, state, sizes)
    finally:
        if tenancy:
            tenancy.drop()
        shutil.rmtree(state, ignore_errors=True)
    print(table(figures))
    kind = "postgres" if given.database_url else "sqlite"
    name = "verdicts-postgres.json" if given.database_url else "verdicts.json"
    save(figures, Path(__file__).resolve().parent / name, database=kind)
    return int(any(figure.missed for figure in figures))


def _measured(url: str, state: Path, sizes: tuple[int, ...]) -> list[Figure]:
    environment.ensure_environment(state / "env")
    known = {
        **own_environment(),
        "VWG_ENV_FILE": str(state / "env"),
        "VWG_STATE_DIR": str(state),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "vwg.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.judging", *map(str, sizes)],
        cwd=ROOT, env=known, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [Figure(**one) for one in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    sys.exit(main())
