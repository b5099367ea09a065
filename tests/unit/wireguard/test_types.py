"""Values keep secrets to themselves and name preshared keys by digest."""

import copy
import pickle

import pytest

from wireguard import keys
from wireguard.types import (
    UNKNOWN_ENDPOINT,
    Applied,
    DeviceConfig,
    Dump,
    InterfaceConfig,
    InterfaceStatus,
    PeerConfig,
    PeerStatus,
    Secret,
    psk_digest,
)

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="


def test_no_container_shows_a_secret() -> None:
    secret = keys.generate_preshared_key()
    peer = PeerConfig(KEY, preshared_key=secret)
    status = PeerStatus(KEY, secret, None, (), 0, 0, 0, None)
    shown = [
        secret,
        peer,
        status,
        DeviceConfig(InterfaceConfig(private_key=secret), (peer,)),
        Dump(InterfaceStatus(secret, KEY, 1, None), {KEY: status}),
        {"psk": [secret]},
    ]
    for value in shown:
        for text in (repr(value), str(value), f"{value}", f"{value!r:>9}", "%s" % (value,)):  # noqa: UP031
            assert secret.reveal() not in text


def test_secrets_are_equal_by_content_and_neither_hash_nor_pickle() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert copy.deepcopy([Secret("a")]) == [Secret("a")]
    with pytest.raises(TypeError):
        hash(Secret("a"))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))


def test_a_digest_names_the_bytes_of_a_preshared_key() -> None:
    zero = Secret("A" * 43 + "=")
    # printf %064d 0 | xxd -r -p | sha256sum
    assert psk_digest(zero) == "66687aadf862bd776c8fc18b8e9f8e20"
    assert psk_digest(None) == ""


def test_a_sent_peer_and_its_dump_differ_only_in_what_endpoint_is_known() -> None:
    psk = keys.generate_preshared_key()
    networks = ("10.0.0.2/32", "fd00::2/128")
    sent = PeerConfig(KEY, networks, psk, 25, "192.0.2.1:9").as_applied()
    seen = PeerStatus(KEY, psk, "192.0.2.7:1", networks, 1, 2, 3, 25).as_applied()
    assert sent == Applied(networks, psk_digest(psk), 25, "192.0.2.1:9")
    assert seen == sent._replace(endpoint=UNKNOWN_ENDPOINT)
    assert PeerConfig(KEY).as_applied() == Applied((), "", None, "")
