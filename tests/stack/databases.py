"""A database for each stack, migrated already, and static files, collected already: both take
longer than all else of a start.

The migrations run by `manage.py migrate` into a template, of which each stack gets a copy. `make
test` makes the templates once for all of its parts (``python -m tests.stack.databases``, in the
folder that VWG_TEST_TEMPLATES names and in the cluster of VWG_TEST_DATABASE_URL), and the tests
without a stack have their databases from there too; without it each process makes its own. What
`make up` does with an empty database is shown by test_up.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import environ
import psycopg

from deploy import environment

#: The template in the cluster of a whole run.
SHARED = "vwg_template"
ROOT = Path(__file__).resolve().parents[2]
#: What a developer's shell or pytest itself may have set, and a stack must not inherit.
_FOREIGN = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "LOG_LEVEL")


def fill_sqlite(file: Path) -> None:
    """Write a migrated SQLite database to a file that is not there yet."""
    copy_sqlite(shared_sqlite() or _sqlite_template(), file)


def fill_static(folder: Path) -> None:
    """Write what `manage.py collectstatic` makes, the same for every stack, to a folder."""
    templates = os.environ.get("VWG_TEST_TEMPLATES")
    made = Path(templates) / "static" if templates else _static_template()
    shutil.copytree(made, folder, dirs_exist_ok=True)


def shared_sqlite() -> Path | None:
    """The template of a whole run, where there is one."""
    folder = os.environ.get("VWG_TEST_TEMPLATES")
    return Path(folder) / "vwg.sqlite3" if folder else None


def copy_sqlite(template: Path, file: Path) -> None:
    """A copy with all that its log holds, for its owner alone."""
    with sqlite3.connect(template) as source, sqlite3.connect(file) as target:
        source.backup(target)
    source.close()
    target.close()
    file.chmod(0o600)


class Tenancy:
    """A migrated PostgreSQL database and the role that requests run as; ``drop`` ends both."""

    def __init__(self, cluster_url: str, name: str) -> None:
        self._cluster_url = cluster_url
        self._name = name
        self._role = f"{name}_web"
        with cluster_connection(cluster_url) as cluster:
            cluster.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_template(cluster_url)}"')
            cluster.execute(f'CREATE ROLE "{self._role}" LOGIN')
        self.url = _url_of(cluster_url, name)
        user = environ.Env.db_url_config(self.url)["USER"]
        self.web_url = self.url.replace(f"{user}@", f"{self._role}@", 1)

    def drop_connections(self) -> None:
        """What a restart of PostgreSQL does: every connection is gone."""
        with cluster_connection(self._cluster_url) as cluster:
            cluster.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self._name],
            )

    def drop(self) -> None:
        with cluster_connection(self._cluster_url) as cluster:
            cluster.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            cluster.execute(f'DROP ROLE IF EXISTS "{self._role}"')


def cluster_connection(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the database that a DATABASE_URL names, by the rules of the settings."""
    parts = environ.Env.db_url_config(url)
    return psycopg.connect(
        host=parts["HOST"],
        port=parts["PORT"] or None,
        user=parts["USER"],
        password=parts["PASSWORD"] or None,
        dbname=parts["NAME"],
        autocommit=True,
    )


@cache
def own_cluster() -> str:
    """A PostgreSQL of this test process, where nobody named one; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="vwp"))
    folder.chmod(0o755)  # its server runs as somebody else
    script, data = str(ROOT / "deploy/postgres.sh"), str(folder / "d")

    def stop() -> None:
        subprocess.run([script, "stop", data], check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    started = subprocess.run([script, "start", data], check=True, capture_output=True, text=True)
    return started.stdout.strip()


def own_environment() -> dict[str, str]:
    """This process's environment without any knob of vwg's."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _FOREIGN and not name.startswith("VWG_")
    }


def _url_of(cluster_url: str, name: str) -> str:
    return f"{cluster_url.rpartition('/')[0]}/{name}"


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vwt"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder / 'vwg.sqlite3'}")
    return folder / "vwg.sqlite3"


@cache
def _static_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vwt"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _collect(folder)
    return folder / "static"


@cache
def _template(cluster_url: str) -> str:
    with cluster_connection(cluster_url) as cluster:
        if cluster.execute("SELECT 1 FROM pg_database WHERE datname = %s", [SHARED]).fetchone():
            return SHARED
    name = f"vwt_{os.getpid()}"

    def drop() -> None:
        with cluster_connection(cluster_url) as cluster:
            cluster.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    drop()
    atexit.register(drop)
    _make(cluster_url, name)
    return name


def _make(cluster_url: str, name: str) -> None:
    with cluster_connection(cluster_url) as cluster:
        cluster.execute(f'CREATE DATABASE "{name}"')
    _migrate(_url_of(cluster_url, name))


def _migrate(url: str) -> None:
    _manage("migrate", DATABASE_URL=url)


def _collect(state: Path) -> None:
    """Static files into the folder "static" of a state directory."""
    _manage("collectstatic", "--no-input", VWG_STATE_DIR=str(state))


def _manage(*words: str, **settings: str) -> None:
    with tempfile.TemporaryDirectory(prefix="vwt") as state:
        file = Path(state) / "env"
        environment.ensure_environment(file)
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words, "--verbosity", "0"],
            env={**own_environment(), "VWG_ENV_FILE": str(file), **settings},
            check=True,
        )


def make_shared() -> None:
    """The templates of a whole run, beside each other."""
    with ThreadPoolExecutor() as pool:
        made = []
        if file := shared_sqlite():
            made.append(pool.submit(_migrate, f"sqlite:///{file}"))
            made.append(pool.submit(_collect, file.parent))
        if cluster_url := os.environ.get("VWG_TEST_DATABASE_URL"):
            made.append(pool.submit(_make, cluster_url, SHARED))
    for one in made:
        one.result()


if __name__ == "__main__":
    make_shared()
