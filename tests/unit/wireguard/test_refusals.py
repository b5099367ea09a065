"""What the commands say is sorted into what can be done about it, without a secret in it."""

import pytest

from wireguard.drivers.cli import CliDriver
from wireguard.drivers.refusals import clean, refusal
from wireguard.errors import (
    CommandMissing,
    DriverError,
    DriverForbidden,
    DriverRejected,
    DriverUnavailable,
    InterfaceMissing,
    InvalidConfig,
)
from wireguard.keys import generate_private_key
from wireguard.runner import LocalRunner


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Unable to access interface: No such device", InterfaceMissing),
        ("Unable to modify interface: No such device", InterfaceMissing),
        ("Unable to access interface: Protocol not supported", InterfaceMissing),
        (
            "Unable to retrieve current interface configuration: Protocol not supported",
            InterfaceMissing,
        ),
        ('Cannot open network namespace "x": No such file or directory', InterfaceMissing),
        ("Unable to access interface: Permission denied", DriverForbidden),
        ("Unable to modify interface: Operation not permitted", DriverForbidden),
        ("sudo: a password is required", DriverForbidden),
        ("sudo: wg: command not found", CommandMissing),
        ('exec of "wg" failed: No such file or directory', CommandMissing),
        ("Unable to modify interface: Cannot allocate memory", DriverUnavailable),
    ],
)
def test_what_may_pass_is_to_be_retried(said: str, kind: type[DriverError]) -> None:
    error = refusal("wg set", 1, said.encode())
    assert type(error) is kind
    assert isinstance(error, DriverUnavailable)


def test_a_command_that_was_killed_is_to_be_retried() -> None:
    assert type(refusal("wg set", -9, b"")) is DriverUnavailable


@pytest.mark.parametrize(
    ("said", "explained"),
    [
        ("Key is not the correct length or format: `xx'", True),
        ("AllowedIP is not in the correct format: `10.0.0.1/99'", True),
        ("Unable to parse IP address: `10.0.0.'", True),
        ("Unable to find port of endpoint: `1.2.3.4'", True),
        ("Name or service not known: `nonono.invalid:1'", True),
        ("Persistent keepalive interval is neither 0/off nor 1-65535: `70000'", True),
        ("Invalid length key in key file", True),
        ("Line unrecognized: `PostUp=x'\nConfiguration parsing error", True),
        ("Unable to modify interface: Address already in use", True),
        ("Unable to modify interface: Invalid argument", False),
        ("Unable to modify interface: Protocol error", False),
        ("", False),
    ],
)
def test_a_refusal_says_whether_it_is_explained(said: str, explained: bool) -> None:
    error = refusal("wg set", 1, said.encode())
    assert isinstance(error, DriverRejected)
    assert error.explained is explained
    assert "wg set" in error.reason


def test_no_key_is_quoted() -> None:
    key = generate_private_key().reveal()
    for echoed in (key, key + key, key[:-1], "PresharedKey=" + key, key[:30], "x" + key + "\n"):
        text = clean(f"Key is not the correct length or format: `{echoed}'")
        assert key[5:25] not in text
        assert "not the correct length" in text
    assert len(clean("x y " * 1000)) <= 300


@pytest.mark.parametrize("name", ["", "all", "interfaces", "-h", "a/b", "..", "a" * 16, "wg0\n"])
def test_what_is_not_an_interface_is_not_asked_about(name: str) -> None:
    with pytest.raises(InvalidConfig):
        CliDriver(name, LocalRunner())
