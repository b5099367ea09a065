"""The operators' pages, as Oscar sees them, who may do everything."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.browser.tour.shots import OPERATOR, Shot, page


def _page(name: str, says: str, route: str, path: str, **more: object) -> Shot:
    return page(name, says, route, path, who=OPERATOR, **more)


def _dialog(name: str, says: str, route: str, path: str, over: str) -> Shot:
    return _page(name, says, route, path, over=over, cut=True)


def _taken(at: Page) -> None:
    at.fill("[name=name]", "Tablet of Mina")
    at.click("dialog summary")
    at.fill("[name=addresses]", "10.252.0.1")
    at.click("dialog button[type=submit]")
    at.wait_for_selector("dialog .err")


def _band(at: Page) -> None:
    at.wait_for_selector("#guest")


FRA: Final = "/interfaces/{fra}/"
AMS: Final = "/interfaces/{ams}/"
RUNNING: Final = (
    _page("operator-home", "What needs somebody; then gateways, resellers, jobs.", "operator-home",
          "/"),
    _page("status", "Interfaces, devices and jobs, read every five seconds.", "page-status",
          "/status/"),
    _dialog("apply", "What would change on the interface, and by which tier.", "page-apply",
            "/apply/", "/status/"),
    _page("job", "What became of a change.", "page-job", "/jobs/{failed}/"),
    _dialog("device-new", "A device of the operator's own.", "page-peer-new", "/peers/new/",
            "/status/"),
    Shot("device-refused", "This address is taken.", ("page-peer-new",), "/peers/new/",
         who=OPERATOR, over="/status/", steps=_taken, cut=True, expects="400"),
    _dialog("device", "A device, and its file.", "page-peer", "/peers/{device}/", "/status/"),
    _dialog("device-remove", "It goes, nobody else.", "page-peer-remove",
            "/peers/{device}/remove/", "/status/"),
    _page("all-clients", "Everybody's clients.", "all-clients", "/clients/", cut=True),
    _dialog("all-clients-filter", "A filter.", "all-clients-filter",
            "/clients/filter/state/", "/clients/"),
    _dialog("all-clients-columns", "The columns one wants.", "all-clients-columns",
            "/clients/columns/", "/clients/"),
    _page("job-list", "Jobs: running, failed, done.", "job-list", "/jobs/"),
    _page("quarantine", "What a gateway refused, and why.", "quarantine", "/quarantine/"),
    _page("schedule", "What runs by the clock: last, next, late.", "schedule", "/schedule/"),
)  # fmt: skip
GATEWAYS: Final = (
    _page("gateway-list", "Gateways and their interfaces.", "gateway-list", "/gateways/"),
    _page("gateway-new", "A gateway is announced.", "gateway-new", "/gateways/new/"),
    _page("gateway-edit", "Where it is and what clients dial.", "gateway-edit",
          "/gateways/{gateway}/edit/"),
    _page("interface", "An interface with keys that vwg does not know: they are told, not touched.",
          "interface-page", AMS),
    _page("interface-new", "A new interface.", "interface-new", "/interfaces/new/"),
    _page("interface-edit", "What a change does to live clients, before it is made.",
          "interface-edit", FRA + "edit/"),
    _page("interface-delete", "An interface goes.", "interface-delete", FRA + "delete/"),
    _dialog("interface-key", "A new server key outdates every file: by plan.", "interface-key",
            FRA + "key/", FRA),
    _dialog("interface-stop", "Stopped: who loses the connection.", "interface-stop",
            FRA + "stop/", FRA),
    _dialog("interface-start", "Started.", "interface-start", "/interfaces/{down}/start/",
            "/interfaces/{down}/"),
    _dialog("interface-adopt", "Unknown keys become clients.", "interface-adopt", AMS + "adopt/",
            AMS),
    _dialog("interface-remove", "Or go.", "interface-remove", AMS + "remove/", AMS),
    _page("pool-list", "Address pools, how full they are and until when they last.", "pool-list",
          "/pools/"),
    _page("pool-new", "A pool.", "pool-new", "/pools/new/"),
    _page("pool-rename", "Its name.", "pool-rename", "/pools/{pool}/"),
)  # fmt: skip
RESELLERS: Final = (
    _page("tenant-list", "Resellers, what they use and may.", "tenant-list", "/tenants/"),
    _page("tenant-new", "A reseller.", "tenant-new", "/tenants/new/"),
    _page("tenant", "One reseller: limits, people, last changes.", "tenant-page",
          "/tenants/kestrel/"),
    _page("tenant-edit", "Its limits.", "tenant-edit", "/tenants/kestrel/edit/"),
    _dialog("tenant-suspend", "Suspended: who stops, and what resuming brings back.",
            "tenant-turn", "/tenants/kestrel/suspend/", "/tenants/kestrel/"),
    _dialog("tenant-resume", "Resumed.", "tenant-turn", "/tenants/dotnet/resume/",
            "/tenants/dotnet/"),
    _dialog("tenant-member-new", "Somebody is invited.", "tenant-member-new",
            "/tenants/kestrel/members/new/", "/tenants/kestrel/"),
    _dialog("tenant-member-remove", "Somebody goes.", "tenant-member-remove",
            "/tenants/kestrel/members/{member}/remove/", "/tenants/kestrel/"),
    _page("guest", "An operator sees a reseller's pages as its people do; the visit is recorded.",
          "tenant-home", "/t/kestrel/", steps=_band),
)  # fmt: skip
SYSTEM: Final = (
    _page("settings", "Settings for all, and what a change outdates.", "settings", "/settings/"),
    _page("audit", "The audit log.", "audit", "/audit/"),
    _page("system", "The host: load, disk, versions, the end of its logs, a support bundle.",
          "system", "/system/?log=gateway.log"),
    _page("admin", "The administration site, for the rare row.", "admin:index", "/admin/"),
)  # fmt: skip
