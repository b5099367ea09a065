"""What is sold, in the words of a list: volume and speed."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from portal import formats
from quotas.models import Plan

register = template.Library()


@register.filter
def speed(kbit: int) -> str:
    """A rate: 512 kbit/s, 2 Mbit/s, 1.5 Gbit/s."""
    units = (_("kbit/s"), _("Mbit/s"), _("Gbit/s"))
    value, step = float(kbit), 0
    while value >= 1000 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if value == int(value) or value >= 100 else 1
    return f"{formats.number(value, digits)} {units[step]}"


@register.simple_tag
def plan_speed(plan: Plan) -> str:
    """Download and upload, what of them has a limit, or that there is none."""
    down, up = plan.download_kbit, plan.upload_kbit
    if down is None and up is None:
        return _("no limit")
    if down == up and down is not None:
        return speed(down)
    parts = ((down, _("%(size)s down")), (up, _("%(size)s up")))
    return _(", ").join(text % {"size": speed(one)} for one, text in parts if one is not None)


@register.simple_tag
def plan_volume(plan: Plan) -> str:
    """How much, and when it begins anew."""
    words = {
        Plan.Reset.DAY: _("%(size)s a day"),
        Plan.Reset.WEEK: _("%(size)s a week"),
        Plan.Reset.MONTH: _("%(size)s a month"),
        Plan.Reset.MONTH_FROM_START: _("%(size)s a month"),
        Plan.Reset.YEAR: _("%(size)s a year"),
    }
    sizes = [
        text % {"size": formats.size(count)}
        for count, text in (
            (plan.total_bytes, "%(size)s"),
            (plan.download_bytes, _("%(size)s down")),
            (plan.upload_bytes, _("%(size)s up")),
        )
        if count is not None
    ]
    if not sizes:
        return _("no limit")
    return words.get(Plan.Reset(plan.reset), "%(size)s") % {"size": _(", ").join(sizes)}
