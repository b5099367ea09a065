"""Texts that callers carry about and cannot read: encrypted, and the same for the same value.

Row numbers count everybody's rows, so that one who sees them can count his neighbours'. AES-SIV
(RFC 5297) needs no nonce: a page's links stay the same, and may be kept.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

#: Texts are filled up to a multiple of this, so that their length does not tell a number's.
_BLOCK: Final = 32


def seal(value: Any, *, purpose: str) -> str:
    """A value of JSON as a text for one ``purpose``."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    plain = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)
    sealed = _cipher(settings.SECRET_KEY, purpose).encrypt(plain, None)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(text: str, *, purpose: str) -> Any:
    """The value that was sealed for ``purpose``. Raises ValueError for any other text."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return json.loads(_cipher(secret, purpose).decrypt(raw, None))
        except InvalidTag:
            continue
    raise ValueError("this was not sealed here")


@cache
def _cipher(secret: str, purpose: str) -> AESSIV:
    return AESSIV(HKDF(SHA256(), 64, None, purpose.encode()).derive(secret.encode()))
