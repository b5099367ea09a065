"""No external id can be read as the name of an act: every route below a client is reserved."""

from __future__ import annotations

from django.urls import URLPattern

from peers.api.urls import urlpatterns
from peers.values import SUBROUTES


def test_every_route_below_a_clients_external_id_is_reserved() -> None:
    prefix = "v1/clients/by-external-id/<path:external_id>/"
    found = {
        str(one.pattern).removeprefix(prefix).partition("/")[0]
        for one in urlpatterns
        if isinstance(one, URLPattern) and str(one.pattern).startswith(prefix)
    }
    assert found
    assert found <= SUBROUTES
