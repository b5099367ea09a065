"""The knobs that `make up` was given, kept for who comes from another shell.

`make up` notes them in its state directory; `make down` and `manage.py` take from there what their
own environment does not say. Keys and passwords of vwg's own are never noted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import ClassVar, Final

import environ

from deploy.environment import environment_path

_NOTE: Final = "up.json"
#: In ./var: the state directory of a stack that lives elsewhere.
_ELSEWHERE: Final = "up.elsewhere"
_OTHERS: Final = ("DATABASE_URL", "REDIS_URL", "LOG_LEVEL", "DEBUG")
_SECRET: Final = ("VWG_ENCRYPTION_KEYS", "VWG_CLIENT_ENCRYPTION_KEYS", "VWG_ADMIN_PASSWORD")
_PATHS: Final = ("VWG_ENV_FILE", "VWG_STATE_DIR")


class _Aside(environ.Env):  # type: ignore[misc]
    """Reads a file as the settings do, but not into the process's environment."""

    ENVIRON: ClassVar[dict[str, str]] = {}


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """The knobs of an environment, less the secrets."""
    found = {
        name: value
        for name, value in environment.items()
        if (name.startswith("VWG_") or name in _OTHERS) and name not in _SECRET
    }
    return found | {name: str(Path(found[name]).resolve()) for name in _PATHS if found.get(name)}


def note(root: Path, state: Path, knobs: Mapping[str, str]) -> None:
    """Keep what `make up` of the checkout at ``root`` was given, in its state directory (0600)."""
    _write(state / _NOTE, json.dumps(knobs, indent=1, sort_keys=True) + "\n")
    home = root / "var"
    if state != home:
        home.mkdir(mode=0o700, exist_ok=True)
        _write(home / _ELSEWHERE, f"{state}\n")


def recall(root: Path, environment: MutableMapping[str, str]) -> bool:
    """Complete the environment with what was noted; False where nothing was.

    The note is that of the state directory which the environment (or `.env`) names. Where it names
    none, ./var's counts, then that of the stack which was last started elsewhere.
    """
    found = _found(root, environment)
    for name, value in found.items() if found else ():
        environment.setdefault(name, value)
    return found is not None


def forget(root: Path, state: Path) -> None:
    """What was noted is no more: the stack is down."""
    (state / _NOTE).unlink(missing_ok=True)
    if _elsewhere(root) == state:
        (root / "var" / _ELSEWHERE).unlink(missing_ok=True)


def _found(root: Path, environment: Mapping[str, str]) -> dict[str, str] | None:
    name = environment.get("VWG_STATE_DIR") or _from_file(root, environment)
    places = [Path(name)] if name else [root / "var", _elsewhere(root)]
    for state in places:
        if state is not None and (state / _NOTE).exists():
            knobs: dict[str, str] = json.loads((state / _NOTE).read_text())
            return knobs
    return None


def _from_file(root: Path, environment: Mapping[str, str]) -> str:
    """The state directory that `.env` names."""
    path = Path(environment.get("VWG_ENV_FILE") or environment_path(root))
    _Aside.ENVIRON = {}
    if path.is_file():
        _Aside.read_env(str(path))
    return _Aside.ENVIRON.get("VWG_STATE_DIR", "")


def _elsewhere(root: Path) -> Path | None:
    try:
        return Path((root / "var" / _ELSEWHERE).read_text().strip())
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
