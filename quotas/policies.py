"""What open holds mean. Pure: reasons in, words out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

MANUAL: Final = "manual"
SUSPENDED: Final = "suspended"
TENANT_SUSPENDED: Final = "tenant-suspended"
TENANT_POOL: Final = "tenant-pool"
KICK: Final = "kick"
QUOTA: Final = "quota"
EXPIRED: Final = "expired"
PLAN: Final = "plan"

#: Reason of a hold -> state of the client, the strongest first: a client that its seller switched
#: off is "disabled" whatever else stands against it.
STATE_OF_HOLD: Final[dict[str, str]] = {
    MANUAL: "disabled",
    "suspended": "suspended",
    "tenant-suspended": "suspended",
    "tenant-pool": "suspended",
    EXPIRED: "expired",
    QUOTA: "over-quota",
    PLAN: "scheduled",  # what was sold begins later
    KICK: "kicked",
}


def is_entitled(reasons: Collection[str]) -> bool:
    """Whether a client with exactly these open holds may connect."""
    return not reasons


def held_state(reasons: Collection[str]) -> str | None:
    """The state that these open holds put a client in, None when there are none."""
    return next((state for reason, state in STATE_OF_HOLD.items() if reason in reasons), None)
