"""A version of a row, and no other's: what a conditional write is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from rest.errors import StaleVersion

#: Stands for the identity of a row that is the only one of its kind.
ONLY: Final = "only"
_SHOWN: Final = 12


class Versioned(Protocol):
    """A row whose ``version`` rises with every change of what was configured."""

    @property
    def version(self) -> int: ...


@dataclass(frozen=True)
class Version:
    """The row whose public id begins with ``identity``, as its ``number``-th version.

    A number alone would fit another row that has taken over the name, as a shop's own id is given
    to a new client once the former one is deleted.
    """

    identity: str
    number: int

    @classmethod
    def of(cls, uuid: UUID, number: int) -> Version:
        """That version of the row with this public id."""
        return cls(uuid.hex[:_SHOWN], number)

    def __str__(self) -> str:
        return f"{self.identity}-{self.number}"


def version_of(row: Versioned) -> Version:
    """The version that a row has now."""
    uuid: UUID | None = getattr(row, "uuid", None)
    return Version(ONLY, row.version) if uuid is None else Version.of(uuid, row.version)


def check_version(row: Versioned, if_match: Version | None) -> None:
    """Raise `StaleVersion` unless ``if_match`` is None or the version of this very row.

    The caller holds the row.
    """
    if if_match is None:
        return
    current = version_of(row)
    if if_match.identity != current.identity:
        raise StaleVersion("This is another one than you read. Read it again.")
    if if_match.number != current.number:
        raise StaleVersion("It was changed since you read it. Read it again.")
