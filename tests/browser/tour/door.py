"""The door, the pages about oneself, and those that say why there is none."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from tests.browser.chromium import PASSWORD
from tests.browser.tour.shots import NOBODY, OPERATOR, dialog, page

GUARDED: Final = "arash.d"
SAFETY: Final = "/account/security/"


def _refused(at: Page) -> None:
    at.fill("[name=login]", "mina.karimi")
    at.fill("[name=password]", "wrong")
    at.click("button.btn-main")
    at.wait_for_selector(".err")


def _half_way(at: Page) -> None:
    at.fill("[name=login]", GUARDED)
    at.fill("[name=password]", PASSWORD)
    at.click("button.btn-main")
    at.wait_for_selector("[name=code]")


def _again(at: Page) -> None:
    """Who it is, asked for the first time."""
    if at.locator("main [name=password]").count() and "/again/" in at.url:
        at.fill("main [name=password]", PASSWORD)
        at.click("main button.btn-main")
        at.wait_for_url("**/security/**")


DOOR: Final = (
    page("sign-in", "One door for everybody; a passkey opens it without a password.",
         "account_login", "/sign-in/", who=NOBODY),
    page("sign-in-refused", "A wrong password and a name that nobody has are answered alike.",
         "account_login", "/sign-in/", who=NOBODY, steps=_refused, until=".err"),
    page("sign-in-code", "The code of an authenticator app, or one for recovery.",
         "mfa_authenticate", "/sign-in/", who=NOBODY, steps=_half_way),
    page("password", "A forgotten password.", "account_reset_password", "/password/", who=NOBODY),
    page("password-sent", "The answer is the same for every address.",
         "account_reset_password_done", "/password/sent/", who=NOBODY),
    page("password-new", "What the link in the mail opens.",
         "account_reset_password_from_key", "{reset}", who=NOBODY, until="[name=password1]"),
    page("password-done", "And then one signs in.", "account_reset_password_from_key_done",
         "/password/done/", who=NOBODY),
    page("inactive", "An account that was switched off.", "account_inactive",
         "/sign-in/inactive/", who=NOBODY),
)  # fmt: skip
ACCOUNT: Final = (
    page("account", "Language, digits, calendar, time zone and units are one's own.",
         "account", "/account/"),
    page("account-password", "A new password.", "account_change_password", "/account/password/"),
    page("account-sessions", "Where one is signed in; each can be ended.",
         "usersessions_list", "/account/sessions/"),
    page("account-again", "Before what guards the account changes, it asks who it is.",
         "account_reauthenticate", SAFETY + "app/"),
    page("account-security", "What guards the account.", "mfa_index", SAFETY, who=GUARDED),
    page("account-again-code", "With an authenticator app, its code will do.",
         "mfa_reauthenticate", "/sign-in/again/code/?next=/account/", who=GUARDED),
    page("account-again-passkey", "Or a passkey.", "mfa_reauthenticate_webauthn",
         "/sign-in/again/passkey/?next=/account/", who=GUARDED),
    page("account-app", "An authenticator app is added by its QR code.", "mfa_activate_totp",
         SAFETY + "app/", steps=_again, until="[name=code]"),
    page("account-app-off", "An app is taken away.", "mfa_deactivate_totp", SAFETY + "app/off/",
         who=GUARDED, steps=_again),
    page("account-codes", "Codes for the day the phone is lost.", "mfa_view_recovery_codes",
         SAFETY + "codes/", who=GUARDED, steps=_again),
    page("account-codes-new", "New ones end the old.", "mfa_generate_recovery_codes",
         SAFETY + "codes/new/", who=GUARDED, steps=_again),
    page("account-passkey-add", "A passkey is made in this browser.", "mfa_add_webauthn",
         SAFETY + "passkeys/add/", steps=_again, until="[name=name]"),
    page("account-passkey-name", "Passkeys have names.", "mfa_edit_webauthn",
         SAFETY + "passkeys/{passkey}/name/", who=GUARDED, steps=_again),
    page("account-passkey-remove", "And are taken away.", "mfa_remove_webauthn",
         SAFETY + "passkeys/{passkey}/remove/", who=GUARDED, steps=_again),
)  # fmt: skip
MISFITS: Final = (
    page("not-found", "What is not there, and what is somebody else's, look alike.", "",
         "/t/kestrel/clients/00000000-0000-4000-8000-000000000000/", expects="404"),
    page("not-allowed", "A viewer at a form for managers.", "", "/t/kestrel/clients/new/",
         who="nora", expects="403"),
    page("broken", "Something broke: a reference, and what to do.", "", "{broken}", who=OPERATOR,
         expects="500"),
    page("nowhere", "Somebody who belongs to no reseller yet.", "front", "/",
         who="newcomer", expects="403"),
    dialog("keys", "Keys for those who like them; one switch turns them off.", "page-keys",
           "/keys/", "/t/kestrel/clients/"),
    page("problem", "Every code of a refusal has its page.", "problem",
         "/problems/address-taken", who=NOBODY),
    page("problems", "And a list of them.", "problems", "/problems/", who=NOBODY, cut=True),
)  # fmt: skip
