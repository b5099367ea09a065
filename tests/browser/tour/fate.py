"""The same day again: a clock that stands, and chance that repeats itself."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from unittest import mock

import time_machine
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests import make
from wireguard import keys

#: A Monday; by the Persian calendar the second of Azar 1405.
NOW: Final = datetime(2026, 11, 23, 10, 41, 7, tzinfo=UTC)


class Chance:
    """What the system's random source says, told by a seed."""

    def __init__(self) -> None:
        self._source = random.Random(0)
        self._lock = threading.Lock()

    def begin(self, seed: str) -> None:
        """From here on it says what it said before after this seed."""
        with self._lock:
            self._source = random.Random(seed)

    def urandom(self, count: int) -> bytes:
        """Stands for `os.urandom`."""
        with self._lock:
            return self._source.randbytes(count)

    def key(self) -> X25519PrivateKey:
        """Stands for `X25519PrivateKey.generate`."""
        return X25519PrivateKey.from_private_bytes(self.urandom(32))


class _Keys:
    """`X25519PrivateKey` with such a `generate`."""

    from_private_bytes = staticmethod(X25519PrivateKey.from_private_bytes)

    def __init__(self, chance: Chance) -> None:
        self.generate = chance.key


@contextmanager
def repeated() -> Iterator[Chance]:
    """For the time of the block the clock stands at `NOW`, and ids, keys and tokens repeat."""
    chance = Chance()
    with (
        time_machine.travel(NOW, tick=False),
        mock.patch.object(os, "urandom", chance.urandom),
        mock.patch.object(random, "_urandom", chance.urandom),
        mock.patch.object(keys, "X25519PrivateKey", _Keys(chance)),
        mock.patch.object(make, "X25519PrivateKey", _Keys(chance)),
    ):
        yield chance
