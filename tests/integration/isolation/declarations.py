"""Whose thing every operation is about: one line per operation, read by people.

A new operation fails `test_matrix.py` until it has its line here::

    "GET /api/v1/things/{thing_id}": tenant("things:read"),

- `tenant(scope)`: of the acting tenant. `operator(scope)`: for operators alone. `anybody()`:
  whoever is signed in. `public()`: everybody; that list is short and stays so.
- A path's parameter names a thing of `world.py` by `PARAMETERS`; ``at`` names another one where
  the act needs a certain state (``at={"client_id": "gone"}`` restores a deleted client).
- ``body``: one that works. ``"@client"`` in it is the id of the tenant's own client; each such
  reference is also tried with the other tenant's and with none's. ``"@?"`` is fresh.
- ``ok``: what a success answers, if not 2xx; ``gone``: what a deleted client answers, if not 404.
- ``varies``: fields that may differ with another tenant's rows there, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

#: A path's parameter -> the thing of `world.py` that it names.
PARAMETERS: Final = {
    "client_id": "client",
    "external_id": "client external",
    "peer_id": "peer",
    "plan_id": "plan",
    "token_id": "token",
    "user_id": "member",
    "run_id": "run",
    "job_id": "job",
    "tenant_id": "tenant",
    "gateway_id": "gateway",
    "interface_id": "interface",
    "pool_id": "pool",
    "host_id": "wake host",
    "share_id": "share",
    "link_id": "share",
    "event_id": "event",
    "login_id": "login",
}


@dataclass(frozen=True)
class Entry:
    """What one operation is about, and how to carry it out."""

    kind: str
    scope: str = ""
    body: Any = None
    at: Mapping[str, str] = field(default_factory=dict)
    ok: frozenset[int] = frozenset(range(200, 300))
    gone: frozenset[int] = frozenset({404})
    varies: tuple[str, ...] = ()
    content_type: str = "application/json"


def tenant(scope: str, **how: Any) -> Entry:
    """Of the acting tenant."""
    return _entry("tenant", scope, how)


def operator(scope: str, **how: Any) -> Entry:
    """For operators alone."""
    return _entry("operator", scope, how)


def anybody(**how: Any) -> Entry:
    """Of whoever is signed in, whatever the scopes."""
    return _entry("self", "", how)


def public(**how: Any) -> Entry:
    """Of nobody in particular."""
    return _entry("public", "", how)


def _entry(kind: str, scope: str, how: dict[str, Any]) -> Entry:
    how |= {word: frozenset(how[word]) for word in ("ok", "gone") if word in how}
    return Entry(kind, scope, **how)


def _of_client(method: str, rest: str, entry: Entry) -> dict[str, Entry]:
    """A route below a client, by its id and by its seller's."""
    thing = entry.at.get("client_id", "client")
    named = replace(entry, at={"external_id": f"{thing} external"})
    return {
        f"{method} /api/v1/clients/{{client_id}}{rest}": entry,
        f"{method} /api/v1/clients/by-external-id/{{external_id}}{rest}": named,
    }


