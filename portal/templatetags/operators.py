"""What the operators' pages are made of, beside `portal`: speeds, usage bars, times of machines."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from portal import formats
from rest.versions import version_of

register = template.Library()
_UNITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")


@register.filter
def rate(bits: int) -> str:
    """A speed in decimal units, three significant figures: 640 Mbit/s, 4.10 Gbit/s."""
    value, step = float(bits), 0
    while value >= 999.5 and step < len(_UNITS) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if step == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{formats.number(value, digits)} {_UNITS[step]}"


@register.filter
def millis(ms: float) -> str:
    """A time of machines: 4 ms, 1.4 s."""
    return formats.duration(ms / 1000)


@register.filter
def every(seconds: float) -> str:
    """An interval: every 5 s, every 5 min, every 1 h."""
    if seconds < 120:
        return gettext("every %s s") % formats.number(seconds)
    if seconds < 7200:
        return gettext("every %s min") % formats.number(round(seconds / 60))
    return gettext("every %s h") % formats.number(round(seconds / 3600))


@register.filter
def pretty(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)


@register.simple_tag
def bar(percent: int | None, notch: int | None = None) -> SafeString:
    """A usage bar: amber from 90 %, red when full. ``notch``: the share of the period gone by."""
    if percent is None:
        return mark_safe("")
    filled = max(0, min(100, percent))
    dress = " bad" if filled >= 100 else " warn" if filled >= 90 else ""
    mark = (
        mark_safe("")
        if notch is None
        else format_html('<rect class="p" x="{}" width="1.2" height="10"/>', notch)
    )
    return format_html(
        '<svg class="bar{}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="t" y="3" width="100" height="5"/>'
        '<rect class="f" y="3" width="{}" height="5"/>{}</svg>',
        dress, filled, mark,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The address's query with these changes, at the list's beginning. None takes one out."""
    kept = context["request"].GET.copy()
    kept.pop("cursor", None)
    for name, value in changes.items():
        kept.pop(name, None)
        if value not in (None, ""):
            kept[name] = value
    return f"?{kept.urlencode()}"


@register.filter
def is_ticked(field: Any) -> bool:
    """Whether a form's field is a box to tick."""
    return getattr(field.field.widget, "input_type", "") == "checkbox"


@register.simple_tag
def version(row: Any) -> str:
    """What a form says it was made from."""
    return str(version_of(row))


@register.filter
def kbit(value: int) -> str:
    """A speed that is stored in kilobits a second."""
    return rate(value * 1000)


@register.filter
def on_off(value: bool) -> str:
    """A switch in words."""
    return gettext("on") if value else gettext("off")
