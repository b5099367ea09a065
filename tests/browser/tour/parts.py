"""The parts of the tour, in the order of its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.browser.tour import customers, door, operators, resellers
from tests.browser.tour.shots import Shot


@dataclass(frozen=True)
class Part:
    """A heading, what to know, and its pictures."""

    title: str
    says: str
    shots: tuple[Shot, ...]


PARTS: Final = (
    Part("Home", "A reseller's day begins here.", resellers.HOME),
    Part("Clients", "One table for all of them; its address is the view.", resellers.LIST),
    Part("New clients", "One by one or by the hundred.", resellers.CREATE),
    Part("One client", "Every act says what happens, and to whom, before it is done.",
         resellers.CLIENT),
    Part("Jobs", "Nothing is shown as done that was not read back.", resellers.JOBS),
    Part("Selling", "Plans and what was used.", resellers.SELLING),
    Part("Management", "People, tokens, the brand, the history.", resellers.MANAGING),
    Part("The customer's page", "What the link opens that a reseller sends.", customers.SHARE),
    Part("Running gateways", "An operator's day.", operators.RUNNING),
    Part("Gateways and pools", "Changes tell what they do to live clients.", operators.GATEWAYS),
    Part("Resellers", "Who sells here.", operators.RESELLERS),
    Part("System", "Settings, trail, host.", operators.SYSTEM),
    Part("The door", "Passwords, passkeys, codes.", door.DOOR),
    Part("One's own account", "How the pages read, and what guards them.", door.ACCOUNT),
    Part("When there is no page", "Refusals, errors, help.", door.MISFITS),
)  # fmt: skip
SHOTS: Final = tuple(shot for part in PARTS for shot in part.shots)
