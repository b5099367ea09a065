"""Keys are 32 canonical bytes, and X25519 is RFC 7748's."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from wireguard import keys
from wireguard.errors import InvalidKey
from wireguard.types import Secret

GOOD = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
ZERO = b64encode(bytes(32)).decode()


def encoded(hexadecimal: str) -> str:
    return b64encode(bytes.fromhex(hexadecimal)).decode()


@pytest.mark.parametrize(
    ("private", "public"),
    [
        (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        ),
        (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ),
    ],
)
def test_public_keys_are_those_of_rfc_7748_section_6_1(private: str, public: str) -> None:
    assert keys.public_key_of(Secret(encoded(private))) == encoded(public)


def test_generated_keys_differ_and_pass_their_own_checks() -> None:
    private = {keys.generate_private_key().reveal() for _ in range(20)}
    preshared = {keys.generate_preshared_key().reveal() for _ in range(20)}
    assert len(private) == len(preshared) == 20
    for text in private:
        keys.check_public_key(keys.public_key_of(keys.check_private_key(text)))
    for text in preshared:
        assert keys.check_preshared_key(text).reveal() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        None,
        7,
        GOOD.encode(),
        GOOD + "\n",
        " " + GOOD,
        GOOD[:-1],
        GOOD[:20] + "\n" + GOOD[20:],
        GOOD[:-2] + "h=",  # the same 32 bytes for a lenient decoder
        GOOD[:-2] + "==",
        GOOD.replace("B", "-", 1),
        GOOD.replace("B", "А", 1),  # noqa: RUF001  # Cyrillic
        ZERO,
    ],
)
def test_other_spellings_are_not_keys(text: object) -> None:
    for check in (keys.check_public_key, keys.check_private_key, keys.check_preshared_key):
        with pytest.raises(InvalidKey) as caught:
            check(text)
        assert not isinstance(text, str) or len(text) < 9 or text not in str(caught.value)


def test_a_lenient_decoder_would_have_taken_the_second_spelling() -> None:
    assert b64decode(GOOD[:-2] + "h=") == b64decode(GOOD) != b64decode(GOOD[:-2] + "k=")


@pytest.mark.parametrize(
    "point",
    [
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
    ],
)
@pytest.mark.parametrize("top_bit", [0, 2**255])
def test_points_without_a_secret_are_not_public_keys(point: int, top_bit: int) -> None:
    raw = (point | top_bit).to_bytes(32, "little")
    with pytest.raises(ValueError, match="computing shared key"):  # as the library sees it
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    with pytest.raises(InvalidKey):
        keys.check_public_key(b64encode(raw).decode())


def test_a_refused_secret_is_not_shown() -> None:
    with pytest.raises(InvalidKey) as caught:
        keys.public_key_of(Secret(GOOD[:-2] + "h="))
    assert GOOD[:20] not in str(caught.value)
