"""Keys: 32 bytes of X25519 (RFC 7748) or of a preshared secret, in their one base64 spelling."""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wireguard.errors import InvalidKey
from wireguard.types import Secret

# 43 digits carry 258 bits for 256 bits of key: in the one canonical spelling the last two are 0.
_CANONICAL: Final = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", re.ASCII)
_ZERO: Final = b64encode(bytes(32)).decode()
_P: Final = 2**255 - 19

# Points whose shared secret is all zeros with every private key, as curve25519 reads them: modulo
# p and without the top bit (https://cr.yp.to/ecdh.html#validate). The two big ones have order 8.
_ORDER_8: Final = (
    0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
    0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
)
_LOW_ORDER: Final = frozenset(
    b64encode((point | top_bit).to_bytes(32, "little")).decode()
    for point in (0, 1, *_ORDER_8, _P - 1, _P, _P + 1)
    for top_bit in (0, 2**255)
)


def generate_private_key() -> Secret:
    """A fresh X25519 private key from the system's random source."""
    return Secret(b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode())


def public_key_of(private_key: Secret) -> str:
    """The public key that belongs to a private one. Raises `InvalidKey`."""
    raw = b64decode(check_private_key(private_key).reveal())
    public = X25519PrivateKey.from_private_bytes(raw).public_key()
    return b64encode(public.public_bytes_raw()).decode()


def generate_preshared_key() -> Secret:
    """32 random bytes."""
    return Secret(b64encode(secrets.token_bytes(32)).decode())


def check_public_key(text: object) -> str:
    """Return ``text`` if it is a usable public key, else raise `InvalidKey` without showing it.

    Refused are other spellings of the same bytes (white space, stray bits) and the points that
    give every peer the same shared secret, all-zero among them.
    """
    key = _canonical(text, "public key")
    if key in _LOW_ORDER:
        raise InvalidKey("the public key is not usable (a point of low order)")
    return key


def check_preshared_key(key: object) -> Secret:
    """Return the key, wrapped, if it is 32 canonical bytes and not all zero, else `InvalidKey`."""
    return _checked_secret(key, "preshared key")


def check_private_key(key: object) -> Secret:
    """Return the key, wrapped, if it is 32 canonical bytes and not all zero, else `InvalidKey`."""
    return _checked_secret(key, "private key")


def _checked_secret(key: object, what: str) -> Secret:
    text = _canonical(key.reveal() if isinstance(key, Secret) else key, what)
    if text == _ZERO:
        raise InvalidKey(f"the {what} is all zeros")
    return key if isinstance(key, Secret) else Secret(text)


def _canonical(text: object, what: str) -> str:
    if not isinstance(text, str) or not _CANONICAL.fullmatch(text):
        raise InvalidKey(f"the {what} is not 32 bytes in base64 (44 characters, ending in '=')")
    return text
