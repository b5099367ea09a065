"""How much of what was sold is used, and what is left. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Sold(Protocol):
    """What was sold: bytes of a period together, or each way; null is no limit."""

    quota_bytes: int | None
    upload_quota_bytes: int | None
    download_quota_bytes: int | None


class Counted(Protocol):
    """What was counted (a row of `quotas.models.Usage`)."""

    billed_up: int
    billed_down: int
    base_up: int
    base_down: int
    extra_bytes: int
    throttled_since: datetime | None


@dataclass(frozen=True)
class Balance:
    """Bytes of a period: used each way, and the limits; None is none."""

    used_up: int = 0
    used_down: int = 0
    limit: int | None = None
    limit_up: int | None = None
    limit_down: int | None = None

    @property
    def used(self) -> int:
        """Both directions together."""
        return self.used_up + self.used_down

    @property
    def nearest(self) -> tuple[int, int] | None:
        """What is used of the limit that is met first, and that limit; None without one."""
        return min(self._limits(), key=lambda pair: pair[1] - pair[0], default=None)

    @property
    def left(self) -> int | None:
        """What may still be used until the nearest limit is met; None without one."""
        return None if self.nearest is None else max(self.nearest[1] - self.nearest[0], 0)

    @property
    def percent(self) -> int | None:
        """Of the limit that is nearest, rounded down; None without one."""
        return max((_percent(used, limit) for used, limit in self._limits()), default=None)

    def _limits(self) -> Iterator[tuple[int, int]]:
        pairs = (
            (self.used, self.limit),
            (self.used_up, self.limit_up),
            (self.used_down, self.limit_down),
        )
        return ((used, limit) for used, limit in pairs if limit is not None)


def balance(sold: Sold, counted: Counted | None) -> Balance:
    """How a client stands in its period; one that never moved a byte has no row yet."""
    extra = counted.extra_bytes if counted else 0
    return Balance(
        used_up=max(counted.billed_up - counted.base_up, 0) if counted else 0,
        used_down=max(counted.billed_down - counted.base_down, 0) if counted else 0,
        limit=None if sold.quota_bytes is None else sold.quota_bytes + extra,
        limit_up=sold.upload_quota_bytes,
        limit_down=sold.download_quota_bytes,
    )


def sold_bytes(sold: Sold) -> int | None:
    """How many bytes a period of it is; None where no limit of both directions was sold."""
    if sold.quota_bytes is not None:
        return sold.quota_bytes
    if sold.upload_quota_bytes is None or sold.download_quota_bytes is None:
        return None
    return sold.upload_quota_bytes + sold.download_quota_bytes


def _percent(used: int, limit: int) -> int:
    return 100 * used // limit if limit else 100