_write, _read = "clients:write", "clients:read"
OPERATIONS: Final[dict[str, Entry]] = {
    # -- the founding calls --------------------------------------------------------------------
    "POST /api/apply-wg-config": tenant(_write, body={"interface": "@interface"}),
    "POST /api/wg/add-peer": tenant(
        _write, body={"public_key": "@?key", "interface": "@interface"}
    ),
    "POST /api/wg/remove-peer": tenant(_write, body={"public_key": "@key"}),
    "GET /api/wg/status": tenant(_read),
    # -- clients -------------------------------------------------------------------------------
    "GET /api/v1/clients": tenant(_read),
    "POST /api/v1/clients": tenant(
        _write, body={"name": "new", "plan": "@plan", "interface": "@interface"}
    ),
    "POST /api/v1/clients/bulk": tenant(
        _write, body={"action": "extend", "ids": ["@client", "@held"], "arguments": {"days": 3}}
    ),
    "POST /api/v1/clients/configs": tenant("configs:read", body={"ids": ["@client", "@held"]}),
    **_of_client("GET", "", tenant(_read)),
    **_of_client("PATCH", "", tenant(_write, body={"note": "changed", "plan": "@plan"})),
    **_of_client("DELETE", "", tenant(_write)),
    **_of_client("GET", "/config", tenant("configs:read")),
    **_of_client("POST", "/enable", tenant(_write, at={"client_id": "held"}, body={})),
    **_of_client("POST", "/disable", tenant(_write, body={})),
    **_of_client("POST", "/suspend", tenant(_write, body={})),
    **_of_client("POST", "/unsuspend", tenant(_write, at={"client_id": "suspended"}, body={})),
    **_of_client("POST", "/kick", tenant(_write, body={})),
    **_of_client("POST", "/terminate", tenant(_write, body={}, gone={200})),
    **_of_client("POST", "/restore", tenant(_write, at={"client_id": "gone"}, body={})),
    **_of_client("POST", "/rotate-keys", tenant(_write, body={})),
    **_of_client("POST", "/change-plan", tenant(_write, body={"plan": "@plan"})),
    **_of_client("POST", "/extend", tenant(_write, body={"bytes": 3})),
    **_of_client("POST", "/top-up", tenant(_write, body={"bytes": 3})),
    **_of_client("POST", "/reset-usage", tenant(_write, body={})),
    **_of_client("POST", "/move", tenant(_write, body={"interface": "@interface"})),
    **_of_client("POST", "/transfer", operator(_write, body={"tenant": "@other slug"})),
    **_of_client("GET", "/peers", tenant(_read)),
    **_of_client("POST", "/peers", tenant(_write, body={"interface": "@interface"})),
    **_of_client("GET", "/share-links", tenant(_read)),
    **_of_client("GET", "/usage", tenant("usage:read")),
    **_of_client("GET", "/usage/series", tenant("usage:read")),
    **_of_client("GET", "/sessions", tenant("usage:read")),
    **_of_client("POST", "/share-links", tenant(_write, body={"name": "new"})),
    **_of_client("GET", "/logins", tenant(_read)),
    **_of_client("POST", "/logins", tenant(_write, body={"email": "someone@example.org"})),
    "GET /api/v1/logins/{login_id}": tenant(_read),
    "DELETE /api/v1/logins/{login_id}": tenant(_write),
    # -- devices and their files ---------------------------------------------------------------
    "GET /api/v1/peers": tenant(_read),
    "GET /api/v1/peers/{peer_id}": tenant(_read),
    "PATCH /api/v1/peers/{peer_id}": tenant(_write, body={"name": "changed"}),
    "DELETE /api/v1/peers/{peer_id}": tenant(_write),
    "POST /api/v1/peers/{peer_id}/move": tenant(_write, body={"interface": "@interface"}),
    "POST /api/v1/peers/{peer_id}/rotate-keys": tenant(_write, body={}),
    "GET /api/v1/peers/{peer_id}/usage": tenant("usage:read"),
    "GET /api/v1/peers/{peer_id}/usage/series": tenant("usage:read"),
    "GET /api/v1/peers/{peer_id}/sessions": tenant("usage:read"),
    "GET /api/v1/peers/{peer_id}/config": tenant("configs:read"),
    "GET /api/v1/peers/{peer_id}/share-links": tenant(_read),
    "POST /api/v1/peers/{peer_id}/share-links": tenant(_write, body={"name": "new"}),
    "GET /api/v1/share-links/{link_id}": tenant(_read),
    "DELETE /api/v1/share-links/{link_id}": tenant(_write),
    # -- bulk requests and jobs ----------------------------------------------------------------
    "GET /api/v1/bulk": tenant(_read),
    "GET /api/v1/bulk/{run_id}": tenant(_read),
    "GET /api/v1/bulk/{run_id}/items": tenant(_read),
    "GET /api/v1/jobs": tenant("jobs:read"),
    "GET /api/v1/jobs/{job_id}": tenant("jobs:read"),
    "GET /api/v1/jobs/{job_id}/items": tenant("jobs:read"),
    "POST /api/v1/jobs/{job_id}/retry": operator(
        "interfaces:write", at={"job_id": "failed job"}, body={}
    ),
    # Its place in the feed counts everybody's events, and is no secret.
    "GET /api/v1/events": tenant("audit:read", varies=("after",)),
    "GET /api/v1/usage": tenant("usage:read"),
    "GET /api/v1/usage/series": tenant("usage:read"),
    "GET /api/v1/usage/interfaces": tenant("usage:read"),
    "GET /api/v1/statements": tenant("usage:read"),
    # -- the tenant itself ---------------------------------------------------------------------
    "GET /api/v1/me": anybody(),
    "GET /api/v1/tenant": tenant("tenants:read"),
    "PATCH /api/v1/tenant": tenant("tenants:write", body={"contact_name": "new"}),
    "GET /api/v1/tenant/logo": tenant("tenants:read"),
    "PUT /api/v1/tenant/logo": tenant("tenants:write", body="@logo", content_type="image/png"),
    "DELETE /api/v1/tenant/logo": tenant("tenants:write"),
    "POST /api/v1/tenant/export": tenant("tenants:write", body={}),
    "GET /api/v1/members": tenant("members:read"),
    "POST /api/v1/members": tenant(
        "members:write", body={"role": "viewer", "email": "someone@example.org"}
    ),
    "GET /api/v1/members/{user_id}": tenant("members:read"),
    "PATCH /api/v1/members/{user_id}": tenant("members:write", body={"role": "manager"}),
    "DELETE /api/v1/members/{user_id}": tenant("members:write"),
    "GET /api/v1/tokens": tenant("tokens:read"),
    "POST /api/v1/tokens": tenant(
        "tokens:write", body={"name": "new", "scopes": ["clients:read"], "user": "@member"}
    ),
    "GET /api/v1/tokens/{token_id}": tenant("tokens:read"),
    "PATCH /api/v1/tokens/{token_id}": tenant("tokens:write", body={"name": "renamed"}),
    "DELETE /api/v1/tokens/{token_id}": tenant("tokens:write"),
    "GET /api/v1/plans": tenant("plans:read"),
    "POST /api/v1/plans": tenant("plans:write", body={"name": "new"}),
    "GET /api/v1/plans/{plan_id}": tenant("plans:read"),
    "PATCH /api/v1/plans/{plan_id}": tenant("plans:write", body={"description": "changed"}),
    "DELETE /api/v1/plans/{plan_id}": tenant("plans:write"),
    # -- what an operator runs -----------------------------------------------------------------
    "GET /api/v1/interfaces": tenant("interfaces:read"),
    "GET /api/v1/interfaces/{interface_id}": tenant("interfaces:read"),
    "GET /api/v1/locations": tenant("interfaces:read"),
    "POST /api/v1/interfaces": operator(
        "interfaces:write",
        body={
            "gateway": "local",
            "name": "new0",
            "addresses": ["10.77.0.1/16"],
            "listen_port": 7777,
        },
    ),
    "PATCH /api/v1/interfaces/{interface_id}": operator(
        "interfaces:write", body={"label": "changed"}
    ),
    "DELETE /api/v1/interfaces/{interface_id}": operator("interfaces:write", ok={204, 409}),
    "POST /api/v1/interfaces/{interface_id}/rotate-key": operator("interfaces:write", body={}),
    "GET /api/v1/gateways": operator("interfaces:read"),
    "POST /api/v1/gateways": operator("interfaces:write", body={"slug": "new", "name": "new"}),
    "GET /api/v1/gateways/{gateway_id}": operator("interfaces:read"),
    "PATCH /api/v1/gateways/{gateway_id}": operator("interfaces:write", body={"name": "changed"}),
    "DELETE /api/v1/gateways/{gateway_id}": operator("interfaces:write", ok={204, 409}),
    "GET /api/v1/pools": operator("interfaces:read"),
    "POST /api/v1/pools": operator(
        "interfaces:write", body={"interface_id": "@interface", "network": "10.78.0.0/16"}
    ),
    "GET /api/v1/pools/{pool_id}": operator("interfaces:read"),
    "PATCH /api/v1/pools/{pool_id}": operator("interfaces:write", body={"name": "changed"}),
    "DELETE /api/v1/pools/{pool_id}": operator("interfaces:write", ok={204, 409}),
    "GET /api/v1/scheduled-jobs": operator("jobs:read"),
    "GET /api/v1/wake-hosts": operator("interfaces:read"),
    "POST /api/v1/wake-hosts": operator(
        "interfaces:write",
        body={"gateway": "local", "name": "new", "mac": "02:00:00:00:00:09"},
    ),
    "GET /api/v1/wake-hosts/{host_id}": operator("interfaces:read"),
    "PATCH /api/v1/wake-hosts/{host_id}": operator("interfaces:write", body={"name": "changed"}),
    "DELETE /api/v1/wake-hosts/{host_id}": operator("interfaces:write"),
    "POST /api/v1/wake-hosts/{host_id}/wake": operator("interfaces:write", body={}),
    "GET /api/v1/settings": operator("settings:read"),
    "PATCH /api/v1/settings": operator("settings:write", body={"mtu": 1400}),
    "GET /api/v1/tenants": operator("tenants:read"),
    "POST /api/v1/tenants": operator("tenants:write", body={"name": "New", "slug": "new"}),
    "GET /api/v1/tenants/usage": operator("usage:read"),
    "GET /api/v1/tenants/usage/series": operator("usage:read"),
    "GET /api/v1/tenants/statements": operator("usage:read"),
    "GET /api/v1/tenants/{tenant_id}": operator("tenants:read"),
    "PATCH /api/v1/tenants/{tenant_id}": operator("tenants:write", body={"name": "Changed"}),
    "POST /api/v1/tenants/{tenant_id}/suspend": operator("tenants:write", body={"reason": "x"}),
    "POST /api/v1/tenants/{tenant_id}/resume": operator("tenants:write", body={}, ok={409}),
    "POST /api/v1/tenants/{tenant_id}/export": operator("tenants:write", body={}),
    "POST /api/v1/tenants/{tenant_id}/erase": operator(
        "tenants:write", body={"slug": "@slug"}, ok={409}
    ),
    "POST /api/v1/tenants/{tenant_id}/close": operator("tenants:write", body={"reason": "x"}),
}

