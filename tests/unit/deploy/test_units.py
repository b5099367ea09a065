"""The systemd units: accepted without a word, and never the end of a tunnel."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("vwireguard*"))


def option(unit: Path, name: str) -> list[str]:
    lines = unit.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_systemd_accepts_every_unit_without_a_warning(tmp_path: Path) -> None:
    """Bad values only warn, so standard error must be empty too."""
    bin_ = tmp_path / "opt" / ".venv" / "bin"
    bin_.mkdir(parents=True)
    for name in ("python", "gunicorn", "celery"):
        (bin_ / name).symlink_to("/bin/true")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/vwg", str(tmp_path / "opt"))
        (tmp_path / unit.name).write_text(text)
    names = [str(tmp_path / unit.name.replace("@", "@wg0")) for unit in UNITS]

    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, timeout=60
    )

    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["vwireguard.service", "vwireguard-link@.service"])
def test_stopping_a_unit_kills_no_wireguard_process(name: str) -> None:
    unit = ROOT / "deploy" / "systemd" / name

    assert option(unit, "KillMode") == ["process"]
    assert option(unit, "ExecStop") == option(unit, "ExecStopPost") == []


@pytest.mark.parametrize("unit", [u for u in UNITS if u.suffix == ".service"], ids=lambda u: u.name)
def test_only_the_gateways_units_have_a_capability(unit: Path) -> None:
    may = unit.name in ("vwireguard.service", "vwireguard-link@.service")

    assert option(unit, "CapabilityBoundingSet") == ["CAP_NET_ADMIN" if may else ""]
    assert option(unit, "NoNewPrivileges") == ["yes"]
    assert option(unit, "User") == ["vwireguard" if may else "vwireguard-web"]


@pytest.mark.parametrize(
    "name", ["vwireguard-web.service", "vwireguard.service", "vwireguard-link@.service"]
)
def test_who_reads_the_boots_id_sees_it(name: str) -> None:
    """Claims of idempotency keys and observations hold it: it is beside the processes in /proc."""
    assert option(ROOT / "deploy" / "systemd" / name, "ProcSubset") == []
