import os
import stat
from pathlib import Path

import environ
import pytest

from deploy import environment
from vault.ring import Ring


def read(path: Path, monkeypatch: pytest.MonkeyPatch) -> environ.Env:
    for name in ("SECRET_KEY", "VWG_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    environ.Env.read_env(str(path))
    return environ.Env()


def test_a_fresh_file_holds_secrets_that_settings_and_vault_accept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.ensure_environment(tmp_path / ".env")

    env = read(tmp_path / ".env", monkeypatch)

    assert len(env.str("SECRET_KEY")) >= 50
    ring = Ring.parse(env.list("VWG_ENCRYPTION_KEYS"))
    assert ring.open(ring.seal("text", place="here"), place="here") == "text"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    environment.ensure_environment(tmp_path / ".env")

    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [".env"]


def test_a_file_that_is_there_is_never_changed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n")

    assert not environment.ensure_environment(path)

    assert path.read_text() == "SECRET_KEY=mine\n"


def test_a_file_that_comes_while_we_write_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        path.write_text("SECRET_KEY=theirs\n")

    monkeypatch.setattr(os, "fsync", fsync)

    assert not environment.ensure_environment(path)
    assert path.read_text() == "SECRET_KEY=theirs\n"


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        environment.ensure_environment(tmp_path / name)

    lines = [
        {line for line in (tmp_path / name).read_text().splitlines() if "=" in line}
        for name in ("a", "b")
    ]

    assert len(lines[0]) == 2
    assert not lines[0] & lines[1]
