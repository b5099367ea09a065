"""`make up`, after packages and .venv: secrets, database, interface, then the supervisor.

Every step looks first and does nothing where nothing is to do, so a second start changes nothing.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from deploy import address, environment, knobs, ownership, supervision

ROOT = Path(__file__).resolve().parent.parent


class CannotStart(Exception):
    """`make up` cannot go on; the text says why and what to do."""


def main() -> None:
    """Prepare and become the supervisor; does not return unless something is wrong."""
    os.umask(0o077)
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")
    given = knobs.given(os.environ)  # before the settings add what `.env` says
    try:
        config = _prepare(given)
    except (CannotStart, CommandError, ImproperlyConfigured, supervision.PathUnusable) as error:
        sys.exit(f"vwg: {error}")
    _announce()
    sys.stdout.flush()
    supervisord = str(Path(sys.prefix) / "bin" / "supervisord")
    os.execv(supervisord, [supervisord, "--nodaemon", "--configuration", str(config)])  # noqa: S606


def _prepare(given: dict[str, str]) -> Path:
    fresh = environment.ensure_environment(environment.environment_path(ROOT))
    if fresh:
        print(f"vwg: wrote fresh secrets to {environment.environment_path(ROOT)}; keep a copy")
    state = settings.VWG_STATE_DIR
    supervision.check_paths(state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    _claim(state)
    knobs.note(ROOT, state, given)
    django.setup()
    _prepare_database()
    _collect_static(state)
    call_command("setup")
    _bring_link_up()
    private_redis = f"redis+socket://{state / 'redis.sock'}" == settings.REDIS_URL
    config = supervision.render(
        state=state, gateway=settings.VWG_GATEWAY, private_redis=private_redis
    )
    if os.geteuid() == 0:
        config.set("supervisord", "user", "root")  # on purpose; without it supervisord complains
    return supervision.write(config, state=state)


def _claim(state: Path) -> None:
    """Hold the state directory and find the port free. Raises CannotStart."""
    try:
        ownership.hold(state)
    except ownership.AlreadyRunning as running:
        raise CannotStart(
            f"already running here (process {running}); `make down` or ctrl-C there stops it"
        ) from None
    try:
        address.check_free(settings.VWG_BIND)
    except address.PortTaken as taken:
        raise CannotStart(
            f"cannot listen on {taken}. Free it, or choose another: VWG_BIND=127.0.0.1:8001 make up"
        ) from None
    except ValueError as error:
        raise CannotStart(f"VWG_BIND is not HOST:PORT: {error}") from None


def _prepare_database() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    if settings.VWG_WEB_DATABASE_URL:
        call_command("row_security", verbosity=0)


def _collect_static(state: Path) -> None:
    """Collect, compress and fingerprint static files when a source changed since the last time."""
    mark = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            mark.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    stamp = state / "static.stamp"
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text() == mark.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(mark.hexdigest())


def _bring_link_up() -> None:
    """Bring the interface up. Without it the portal still serves, and says what is missing."""
    try:
        call_command("link_up")
    except CommandError as error:
        print(
            f"vwg: the interface is not up: {error}\n"
            "vwg: the portal starts all the same; `.venv/bin/python manage.py doctor` says how"
            " to mend it",
            file=sys.stderr,
        )


def _announce() -> None:
    """Leave a process behind that says when the portal answers."""
    probe = address.local_url(settings.VWG_BIND, "/healthz/live")
    if probe is None:
        return
    logs = str(settings.VWG_STATE_DIR / "log")
    subprocess.Popen(
        [sys.executable, "-m", "deploy.announcement", probe, settings.VWG_PUBLIC_URL, logs],
        cwd=ROOT,
    )


if __name__ == "__main__":
    main()
