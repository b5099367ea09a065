"""Shapes of the bodies of acts on a client."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from peers.api.serializers import KEY_MODE_HELP, KEY_MODES
from peers.api.term_serializers import TermFields
from peers.services.planning import RESTS, WHENS
from peers.services.switching import MAX_KICK
from peers.sold import MAX_BYTES
from rest.fields import (
    PlainText,
    StrictChoice,
    StrictInteger,
    StrictSerializer,
    StrictUUID,
)


class WithReason(StrictSerializer):
    """Why, for the people who ask later; it is shown as the ``note`` of the hold."""

    reason = PlainText(max_length=255, allow_blank=True, required=False)
    note = PlainText(
        max_length=255, allow_blank=True, required=False, help_text="Another name of `reason`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {attrs.pop(name) for name in ("reason", "note") if name in attrs}
        if len(given) > 1:
            raise serializers.ValidationError(
                {"note": [serializers.ErrorDetail("This is not the reason.", "invalid")]}
            )
        return {**attrs, "note": given.pop()} if given else attrs


class Disable(WithReason):
    """Why a client is switched off."""


class Suspend(WithReason):
    """Why a client is suspended."""


class Kick(WithReason):
    """For how long."""

    seconds = StrictInteger(min_value=1, max_value=MAX_KICK, required=False)


class RotateKeys(StrictSerializer):
    """What is left out is made: the pair always, the preshared key where there was one."""

    public_key = PlainText(
        max_length=64, allow_null=True, required=False, help_text="The customer's own; null makes."
    )
    key_mode = StrictChoice(choices=KEY_MODES, required=False, help_text=KEY_MODE_HELP)
    preshared_key = PlainText(
        max_length=64,
        allow_null=True,
        required=False,
        help_text='44 characters of base64, null for none, or "generate".',
    )


class ChangePlan(TermFields):
    """Another plan, null for none: now, when the period ends, or at the end of what was sold.

    It brings its limits. Now and at the next period the end stays, unless it is named here; at the
    end the plan is sold anew, with its own beginning and end. ``rest`` says what becomes of the
    period: it goes on (``keep``, now alone), or a new one begins, without the bytes that are left
    (``drop``) or with them (``carry``). Terms of one's own are for a change now. Later, null takes
    back what was decided.
    """

    plan = StrictUUID(allow_null=True)
    when = StrictChoice(choices=WHENS, required=False)
    rest = StrictChoice(choices=RESTS, required=False, help_text="Now: keep; else: drop.")


class _More(StrictSerializer):
    days = StrictInteger(min_value=1, max_value=3660, required=False)
    bytes = StrictInteger(min_value=1, max_value=MAX_BYTES, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Say how many days or bytes.", code="required")
        return attrs


class Extend(_More):
    """Days, bytes, or both. The bytes are there in every period from now on."""


class TopUp(_More):
    """Days, bytes, or both. The bytes are for the period that runs, and gone with it."""


class Move(StrictSerializer):
    """Where to: an interface by its id, or by a name that only one gateway has."""

    interface = PlainText(max_length=36)


class Transfer(StrictSerializer):
    """To whom: a tenant by its id or slug; and one of that tenant's plans, null for none."""

    tenant = PlainText(max_length=48)
    plan = StrictUUID(allow_null=True, required=False)