#: Pages and files beside the API. Each is either public, which is reviewed by hand, or shows
#: nothing to anybody but operators.
PUBLIC_PAGES: Final = {
    "ANY /favicon.ico",
    "ANY /healthz/live",
    "ANY /healthz/ready",
    "ANY /language/",
    "ANY /theme/",
    "ANY /s/^brand/(?P{light}[0-9a-f]{6})-(?P{dark}[0-9a-f]{6})\\.css$",
    "ANY /problems/",
    "ANY /problems/{slug}",
    "GET /api/v1/docs/",
    "GET /api/v1/schema/",
    "ANY /sign-in/",
    "ANY /sign-in/code/",
    "ANY /sign-in/inactive/",
    "ANY /sign-in/passkey/",
    "ANY /sign-in/with/",
    "ANY /sign-in/with/{provider_id}/",
    "ANY /sign-in/with/{provider_id}/back/",
    "ANY /sign-out/",
    "ANY /password/",
    "ANY /account/email/{token}/",
    "ANY /password/done/",
    "ANY /password/sent/",
    "ANY /^password/(?P{uidb36}[0-9A-Za-z]+)-(?P{key}[-\\w]+)/$",
}
#: Pages for whoever has a share link's secret.
SHARE_PAGES: Final = {
    "ANY /s/{secret}",
    "ANY /s/{secret}/config",
    "ANY /s/{secret}/key",
    "ANY /s/{secret}/status.json",
}
#: Pages about oneself, for whoever is signed in.
SELF_PAGES: Final = {
    "ANY /": "/",
    "ANY /account/": "/account/",
    "ANY /account/email/": "/account/email/",
    "ANY /account/password/": "/account/password/",
    "ANY /account/password/set/": "/account/password/set/",
    "ANY /account/security/": "/account/security/",
    "ANY /account/security/app/": "/account/security/app/",
    "ANY /account/security/app/off/": "/account/security/app/off/",
    "ANY /account/security/codes/": "/account/security/codes/",
    "ANY /account/security/codes/file/": "/account/security/codes/file/",
    "ANY /account/security/codes/new/": "/account/security/codes/new/",
    "ANY /account/security/passkeys/": "/account/security/passkeys/",
    "ANY /account/security/passkeys/add/": "/account/security/passkeys/add/",
    "ANY /account/security/passkeys/{pk}/name/": "/account/security/passkeys/1/name/",
    "ANY /account/security/passkeys/{pk}/remove/": "/account/security/passkeys/1/remove/",
    "ANY /account/sessions/": "/account/sessions/",
    "ANY /keys/": "/keys/",
    "ANY /sign-in/again/": "/sign-in/again/",
    "ANY /sign-in/again/code/": "/sign-in/again/code/",
    "ANY /sign-in/again/passkey/": "/sign-in/again/passkey/",
}
#: Pages of customers, each about what one of their logins shows; "{login}" is that login.
CUSTOMER_PAGES: Final = {
    "ANY /my/": "/my/",
    "ANY /my/{login_id}/": "/my/{login}/",
    "ANY /my/{login_id}/devices/{peer_id}/": "/my/{login}/devices/{peer}/",
}
#: Pages of the tenant that their address names, with the thing of `world.py` that they show.
TENANT_PAGES: Final = {
    "ANY /t/{tenant}/": "",
    "ANY /t/{tenant}/live/": "live/",
    "ANY /t/{tenant}/clients/new/": "clients/new/",
    "ANY /t/{tenant}/clients/many/": "clients/many/",
    "ANY /t/{tenant}/clients/{uuid}/": "clients/{client}/",
    "ANY /t/{tenant}/clients/{uuid}/live/": "clients/{client}/live/",
    "ANY /t/{tenant}/clients/{uuid}/history/": "clients/{client}/history/",
    "ANY /t/{tenant}/clients/{uuid}/{name}/": "clients/{client}/switch-off/",
    "ANY /t/{tenant}/clients/{uuid}/edit/": "clients/{client}/edit/",
    "ANY /t/{tenant}/clients/{uuid}/devices/new/": "clients/{client}/devices/new/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/": "clients/{client}/devices/{peer}/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/download/":
        "clients/{client}/devices/{peer}/download/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/edit/":
        "clients/{client}/devices/{peer}/edit/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/keys/":
        "clients/{client}/devices/{peer}/keys/",
    "ANY /t/{tenant}/clients/{uuid}/devices/{peer_id}/remove/":
        "clients/{client}/devices/{peer}/remove/",
    "ANY /t/{tenant}/clients/{uuid}/links/new/": "clients/{client}/links/new/",
    "ANY /t/{tenant}/clients/{uuid}/links/{link_id}/": "clients/{client}/links/{share}/",
    "ANY /t/{tenant}/clients/{uuid}/logins/new/": "clients/{client}/logins/new/",
    "ANY /t/{tenant}/clients/{uuid}/logins/{login_id}/": "clients/{client}/logins/{login}/",
    "ANY /t/{tenant}/plans/": "plans/",
    "ANY /t/{tenant}/plans/new/": "plans/new/",
    "ANY /t/{tenant}/plans/{uuid}/": "plans/{plan}/",
    "ANY /t/{tenant}/plans/{uuid}/remove/": "plans/{plan}/remove/",
    "ANY /t/{tenant}/usage/": "usage/",
    "ANY /t/{tenant}/usage/{year}-{month}.csv": "usage/2030-5.csv",
    "ANY /t/{tenant}/tokens/": "tokens/",
    "ANY /t/{tenant}/tokens/new/": "tokens/new/",
    "ANY /t/{tenant}/tokens/{uuid}/revoke/": "tokens/{token}/revoke/",
    "ANY /t/{tenant}/members/": "members/",
    "ANY /t/{tenant}/members/new/": "members/new/",
    "ANY /t/{tenant}/members/{uuid}/role/": "members/{member}/role/",
    "ANY /t/{tenant}/members/{uuid}/remove/": "members/{member}/remove/",
    "ANY /t/{tenant}/settings/": "settings/",
    "ANY /t/{tenant}/settings/logo/": "settings/logo/",
    "ANY /t/{tenant}/settings/preview/": "settings/preview/",
    "ANY /t/{tenant}/history/": "history/",
    "ANY /t/{tenant}/clients/": "clients/",
    "ANY /t/{tenant}/clients/live/": "clients/live/",
    "ANY /t/{tenant}/clients/counts/": "clients/counts/",
    "ANY /t/{tenant}/clients/columns/": "clients/columns/",
    "ANY /t/{tenant}/clients/filter/{name}/": "clients/filter/tag/",
    "ANY /t/{tenant}/clients/clients.csv": "clients/clients.csv",
    "ANY /t/{tenant}/clients/views/new/": "clients/views/new/",
    "ANY /t/{tenant}/clients/views/{uuid}/forget/": "clients/views/{view}/forget/",
    "ANY /t/{tenant}/clients/bulk/": "clients/bulk/?act=disable&id={client}",
    "ANY /t/{tenant}/jobs/": "jobs/",
    "ANY /t/{tenant}/jobs/{uuid}/": "jobs/{job}/",
}  # fmt: skip
OPERATOR_PAGES: Final = {
    "ANY /clients/": "/clients/",
    "ANY /clients/live/": "/clients/live/",
    "ANY /clients/counts/": "/clients/counts/",
    "ANY /clients/columns/": "/clients/columns/",
    "ANY /clients/filter/{name}/": "/clients/filter/tag/",
    "ANY /status/": "/status/",
    "ANY /live/": "/live/",
    "ANY /apply/": "/apply/",
    "ANY /jobs/{uuid}/": "/jobs/{job}/",
    "ANY /peers/new/": "/peers/new/",
    "ANY /peers/{uuid}/": "/peers/{peer}/",
    "ANY /peers/{uuid}/file/": "/peers/{peer}/file/",
    "ANY /peers/{uuid}/remove/": "/peers/{peer}/remove/",
    "ANY /overview/live/": "/overview/live/",
    "ANY /gateways/": "/gateways/",
    "ANY /gateways/new/": "/gateways/new/",
    "ANY /gateways/{uuid}/edit/": "/gateways/{gateway}/edit/",
    "ANY /interfaces/new/": "/interfaces/new/",
    "ANY /interfaces/{uuid}/": "/interfaces/{interface}/",
    "ANY /interfaces/{uuid}/edit/": "/interfaces/{interface}/edit/",
    "ANY /interfaces/{uuid}/delete/": "/interfaces/{interface}/delete/",
    "ANY /interfaces/{uuid}/key/": "/interfaces/{interface}/key/",
    "ANY /interfaces/{uuid}/stop/": "/interfaces/{interface}/stop/",
    "ANY /interfaces/{uuid}/start/": "/interfaces/{interface}/start/",
    "ANY /interfaces/{uuid}/adopt/": "/interfaces/{interface}/adopt/",
    "ANY /interfaces/{uuid}/remove/": "/interfaces/{interface}/remove/",
    "ANY /pools/": "/pools/",
    "ANY /pools/new/": "/pools/new/",
    "ANY /pools/{uuid}/": "/pools/{pool}/",
    "ANY /wake/": "/wake/",
    "ANY /wake/new/": "/wake/new/",
    "ANY /wake/{uuid}/edit/": "/wake/{wake_host}/edit/",
    "ANY /settings/": "/settings/",
    "ANY /system/": "/system/",
    "ANY /system/bundle/": "/system/bundle/",
    "ANY /jobs/": "/jobs/",
    "ANY /jobs/live/": "/jobs/live/",
    "ANY /quarantine/": "/quarantine/",
    "ANY /schedule/": "/schedule/",
    "ANY /schedule/live/": "/schedule/live/",
    "ANY /tenants/": "/tenants/",
    "ANY /tenants/new/": "/tenants/new/",
    "ANY /tenants/{slug}/": "/tenants/{slug}/",
    "ANY /tenants/{slug}/edit/": "/tenants/{slug}/edit/",
    "ANY /tenants/{slug}/{act}/": "/tenants/{slug}/suspend/",
    "ANY /tenants/{slug}/clients/{uuid}/transfer/": "/tenants/{slug}/clients/{client}/transfer/",
    "ANY /tenants/{slug}/members/new/": "/tenants/{slug}/members/new/",
    "ANY /tenants/{slug}/members/{user}/remove/": "/tenants/{slug}/members/{member}/remove/",
    "ANY /audit/": "/audit/",
    "ANY /audit/file/": "/audit/file/",
}
#: What operators' pages post to; there is nothing to look at.
OPERATOR_ACTS: Final = {
    "ANY /gateways/{uuid}/alarm/": "/gateways/{gateway}/alarm/",
    "ANY /gateways/{uuid}/delete/": "/gateways/{gateway}/delete/",
    "ANY /pools/{uuid}/delete/": "/pools/{pool}/delete/",
    "ANY /wake/{uuid}/delete/": "/wake/{wake_host}/delete/",
    "ANY /wake/{uuid}/": "/wake/{wake_host}/",
    "ANY /jobs/{uuid}/retry/": "/jobs/{job}/retry/",
    "ANY /tenants/{slug}/members/{user}/role/": "/tenants/{slug}/members/{member}/role/",
}
#: Below this every route is the admin site's, for operators.
ADMIN: Final = "/admin/"
