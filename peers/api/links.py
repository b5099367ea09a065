"""Share links: made for a device, listed and revoked by its seller."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.lookups import OfClient
from peers.api.representation import moment
from peers.models import ShareLink
from peers.queries import find_client, find_peer, only_peer
from peers.services.links import DEFAULT_LIFE, Made, create_link, find_owned, revoke_link
from peers.sharing import STATES, state_of, url_of
from rest.errors import Forbidden, Invalid
from rest.fields import PlainText, StrictBoolean, StrictInteger, StrictMoment, StrictSerializer
from rest.filters import AllowListedFilters, Filter, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.permissions import may
from tenants.scoping import Caller, caller_of, visible

_LONGEST: Final = 10 * 366 * 24 * 3600


class LinkCreate(StrictSerializer):
    """A new link: for 30 days unless its end is named; ``expires_at`` null is for no end."""

    name = PlainText(max_length=120, allow_blank=True, required=False)
    single_use = StrictBoolean(required=False)
    allows_key = StrictBoolean(
        required=False, help_text="Whoever has it may set the device's key, while it awaits one."
    )
    expires_at = StrictMoment(allow_null=True, required=False)
    expires_in = StrictInteger(
        min_value=60, max_value=_LONGEST, required=False, help_text="Seconds; or `expires_at`."
    )


class LinkSerializer(serializers.Serializer[Any]):
    """A link without its secret."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    device = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    single_use = serializers.BooleanField()
    allows_key = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)
    uses = serializers.IntegerField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_ip = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class LinkMade(LinkSerializer):
    """A new link. ``url`` is shown here and never again: only its digest is stored."""

    url = serializers.URLField(allow_null=True)
    config_url = serializers.URLField(
        allow_null=True, help_text="For programs that refresh the file; null for one use."
    )


class _LinkList(ApiView):
    scopes = {"GET": "clients:read", "POST": "clients:write"}
    secret_fields = ("url", "config_url")
    filters: dict[str, Filter] = {}
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination

    def page(self, request: Request, **of: Any) -> Response:
        """The tenant's links of one device or client, newest first."""
        rows = visible(ShareLink.objects.select_related("peer__client"), caller_of(request))
        rows = rows.filter(peer__deleted_at__isnull=True, **of)
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator, at = KeysetPagination(), timezone.now()
        links: list[ShareLink] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response([link_body(link, at=at) for link in links])

    def make(self, request: Request, caller: Caller, peer_id: UUID) -> Response:
        """A new link. Who gets it can read the file, so it takes the right to read files too."""
        check_query(request, ())
        if not may(caller, "configs:read"):
            raise Forbidden("A share link shows the file: this also needs configs:read.")
        wanted, at = checked(LinkCreate(data=request.data)), timezone.now()
        wanted["expires_at"] = _end(wanted, at)
        made = create_link(caller=caller, peer_id=peer_id, at=at, **wanted)
        location = reverse("share-link", kwargs={"link_id": made.link.uuid})
        return created(_made_body(made, at=at), location=location)


class PeerLinks(_LinkList):
    """A device's share links, newest first; and new ones."""

    @extend_schema(operation_id="peer_share_links_list", responses=LinkSerializer(many=True))
    def get(self, request: Request, peer_id: UUID) -> Response:
        return self.page(request, peer=find_peer(caller_of(request), peer_id))

    @extend_schema(
        operation_id="peer_share_links_create", request=LinkCreate, responses={201: LinkMade}
    )
    def post(self, request: Request, peer_id: UUID) -> Response:
        return self.make(request, caller_of(request), peer_id)


class ClientLinks(OfClient, _LinkList):
    """The share links of all devices of a client, newest first; and new ones for its only one."""

    @extend_schema(responses=LinkSerializer(many=True))
    def get(self, request: Request, client_id: UUID) -> Response:
        return self.page(request, peer__client=find_client(caller_of(request), client_id))

    @extend_schema(request=LinkCreate, responses={201: LinkMade})
    def post(self, request: Request, client_id: UUID) -> Response:
        caller = caller_of(request)
        return self.make(request, caller, only_peer(find_client(caller, client_id)).uuid)


class LinkDetail(ApiView):
    """One share link."""

    scopes = {"GET": "clients:read", "DELETE": "clients:write"}

    @extend_schema(operation_id="share_link", responses=LinkSerializer)
    def get(self, request: Request, link_id: UUID) -> Response:
        check_query(request, ())
        link = find_owned(caller_of(request), link_id)
        return Response(link_body(link, at=timezone.now()))

    @extend_schema(
        operation_id="share_link_revoke",
        responses={204: OpenApiResponse(description="Revoked; it leads nowhere from now on.")},
    )
    def delete(self, request: Request, link_id: UUID) -> Response:
        check_query(request, ())
        revoke_link(caller=caller_of(request), link_id=link_id, at=timezone.now())
        return Response(status=204)


def link_body(link: ShareLink, *, at: datetime) -> dict[str, Any]:
    """A link as its owner sees it."""
    return {
        "id": str(link.uuid),
        "client": str(link.peer.client.uuid),
        "device": str(link.peer.uuid),
        "name": link.name,
        "state": state_of(link, at=at),
        "single_use": link.single_use,
        "allows_key": link.allows_key,
        "expires_at": moment(link.expires_at),
        "uses": link.uses,
        "last_used_at": moment(link.used_at),
        "last_used_ip": link.last_used_ip,
        "created_by": link.created_by,
        "created_at": moment(link.created_at),
        "revoked_at": moment(link.revoked_at),
    }


def _made_body(made: Made, *, at: datetime) -> dict[str, Any]:
    url = url_of(made.secret)
    config = None if made.link.single_use else f"{url}/config"
    return {**link_body(made.link, at=at), "url": url, "config_url": config}


def _end(wanted: dict[str, Any], at: datetime) -> datetime | None:
    """When the link ends, of the two ways to say it. Raises `Invalid`."""
    seconds = wanted.pop("expires_in", None)
    if seconds is None:
        end: datetime | None = wanted.get("expires_at", at + DEFAULT_LIFE)
        return end
    if "expires_at" in wanted:
        raise Invalid("Give expires_at or expires_in.", field="expires_in", code="one_of")
    return at + timedelta(seconds=seconds)
