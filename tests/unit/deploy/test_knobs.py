import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import knobs

ROOT = Path(__file__).resolve().parents[3]
GIVEN = {"VWG_INTERFACE": "wg7", "DATABASE_URL": "postgres:///vwg", "PATH": "/bin"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The state directory of a checkout at ``tmp_path``."""
    (tmp_path / "var").mkdir()
    return tmp_path / "var"


def recalled(root: Path, **said: str) -> dict[str, str]:
    environment = dict(said)
    knobs.recall(root, environment)
    return environment


def test_another_shell_finds_what_up_was_given(tmp_path: Path, home: Path) -> None:
    knobs.note(tmp_path, home, knobs.given(GIVEN))

    assert recalled(tmp_path) == {"VWG_INTERFACE": "wg7", "DATABASE_URL": "postgres:///vwg"}
    assert recalled(tmp_path, VWG_INTERFACE="wg8")["VWG_INTERFACE"] == "wg8"
    assert stat.S_IMODE((home / "up.json").stat().st_mode) == 0o600


def test_keys_and_passwords_are_not_written_down() -> None:
    secret = ("SECRET_KEY", "VWG_ENCRYPTION_KEYS", "VWG_CLIENT_ENCRYPTION_KEYS")

    assert knobs.given(dict.fromkeys((*secret, "VWG_ADMIN_PASSWORD"), "x")) == {}


def test_a_stack_elsewhere_is_found_unless_one_is_here(tmp_path: Path, home: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    knobs.note(tmp_path, elsewhere, {"VWG_STATE_DIR": str(elsewhere)})

    assert recalled(tmp_path) == {"VWG_STATE_DIR": str(elsewhere)}
    knobs.note(tmp_path, home, {})
    assert recalled(tmp_path) == {}
    assert recalled(tmp_path, VWG_STATE_DIR=str(elsewhere)) == {"VWG_STATE_DIR": str(elsewhere)}
    assert recalled(tmp_path, VWG_STATE_DIR="/third") == {"VWG_STATE_DIR": "/third"}


def test_a_place_that_the_env_file_names_is_looked_at(tmp_path: Path, home: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".env").write_text(f"VWG_STATE_DIR={elsewhere}\nLOG_LEVEL=DEBUG\n")
    knobs.note(tmp_path, elsewhere, {"VWG_INTERFACE": "wg7"})

    assert recalled(tmp_path) == {"VWG_INTERFACE": "wg7"}
    assert os.environ.get("LOG_LEVEL") != "DEBUG"


def test_what_is_down_is_forgotten(tmp_path: Path, home: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    knobs.note(tmp_path, elsewhere, {"VWG_INTERFACE": "wg7"})

    knobs.forget(tmp_path, elsewhere)

    assert not knobs.recall(tmp_path, {})
    assert list(home.iterdir()) == []


def test_paths_are_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert knobs.given({"VWG_STATE_DIR": "s"}) == {"VWG_STATE_DIR": str(tmp_path / "s")}


def test_down_stops_nothing_while_it_knows_no_interface(tmp_path: Path) -> None:
    """A database without the interface: as without the knob that `make up` was given."""
    environment = {
        "PATH": os.environ["PATH"],
        "VWG_ENV_FILE": "/dev/null",
        "VWG_STATE_DIR": str(tmp_path),
        "SECRET_KEY": "x" * 40,
        "VWG_INTERFACE": "wg7",
    }
    script = (
        "import sys; from deploy import down, ownership;"
        "ownership.holder = lambda state: 4711;"
        "ownership.stop = lambda *_, **__: sys.exit('stopped');"
        "down.main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "Nothing was stopped: process 4711 still serves." in done.stderr, done.stderr
