"""/api/v1/events: who did what, when, from where. Newest first, or as a feed that is followed.

The feed is read oldest first: each answer's ``after`` is the next request's. No event is ever
skipped: what is served is what no transaction that still runs can come before (`audit.queries`).
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from audit.models import AuditEvent
from audit.queries import events, horizon
from rest.filters import PAGING, AllowListedFilters, Choice, Flag, Moment, Text
from rest.pagination import Cursor, KeysetPagination
from rest.views import ApiView
from tenants.scoping import TENANT_HEADER, Caller, caller_of

_FEED: Final = "id"


class EventActor(serializers.Serializer[Any]):
    """Who acted. The address of an operator is told to operators alone."""

    kind = serializers.ChoiceField(choices=AuditEvent.Actor.choices)
    id = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    by_operator = serializers.BooleanField()


class EventTarget(serializers.Serializer[Any]):
    """What was acted on."""

    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class EventSerializer(serializers.Serializer[Any]):
    """One act. ``before`` and ``after`` hold what it changed, never a secret."""

    id = serializers.UUIDField(source="uuid")
    at = serializers.DateTimeField(source="created_at")
    tenant = serializers.SerializerMethodField()
    action = serializers.CharField()
    actor = serializers.SerializerMethodField()
    target = serializers.SerializerMethodField()
    before = serializers.DictField()
    after = serializers.DictField()
    result = serializers.CharField(
        help_text="`ok`: what is refused changes nothing, no event tells."
    )

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_tenant(self, event: AuditEvent) -> str | None:
        return str(event.tenant.uuid) if event.tenant is not None else None

    @extend_schema_field(EventActor)
    def get_actor(self, event: AuditEvent) -> dict[str, Any]:
        hidden = event.by_operator and not self.context["operator"]
        return {
            "kind": event.actor_kind,
            "id": event.actor_id,
            "name": event.actor_name,
            "address": None if hidden else event.address,
            "by_operator": event.by_operator,
        }

    @extend_schema_field(EventTarget)
    def get_target(self, event: AuditEvent) -> dict[str, str]:
        return {"type": event.target_type, "id": event.target_id, "name": event.target_name}


class FeedPagination(KeysetPagination):
    """`KeysetPagination`, and ``?after=``: a feed that goes on when it has been read to its end."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self._after: str | None = None
        text = request.query_params.get("after")
        if text is None and request.query_params.get("ordering") != _FEED:
            return super().paginate_queryset(queryset, request, view)
        if "cursor" in request.query_params or request.query_params.get("ordering", _FEED) != _FEED:
            refusal = ErrorDetail("A feed is read oldest first, by after alone.", "invalid")
            raise ValidationError({"after": [refusal]})
        since = _since(text) if text is not None else 0
        limit, upto = self._limit(request), _upto(horizon(), since)
        seen = self._last_of_all(request, view, upto)
        found = list(queryset.filter(upto).order_by("pk")[: limit + 1])
        page, more = found[:limit], len(found) > limit
        end = page[-1].pk if page else since
        self._request, self._more = request, more
        end = end if more else max(end, seen)
        self._after = Cursor(_FEED, end, end).encode()
        return page

    def _last_of_all(self, request: Request, view: APIView | None, upto: Q) -> int:
        """The caller's last event there is: what the filters leave out is not looked at again.

        Theirs alone: the last of all would tell when others do something.
        """
        if not request.query_params.keys() - getattr(view, "paging", ()):
            return 0
        rows = events(_whose(request, caller_of(request))).filter(upto)
        return rows.order_by("-pk").values_list("pk", flat=True).first() or 0

    def get_paginated_response(self, data: Any) -> Response:
        if self._after is None:
            response = super().get_paginated_response(data)
            response.data["after"] = None
            return response
        url = remove_query_param(self._request.build_absolute_uri(), "after")
        following = str(replace_query_param(url, "after", self._after)) if self._more else None
        return Response(
            {"results": data, "next": following, "previous": None, "after": self._after}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        page["required"] = [*page["required"], "after"]
        page["properties"]["after"] = {
            "type": ["string", "null"],
            "description": "Of a feed: what to send as `after` to read on, now or later.",
        }
        return page

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        after = {
            "name": "after",
            "in": "query",
            "required": False,
            "description": "Read the feed (oldest first) from here on. It begins with ordering=id.",
            "schema": {"type": "string"},
        }
        return [*super().get_schema_operation_parameters(view), after]


class EventList(ApiView):
    """The tenant's events; those of all, for an operator who names no tenant."""

    scopes = {"GET": "audit:read"}
    filters = {
        "action": Text(("action",)),
        "target_type": Text(("target_type",)),
        "target": Text(("target_id",)),
        "actor": Text(("actor_id",)),
        "actor_kind": Choice("actor_kind", AuditEvent.Actor.values),
        "by_operator": Flag(Q(by_operator=True)),
        "since": Moment("created_at__gte"),
        "until": Moment("created_at__lt"),
    }
    paging = PAGING | {"after"}
    filter_backends = [AllowListedFilters]
    pagination_class = FeedPagination
    ordering = "-id"

    @extend_schema(responses=EventSerializer(many=True))
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        rows = AllowListedFilters().filter_queryset(request, events(_whose(request, caller)), self)
        paginator = FeedPagination()
        page: list[AuditEvent] = paginator.paginate_queryset(rows, request, view=self)
        shown = EventSerializer(page, many=True, context={"operator": bool(caller.operator)})
        return paginator.get_paginated_response(shown.data)


def _since(text: str) -> int:
    """The event up to which the feed has been read."""
    return Cursor.decode(
        text, _FEED, parameter="after", remedy="Begin the feed again with ordering=id."
    ).pk


def _upto(last: int | None, since: int) -> Q:
    """The events of a feed after ``since``, up to the horizon."""
    return Q(pk__gt=since) if last is None else Q(pk__gt=since, pk__lte=last)


def _whose(request: Request, caller: Caller) -> int | None:
    if caller.operator and TENANT_HEADER not in request.headers:
        return None
    return caller.tenant_id
