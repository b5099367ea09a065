"""The host that serves the portal: how busy it is, what is installed, what its logs said last.

Other hosts' logs are read there; of their workers it is known here whether they answer.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections import deque
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: So much of a log file's end is looked at.
_TAIL: Final = 256 * 1024
_PACKAGES: Final = (
    "Django", "djangorestframework", "celery", "redis", "psycopg", "cryptography", "gunicorn",
)  # fmt: skip
#: What must not leave the host: keys, tokens, passwords, the secrets of share links.
_SECRETS: Final = (
    (re.compile(r"[A-Za-z0-9+/]{42,43}=(?![A-Za-z0-9+/=])"), "<key>"),
    (re.compile(r"vwg_[A-Za-z0-9_\-]+"), "<token>"),
    (re.compile(r"(/s/)[^/\s?#'\"]+"), r"\1<secret>"),
    (re.compile(r"(://[^:/@\s]*:)[^@\s]+@"), r"\1<password>@"),
    (re.compile(r"(?i)(authorization\W{1,3}).*"), r"\1<secret>"),
    (
        re.compile(r"(?i)((?:password|secret|token|private_?key)\W{1,3})\S+"),
        r"\1<secret>",
    ),
)
_LEVEL: Final = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")


@dataclass(frozen=True)
class Host:
    """How busy the host is; None for what it does not tell."""

    cores: int
    load: tuple[float, float, float] | None
    memory_total: int | None
    memory_free: int | None
    disk_total: int
    disk_free: int

    @property
    def disk_percent(self) -> int:
        return 100 * (self.disk_total - self.disk_free) // max(self.disk_total, 1)

    @property
    def memory_percent(self) -> int | None:
        if not self.memory_total or self.memory_free is None:
            return None
        return 100 * (self.memory_total - self.memory_free) // self.memory_total


def host() -> Host:
    """Load, memory and disk of this moment."""
    memory = _memory()
    disk = shutil.disk_usage(_nearest(settings.VWG_STATE_DIR))
    try:
        load = os.getloadavg()
    except OSError:
        load = None
    return Host(
        cores=os.cpu_count() or 1,
        load=load,
        memory_total=memory.get("MemTotal"),
        memory_free=memory.get("MemAvailable"),
        disk_total=disk.total,
        disk_free=disk.free,
    )


def _nearest(path: Path) -> Path:
    """The directory itself, or the one above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


def _memory() -> dict[str, int]:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return {}
    found = re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)
    return {name: int(kilobytes) * 1024 for name, kilobytes in found}


def versions() -> list[tuple[str, str]]:
    """What runs here, and in which version."""
    found = [
        ("Python", platform.python_version()),
        (platform.system(), platform.release()),
        ({"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor], _database_version()),
    ]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


def _database_version() -> str:
    with connection.cursor() as cursor:
        asked = (
            "SHOW server_version"
            if connection.vendor == "postgresql"
            else ("SELECT sqlite_version()")
        )
        cursor.execute(asked)
        return str(cursor.fetchone()[0])


def database_bytes() -> int:
    """How large the database is."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])


def log_files() -> list[str]:
    """The log files of this host's processes, by name."""
    folder = settings.VWG_STATE_DIR / "log"
    try:
        return sorted(path.name for path in folder.glob("*.log") if path.is_file())
    except OSError:
        return []


def tail(name: str, *, level: str = "", lines: int = 200) -> list[str]:
    """The last lines of a log, of this level and above, without secrets; [] for no such file."""
    if name not in log_files():
        return []
    path = settings.VWG_STATE_DIR / "log" / name
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    wanted = LEVELS[LEVELS.index(level) :] if level in LEVELS else ()
    kept: deque[str] = deque(maxlen=lines)
    told = not wanted
    for line in text.splitlines():
        found = _LEVEL.search(line[:80])
        if wanted and found:  # what has no level of its own belongs to the line before
            told = found[1] in wanted
        if told:
            kept.append(cleaned(line))
    return list(kept)


def cleaned(text: str) -> str:
    """A text without what must not leave the host."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
