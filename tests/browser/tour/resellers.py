"""A reseller's pages: Kestrel Net as Mina Karimi sees it, who owns it."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.browser.tour.shots import Shot, dialog, page

T: Final = "/t/kestrel/"
CLIENTS: Final = T + "clients/"
SARA: Final = CLIENTS + "{sara}/"
PHONE: Final = SARA + "devices/{phone}/"
LINES: Final = (
    "name,reference,plan\nSara,A-20931,\nKian,A-7,Gamer 50\nOmid,A-7,\nTara,A-9,None such"
)


def _pick(at: Page) -> None:
    for place in (1, 2, 4):
        at.locator("tbody .tick").nth(place).check()


def _ask(at: Page) -> None:
    _pick(at)
    at.click("[name=act][value=disable]")
    at.wait_for_selector("dialog[open] [name=note]")


def _keep(at: Page) -> None:
    at.click(".tabs a[href*='/views/new/']")
    at.wait_for_selector("dialog[open] [name=name]")


def _lines(at: Page) -> None:
    at.fill("[name=lines]", LINES)
    at.click("[name=preview]")
    at.wait_for_selector("#preview")


def _value(at: Page) -> None:
    at.locator(".chart .pt").nth(-3).focus()


def _made(at: Page) -> None:
    at.fill("[name=name]", "Telegram bot 2")
    at.select_option("[name=kind]", "*:read")
    at.click("main form .btn-main")
    at.wait_for_selector("main .key")


def _slow(at: Page) -> None:
    at.fill("[name=total_gb]", "20 GB")
    at.select_option("[name=at_limit]", "throttle")
    at.click("main form .btn-main")
    at.wait_for_selector(".err")


def _link(at: Page) -> None:
    at.click("main footer .btn-main")
    at.wait_for_load_state("networkidle")


def _new(at: Page) -> None:
    at.fill("[name=name]", "Neda phone")
    at.click("main footer .btn-main")
    at.wait_for_selector(".qr img")


def _menu(at: Page) -> None:
    at.click(".bar-m summary")


HOME: Final = (
    page("home", "How the shop stands: one sentence, then figures that lead to their lists.",
         "tenant-home", T),
    page("menu", "The menu of a phone.", "tenant-home", T, steps=_menu, cut=True, phone=True),
)  # fmt: skip
LIST: Final = (
    page("clients", "Ten thousand fit: searched, filtered, sorted and paged by the database.",
         "clients", CLIENTS, cut=True),
    page("clients-picked", "What is ticked can be changed together.", "clients", CLIENTS,
         steps=_pick, cut=True),
    Shot("clients-ask", "First it says what happens, and to whom.", ("clients-bulk",), CLIENTS,
         steps=_ask, cut=True),
    page("clients-none", "Nothing matches: the filter that is in the way is named.", "clients",
         CLIENTS + "?q=zahra&state=expired", cut=True),
    dialog("clients-filter", "A filter.", "clients-filter", CLIENTS + "filter/plan/", CLIENTS),
    dialog("clients-columns", "The columns one wants.", "clients-columns", CLIENTS + "columns/",
           CLIENTS),
    dialog("clients-keep", "A view gets a name and stays as a tab.", "clients-view-new",
           CLIENTS + "views/new/?state=quota", CLIENTS + "?state=quota"),
    dialog("clients-forget", "And is forgotten again.", "clients-view-forget",
           CLIENTS + "views/{view}/forget/", CLIENTS),
)  # fmt: skip
CREATE: Final = (
    dialog("create", "A name is enough.", "client-new", CLIENTS + "new/", CLIENTS),
    Shot("create-done", "The QR code is there at once; the file is right before it is live.",
         ("client-new",), CLIENTS + "new/", steps=_new),
    page("create-many", "Many at once: a list, a pattern, or a pasted table.", "clients-many",
         CLIENTS + "many/"),
    page("create-many-preview", "Every line is checked before anything is made.", "clients-many",
         CLIENTS + "many/", steps=_lines),
)  # fmt: skip
CLIENT: Final = (
    page("client", "Why a client is on or off, in one sentence; then all that is known.",
         "client", SARA),
    page("client-value", "Every bar of the chart says its number.", "client", SARA, steps=_value,
         cut=True),
    page("client-off", "Off, and why.", "client", CLIENTS + "{off}/"),
    page("client-file", "A device's file and QR code.", "client-file", PHONE),
    page("client-history", "Who did what, and when.", "client-history", SARA + "history/"),
    dialog("client-edit", "What is wrong is said at its field.", "client-edit", SARA + "edit/",
           SARA),
    *(
        Shot(f"client-{name}", says, ("client-act",), f"{SARA}{name}/", over=SARA, cut=True)
        for name, says in {
            "switch-off": "Switched off: to whom, and that nobody else is touched.",
            "suspend": "Suspended by the shop.",
            "kick": "Cut off for a moment.",
            "extend": "Extended.",
            "top-up": "More for this period.",
            "reset-usage": "The period begins anew.",
            "plan": "Another plan, now or when this one ends.",
            "move": "To another interface.",
            "delete": "Deleted: what stops, what goes back to the pool, what the bill keeps.",
        }.items()
    ),
    Shot("client-switch-on", "Switched on again.", ("client-act",),
         CLIENTS + "{off}/switch-on/", over=CLIENTS + "{off}/", cut=True),
    dialog("client-device-new", "One more device.", "client-device-new", SARA + "devices/new/",
           SARA),
    dialog("client-device", "A device's settings.", "client-device", PHONE + "edit/", SARA),
    dialog("client-keys", "New keys.", "client-keys", PHONE + "keys/", SARA),
    dialog("client-device-remove", "A device goes.", "client-device-remove", PHONE + "remove/",
           SARA),
    dialog("client-link-new", "A link for the customer.", "client-link-new", SARA + "links/new/",
           SARA),
    Shot("client-link-made", "It is shown once.", ("client-link-new",), SARA + "links/new/",
         steps=_link),
    dialog("client-link", "A link is revoked.", "client-link", SARA + "links/{link}/", SARA),
)  # fmt: skip
JOBS: Final = (
    page("tenant-jobs", "What was asked for many, and what the gateways still have to do.",
         "tenant-jobs", T + "jobs/"),
    page("tenant-job", "Some worked, some did not: each with its reason, and a way to go on.",
         "tenant-job", T + "jobs/{run}/"),
    page("tenant-job-running", "Half way.", "tenant-job", T + "jobs/{going}/"),
)  # fmt: skip
SELLING: Final = (
    page("plans", "What is sold.", "plans", T + "plans/"),
    page("plan-new", "A plan, and in words what it means.", "plan-new", T + "plans/new/"),
    page("plan-refused", "A rule that was broken is named at its field.", "plan-new",
         T + "plans/new/", steps=_slow, expects="400"),
    page("plan-edit", "Whom a change reaches.", "plan-edit", T + "plans/{plan}/"),
    dialog("plan-remove", "A plan that clients have is kept for them.", "plan-remove",
           T + "plans/{plan}/remove/", T + "plans/"),
    page("usage", "Traffic against the pool, and statements to bill from.", "usage", T + "usage/"),
)  # fmt: skip
MANAGING: Final = (
    page("members", "Who may do what here.", "members", T + "members/"),
    dialog("member-new", "Somebody is invited.", "member-new", T + "members/new/", T + "members/"),
    dialog("member-role", "Another role.", "member-role", T + "members/{member}/role/",
           T + "members/"),
    dialog("member-remove", "Somebody goes.", "member-remove", T + "members/{member}/remove/",
           T + "members/"),
    page("tokens", "Tokens for shops and bots, with what they may and when they were used.",
         "tokens", T + "tokens/"),
    page("token-new", "A token gets what it needs.", "token-new", T + "tokens/new/"),
    page("token-made", "Its text is shown once.", "token-new", T + "tokens/new/", steps=_made),
    dialog("token-revoke", "It ends at once.", "token-revoke", T + "tokens/{token}/revoke/",
           T + "tokens/"),
    page("tenant-settings", "The brand, with a preview of what customers see; warnings; contact.",
         "tenant-settings", T + "settings/"),
    page("history", "Who did what, filtered by whom and what.", "history", T + "history/"),
)  # fmt: skip
