"""What a picture of the tour shows, and how one gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

#: Who owns Kestrel Net.
OWNER = "mina.karimi"
OPERATOR = "oscar"
NOBODY = ""

#: What is done on a page before its picture is taken.
Steps = Callable[[Page], None]


@dataclass(frozen=True)
class Shot:
    """A picture. ``routes``: the names of the addresses that it shows; ``path`` may name places of
    the world, as {sara}; ``over``: the page that a dialog is opened from; ``until``: what must be
    there; ``cut``: only what fits on the screen.
    """

    name: str
    says: str
    routes: tuple[str, ...]
    path: str
    who: str = OWNER
    over: str = ""
    steps: Steps | None = None
    until: str = ""
    cut: bool = False
    #: Only on a phone: what a wide screen does not have.
    phone: bool = False
    #: Console messages that belong to it: "401".
    expects: str = ""


def page(name: str, says: str, route: str, path: str, **more: object) -> Shot:
    """A page of one address."""
    return Shot(name, says, (route,), path, **more)  # type: ignore[arg-type]


def dialog(name: str, says: str, route: str, path: str, over: str, **more: object) -> Shot:
    """A dialog over the page that it is opened from."""
    return Shot(name, says, (route,), path, over=over, cut=True, **more)  # type: ignore[arg-type]
