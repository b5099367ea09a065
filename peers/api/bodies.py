"""Shapes of the bodies of acts on a client."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from peers.api.serializers import KEY_MODE_HELP, KEY_MODES
from peers.services.switching import MAX_KICK
from peers.values import MAX_BYTES, MAX_DAYS
from rest.fields import (
    PlainText,
    StrictChoice,
    StrictInteger,
    StrictMoment,
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


class ChangePlan(StrictSerializer):
    """Another plan, null for none. It brings its quota; the end stays, unless it is named here."""

    plan = StrictUUID(allow_null=True)
    quota_bytes = StrictInteger(min_value=1, max_value=MAX_BYTES, allow_null=True, required=False)
    expires_at = StrictMoment(allow_null=True, required=False)
    duration_days = StrictInteger(min_value=1, max_value=MAX_DAYS, allow_null=True, required=False)


class Move(StrictSerializer):
    """Where to: an interface by its id, or by a name that only one gateway has."""

    interface = PlainText(max_length=36)


class Transfer(StrictSerializer):
    """To whom: a tenant by its id or slug; and one of that tenant's plans, null for none."""

    tenant = PlainText(max_length=48)
    plan = StrictUUID(allow_null=True, required=False)
