"""The fields of a client: what is stored as it is, and what is refused by name."""

from __future__ import annotations

import pytest

from peers.values import CLIENT_CHECKS, DEVICE_CHECKS, check_key, check_psk
from rest.errors import Invalid
from rest.values import check_fields

CHECKS = {**CLIENT_CHECKS, **DEVICE_CHECKS}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "سارا"),
        ("name", "می\u200cخواهم"),  # noqa: RUF001 - a non-joiner, as Persian needs it
        ("name", "👩‍🚀 王小明"),
        ("name", "<script>alert(1)</script>"),
        ("name", "=cmd|'/C calc'!A0"),
        ("external_id", "../../x"),
        ("email", ""),
        ("email", "sara@example.org"),
        ("telegram_id", "@sara_1"),
        ("tags", ["gold", "2026"]),
        ("metadata", {"order": {"id": 7, "paid": True}}),
        ("endpoint", "[2001:db8::1]:51820"),
        ("dns_servers", ["1.1.1.1", "2606:4700::1111", "corp.example"]),
        ("mtu", 1420),
        ("routes", ["0.0.0.0/0", "::/0"]),
        ("endpoint_override", "vpn.example.com:51820"),
    ],
)
def test_a_sound_value_is_stored_as_it_is(field: str, value: object) -> None:
    assert check_fields({field: value}, CHECKS) == {field: value}


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("external_id", "", None),
        ("persistent_keepalive", 0, None),
        ("client_keepalive", 0, 0),
        ("client_keepalive", None, None),
        ("dns_servers", None, None),
        ("routes", None, []),
        ("tags", ["a", "a"], ["a"]),
        ("endpoint", None, ""),
    ],
)
def test_some_values_have_one_spelling(field: str, given: object, stored: object) -> None:
    assert check_fields({field: given}, CHECKS) == {field: stored}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", " Sara"),
        ("name", "x" * 121),
        ("name", 7),
        ("name", "\u200b\u200d"),
        ("name", "a\u202eb"),
        ("name", "\ud800"),
        *[("name", f"a{bad}b") for bad in "\n\r\t\x0b\x85\u2028\u2029\x1b\0"],
        ("note", "x\n[Peer]\nPublicKey = y"),
        ("note", "x" * 2001),
        ("external_id", "a b"),
        ("external_id", "x" * 121),
        ("email", "not an address"),
        ("email", "a@b\n.example"),
        ("telegram_id", "<b>"),
        ("tags", "gold"),
        ("tags", ["x" * 65]),
        ("tags", ["a\nb"]),
        ("tags", ["x"] * 51),
        ("metadata", []),
        ("metadata", {"a": "x" * 9000}),
        ("metadata", {"a": "\0"}),
        ("metadata", {"a": float("nan")}),
        ("metadata", {"a": "\ud800"}),
        ("persistent_keepalive", -1),
        ("persistent_keepalive", 65536),
        ("persistent_keepalive", "off"),
        ("persistent_keepalive", True),
        ("persistent_keepalive", 1e3),
        ("endpoint", "host:99999"),
        ("endpoint", "http://h"),
        ("endpoint", "[::1"),
        ("endpoint", "192.0.2.1:51820\n"),
        ("endpoint", "münchen.example:51820"),
        ("dns_servers", ["1.1.1.1"] * 50),
        ("dns_servers", ["1.1.1.1 PostUp=x"]),
        ("dns_servers", ["a\nb"]),
        ("dns_servers", "1.1.1.1"),
        ("mtu", 0),
        ("mtu", 575),
        ("mtu", 65536),
        ("mtu", "1420abc"),
        ("mtu", 1420.5),
        ("mtu", True),
        ("routes", ["10.0.0.0/8", "10.0.0.0/8"]),
        ("routes", ["10.66.0.5/24"]),
    ],
)
def test_a_bad_value_is_refused_and_its_field_is_named(field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        check_fields({field: value}, CHECKS)
    assert refusal.value.field == field


KEY = "igzGiGWdVxB8aNW9qG2cubcr9XfvEYihWgmuYkwhZXY="  # fixed: it stands in the tests' names


@pytest.mark.parametrize(
    "key",
    [
        "",
        KEY[:-2] + "=",
        KEY + "=",
        KEY[:10] + "!" + KEY[11:],
        "ab" * 32,
        KEY[:20] + "\n" + KEY[20:],
        KEY + "\n",
        " " + KEY,
        "A" * 43 + "=",
        "AQ" + "A" * 41 + "=",
        None,
        7,
    ],
)
def test_a_key_that_is_not_32_canonical_usable_bytes_is_refused(key: object) -> None:
    with pytest.raises(Invalid) as refusal:
        check_key(key)
    assert refusal.value.field == "public_key"
    if isinstance(key, str) and key:
        assert key not in refusal.value.message


def test_a_preshared_key_can_be_made_or_none() -> None:
    made = check_psk("generate")
    assert made is not None
    assert len(made.reveal()) == 44
    assert check_psk(None) is None


@pytest.mark.parametrize("key", ["", "x", "A" * 43 + "=", 7])
def test_a_bad_preshared_key_is_refused_without_being_shown(key: object) -> None:
    with pytest.raises(Invalid) as refusal:
        check_psk(key)
    assert refusal.value.field == "preshared_key"
    assert "AAAA" not in refusal.value.message
