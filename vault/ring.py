"""A ring of AES-256-GCM keys, and the text form of a sealed value.

A sealed value reads ``v1.<key id>.<base64url of nonce + ciphertext + tag>``. The associated data
names table, row and field, so that a ciphertext moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class RingError(Exception):
    """A key ring is unusable, or a sealed value does not open. Never holds a secret."""


class Ring:
    """Seals with its first key and opens with any of them."""

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        self._keys = dict(keys)
        if not self._keys:
            raise RingError("the key ring is empty: set VWG_ENCRYPTION_KEYS")
        for key_id, key in self._keys.items():
            if not _KEY_ID.fullmatch(key_id) or len(key) != 32:
                raise RingError("a key of the ring is not `id:base64 of 32 bytes`")
        self.primary = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"Ring({', '.join(self._keys)})"

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Ring:
        """Build a ring from ``id:base64`` texts. Raises RingError."""
        keys = []
        for text in texts:
            key_id, _, encoded = text.strip().partition(":")
            try:
                keys.append((key_id, base64.b64decode(encoded, validate=True)))
            except binascii.Error:
                raise RingError("a key of the ring is not `id:base64 of 32 bytes`") from None
        return cls(keys)

    def derive(self, purpose: str) -> Ring:
        """A ring of the same key ids whose keys are HKDF-SHA256 children for ``purpose``."""
        return Ring(
            (key_id, HKDF(SHA256(), 32, None, purpose.encode()).derive(key))
            for key_id, key in self._keys.items()
        )

    def seal(self, plaintext: str, *, place: str) -> str:
        """Encrypt for one ``place`` (``table|row|field``)."""
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._keys[self.primary]).encrypt(nonce, plaintext.encode(), place.encode())
        return f"v1.{self.primary}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, value: str, *, place: str) -> str:
        """Decrypt a value sealed for ``place``. Raises RingError."""
        version, _, rest = value.partition(".")
        key_id, _, encoded = rest.partition(".")
        if version != "v1" or key_id not in self._keys:
            raise RingError(f"sealed with a key that is not in the ring: {key_id[:16]!r}")
        try:
            raw = base64.urlsafe_b64decode(encoded)
            opened = AESGCM(self._keys[key_id]).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise RingError(f"a sealed value of {place} does not open") from None
        return opened.decode()

    def is_current(self, value: str) -> bool:
        """Whether the value was sealed with the primary key."""
        return value.startswith(f"v1.{self.primary}.")


def new_key(key_id: str) -> str:
    """A fresh ``id:base64`` text for VWG_ENCRYPTION_KEYS."""
    return f"{key_id}:{base64.b64encode(os.urandom(32)).decode()}"
