"""The tour as a document: `python -m tests.browser.tour.text > docs/tour.md`."""

from __future__ import annotations

from typing import Final

from tests.browser.tour.parts import PARTS
from tests.browser.tour.shots import Shot

HEAD: Final = """\
# A tour of the portal

Every page, as people see it: Kestrel Net sells VPN clients on two gateways, `fra1` and `ams2`; Mina
Karimi owns it, Oscar runs the gateways. Names, keys and traffic are made up. Each sheet shows one
page in English by day and in Persian (right to left, Jalali dates, Persian digits), beside them at
night and on a phone 390 px wide.

- **Resellers** begin at [Home](#home): clients, plans, usage, people, tokens, the brand.
- **Customers** see [one page](#the-customers-page): the link that their reseller sent.
- **Operators** begin at [Running gateways](#running-gateways): gateways, resellers, jobs, the host.
- **Everybody** passes [the door](#the-door) and has [an account](#ones-own-account).

Everything works without JavaScript; dialogs are pages then. `make screenshots` takes the pictures
anew and leaves alone those that show the same; a test holds that every page is here.
"""


def write_tour() -> str:
    """The document."""
    parts = [HEAD]
    for part in PARTS:
        parts.append(f"## {part.title}\n\n{part.says}\n")
        parts += [_shown(shot) for shot in part.shots]
    return "\n".join(parts)


def _shown(shot: Shot) -> str:
    return f"**{shot.says}**\n\n![{shot.says}](tour/{shot.name}.webp)\n"


if __name__ == "__main__":
    print(write_tour(), end="")
