"""Kinds of jobs in words."""

from __future__ import annotations

from django.utils.translation import gettext

from gateways.models import Job


def kind_words(kind: str) -> str:
    """A kind of job as a filter names it."""
    words = {
        Job.Kind.CREATE: gettext("Add devices"),
        Job.Kind.UPDATE: gettext("Change devices"),
        Job.Kind.DELETE: gettext("Remove devices"),
        Job.Kind.ENABLE: gettext("Switch on"),
        Job.Kind.DISABLE: gettext("Switch off"),
        Job.Kind.APPLY: gettext("Apply"),
        Job.Kind.HEAL: gettext("Heal drift"),
        Job.Kind.LINK: gettext("Bring up the interface"),
        Job.Kind.SUSPEND: gettext("Suspend"),
        Job.Kind.RESUME: gettext("Resume"),
        Job.Kind.KICK: gettext("Kick"),
        Job.Kind.ROTATE: gettext("New keys"),
        Job.Kind.MOVE: gettext("Move"),
        Job.Kind.TRANSFER: gettext("Hand over"),
        Job.Kind.RESTORE: gettext("Bring back"),
        Job.Kind.BULK: gettext("Many at once"),
    }
    return words.get(Job.Kind(kind), kind)
