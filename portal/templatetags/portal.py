"""What the templates of the portal are made of: icons, states, figures and ages."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.timezone import now as clock
from django.utils.translation import gettext

from portal import calendar, formats
from portal.cookies import theme_of

register = template.Library()
register.filter("number", formats.number)
register.filter("size", formats.size)
register.filter("duration", formats.duration)


@register.filter
def sigil(name: str) -> str:
    """The first letters of a name's first two words, or its first two letters."""
    words = name.split()
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]
    return letters.upper()


@register.filter
def codes(text: str) -> SafeString:
    """A sentence whose words between backticks are code: those read from left to right, always."""
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((_code(part) if place % 2 else part,) for place, part in enumerate(parts))
    )


def _code(words: str) -> SafeString:
    return format_html('<code dir="ltr">{}</code>', words)


@register.simple_tag
@lru_cache(maxsize=128)
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, 20 px, in the colour of the text around it."""
    return format_html(
        '<svg class="ico{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {extra}" if extra else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
@lru_cache(maxsize=32)
def glyph(state: str) -> SafeString:
    """One of the eight state glyphs: live, idle, new, wait, off, warn, bad, done."""
    return format_html(
        '<svg class="glyph st-{0}" aria-hidden="true"><use href="{1}#st-{0}"/></svg>',
        state,
        static("icons.svg"),
    )


@register.simple_tag
@lru_cache(maxsize=512)
def state(name: str, words: str) -> SafeString:
    """A state in shape, word, and colour, in this order."""
    return format_html(
        '<span class="st st-{0}"><svg aria-hidden="true"><use href="{1}#st-{0}"/></svg>{2}</span>',
        name,
        static("icons.svg"),
        words,
    )


@register.simple_tag
def ago(at: datetime | None, reading: object = "") -> SafeString:
    """A moment as its age, which portal.js keeps true. ``reading`` names what was read then:
    "page", or an interface's id; the poll tells its newest moment in a header."""
    if at is None:
        return mark_safe("")
    return format_html(
        '<time datetime="{}" data-ago="{}">{}</time>',
        at.isoformat(timespec="milliseconds"),
        reading,
        formats.ago((clock() - at).total_seconds()),
    )


@register.filter(expects_localtime=False)
def day(at: datetime | date | None) -> SafeString:
    """The day of a moment, or a date, as the reader writes it; the ISO date for programs."""
    if at is None:
        return mark_safe("")
    local = localtime(at).date() if isinstance(at, datetime) else at
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), calendar.day(at))


@register.filter(expects_localtime=False)
def moment(at: datetime | None) -> SafeString:
    """Day and time of day, as the reader writes them in his time zone."""
    if at is None:
        return mark_safe("")
    iso = at.isoformat(timespec="seconds")
    return format_html('<time datetime="{}">{}</time>', iso, calendar.moment(at))


@register.filter(expects_localtime=False)
def plain_day(at: datetime | date | None) -> str:
    """As ``day``, without the element: for attributes."""
    return "" if at is None else calendar.day(at)


@register.filter(expects_localtime=False)
def plain_moment(at: datetime | None) -> str:
    """As ``moment``, without the element: for attributes."""
    return "" if at is None else calendar.moment(at)


@register.filter
def actor(name: str) -> str:
    """Who did it, as it was written down; of a share link in the reader's language."""
    return gettext("share link") if name == "share link" else name


@register.simple_tag
def numbering() -> str:
    """The reader's digits, as browsers name them."""
    return "arabext" if formats.ways().has_persian_digits else "latn"


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """The theme the reader chose: "light", "dark", or "" for what the system says."""
    request = context.get("request")
    return theme_of(request) if request else ""
