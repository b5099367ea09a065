"""The columns of the table of clients: which there are, which are shown, by which one can sort."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Column:
    """A column. ``gives_way``: the class that hides it where there is little room; ``sort``: the
    name of its order, if it has one; ``falls``: the first click sorts the largest to the top.
    """

    name: str
    words: Promise | str
    gives_way: str = ""
    sort: str = ""
    falls: bool = False
    is_number: bool = False


COLUMNS: Final = (
    Column("state", _("State"), "c1", "state"),
    Column("plan", _("Plan"), "c1", "plan"),
    Column("used", _("Used this period"), "", "used", falls=True),
    Column("share", _("Share"), "c2", "share", falls=True, is_number=True),
    Column("ends", _("Ends"), "c1", "ends"),
    Column("today", _("Today"), "c2", is_number=True),
    Column("address", _("Address"), "c3"),
    Column("interface", _("Interface"), "c3"),
    Column("seen", _("Seen"), "c2", "seen", falls=True),
    Column("tags", _("Tags"), "c3"),
    Column("external", _("External id"), "c3"),
    Column("made", _("Made"), "c3", "made", falls=True),
)
#: What is shown when the address of the page says nothing.
USUAL: Final = ("state", "plan", "used", "ends", "today", "address", "seen")
_NAMES: Final = frozenset(column.name for column in COLUMNS)


def chosen(texts: Iterable[str]) -> tuple[str, ...]:
    """The columns that are named, in the order of the table; the usual ones if none is."""
    named = {name for text in texts for name in text.split(",")} & _NAMES
    return tuple(one.name for one in COLUMNS if one.name in named) or USUAL
