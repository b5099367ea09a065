"""Shapes of what was sold, and of why a client is off."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from peers.models import Client
from peers.reasons import REASONS
from peers.sold import MAX_BYTES, MAX_DAYS, MAX_GRACE, MAX_KBIT
from quotas.models import Plan
from rest.fields import StrictChoice, StrictInteger, StrictMoment, StrictSerializer


class OffSerializer(serializers.Serializer[Any]):
    """Why a client is off: the strongest of its holds, and what brings it back."""

    reason = serializers.ChoiceField(choices=REASONS)
    message = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(
        allow_null=True, help_text="When it comes back by itself; null: not by itself."
    )
    remedy = serializers.CharField(help_text="What brings it back.")


class NextPlan(serializers.Serializer[Any]):
    """The plan that follows, when, and whether the bytes that are left go over into it."""

    plan = serializers.UUIDField()
    when = serializers.ChoiceField(choices=Client.NextPlan.choices)
    carries = serializers.BooleanField()


class TermsShown(serializers.Serializer[Any]):
    """What was sold."""

    quota_bytes = serializers.IntegerField(allow_null=True, help_text="What was sold; null: all.")
    upload_quota_bytes = serializers.IntegerField(allow_null=True)
    download_quota_bytes = serializers.IntegerField(allow_null=True)
    reset = serializers.ChoiceField(
        choices=Plan.Reset.choices, help_text="When a new period begins, by the tenant's time zone."
    )
    starts_at = serializers.DateTimeField(
        allow_null=True, help_text="When it begins, or began; null: with the next handshake."
    )
    start_before = serializers.DateTimeField(
        allow_null=True, help_text="The first handshake must come before."
    )
    expires_at = serializers.DateTimeField(allow_null=True)
    duration_days = serializers.IntegerField(
        allow_null=True, help_text="Days of 24 hours that count from the first handshake."
    )
    upload_kbit = serializers.IntegerField(allow_null=True)
    download_kbit = serializers.IntegerField(allow_null=True)
    at_limit = serializers.ChoiceField(choices=Plan.AtLimit.choices)
    throttle_kbit = serializers.IntegerField(allow_null=True)
    grace_seconds = serializers.IntegerField(help_text="It connects for so long after its end.")
    delete_after_days = serializers.IntegerField(
        allow_null=True, help_text="Days after the end when it is deleted; null keeps it."
    )
    next_plan = NextPlan(allow_null=True)


def _number(most: int, least: int = 1, **options: Any) -> StrictInteger:
    return StrictInteger(
        min_value=least, max_value=most, allow_null=True, required=False, **options
    )


class TermFields(StrictSerializer):
    """What may be sold. A null limit is no limit.

    ``quota_bytes`` limits both directions together, the other two each apart. What was sold begins
    at ``starts_at``: at once unless another day is named, or ``duration_days`` count from the first
    handshake, which ``start_before`` is the latest moment for.
    """

    quota_bytes = _number(MAX_BYTES)
    upload_quota_bytes = _number(MAX_BYTES)
    download_quota_bytes = _number(MAX_BYTES)
    reset = StrictChoice(choices=Plan.Reset.choices, required=False)
    starts_at = StrictMoment(allow_null=True, required=False)
    start_before = StrictMoment(allow_null=True, required=False)
    expires_at = StrictMoment(allow_null=True, required=False)
    duration_days = _number(MAX_DAYS)
    upload_kbit = _number(MAX_KBIT)
    download_kbit = _number(MAX_KBIT)
    at_limit = StrictChoice(choices=Plan.AtLimit.choices, required=False)
    throttle_kbit = _number(MAX_KBIT, help_text="Both ways, with at_limit = throttle.")
    grace_seconds = StrictInteger(min_value=0, max_value=MAX_GRACE, required=False)
    delete_after_days = _number(MAX_DAYS, 0)
