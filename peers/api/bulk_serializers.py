"""Shapes of bulk requests. One entry's wrong shape is that entry's failure, not the request's."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gateways.api.serializers import JobRef, Progress
from peers.api.bodies import Disable, Extend, Move, TopUp
from peers.api.serializers import ClientFields, Nothing
from peers.models import BulkRun
from peers.services.bulk.choice import MOST
from rest.fields import PlainText, StrictBoolean, StrictChoice, StrictInteger, StrictSerializer


class Many(serializers.ListField):
    """1 to 1,000 entries."""

    default_error_messages = {"too_many": f"At most {MOST} items in one request."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": MOST, "allow_empty": False, "required": False, **options})

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > MOST:
            self.fail("too_many")
        return super().to_internal_value(data)


class BulkRequest(StrictSerializer):
    """What to do, to whom, and how.

    New clients are ``items``. Clients that exist are named by ``items`` (each with arguments of
    its own), ``ids``, ``external_ids`` or ``filter``. ``arguments`` hold for every one of them.
    """

    action = StrictChoice(choices=BulkRun.Action.choices)
    items = Many(child=serializers.DictField())
    ids = Many(child=serializers.UUIDField())
    external_ids = Many(child=PlainText(max_length=120))
    filter = serializers.DictField(child=PlainText(max_length=255), required=False)
    arguments = serializers.DictField(required=False)
    all_or_nothing = StrictBoolean(required=False)
    dry_run = StrictBoolean(required=False)


class BulkTarget(StrictSerializer):
    """One client of ``items``. ``version``, the one that was read, goes with ``id``: an external id
    may be another client's by now.
    """

    id = serializers.UUIDField(required=False)
    external_id = PlainText(max_length=120, required=False)
    version = StrictInteger(min_value=1, required=False)
    arguments = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("id" in attrs) == ("external_id" in attrs):
            raise serializers.ValidationError("Name either id or external_id.", code="required")
        if "version" in attrs and "id" not in attrs:
            raise serializers.ValidationError({"id": "A version is of an id."}, code="required")
        return attrs


class BulkChange(ClientFields):
    """Arguments of an update: fields of a client, and changes relative to what they are now."""

    name = PlainText(max_length=120, required=False)
    add_tags = serializers.ListField(child=PlainText(max_length=64), max_length=50, required=False)
    remove_tags = serializers.ListField(
        child=PlainText(max_length=64), max_length=50, required=False
    )
    merge_metadata = serializers.DictField(
        required=False, help_text="Keys to set; null takes one away."
    )


#: What the arguments of each action on an existing client may be.
ARGUMENTS: dict[str, type[StrictSerializer]] = {
    BulkRun.Action.UPDATE: BulkChange,
    BulkRun.Action.ENABLE: Nothing,
    BulkRun.Action.DISABLE: Disable,
    BulkRun.Action.DELETE: Nothing,
    BulkRun.Action.EXTEND: Extend,
    BulkRun.Action.TOP_UP: TopUp,
    BulkRun.Action.RESET: Nothing,
    BulkRun.Action.MOVE: Move,
}


class BulkFailure(serializers.Serializer[Any]):
    """What stood against one item."""

    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkDevice(serializers.Serializer[Any]):
    """A device of a client that a bulk request touched."""

    id = serializers.UUIDField()
    interface = serializers.CharField()
    public_key = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())


class BulkResult(serializers.Serializer[Any]):
    """What became of one item; ``client`` is null where there is none (any more)."""

    index = serializers.IntegerField()
    ref = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["done", "failed", "skipped"])
    client = serializers.UUIDField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    devices = BulkDevice(many=True)
    error = BulkFailure(allow_null=True)


class BulkSerializer(serializers.Serializer[Any]):
    """A bulk request and how far it has come; ``id`` is null for a small dry run."""

    id = serializers.UUIDField(allow_null=True)
    action = serializers.ChoiceField(choices=BulkRun.Action.choices)
    status = serializers.ChoiceField(choices=BulkRun.Status.choices)
    all_or_nothing = serializers.BooleanField()
    dry_run = serializers.BooleanField()
    progress = Progress()
    jobs = JobRef(many=True)
    href = serializers.CharField(allow_null=True)
    items_href = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class BulkWithResults(BulkSerializer):
    """A bulk request that was done at once."""

    results = BulkResult(many=True)
