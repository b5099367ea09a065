"""Acts in words: what an event of the audit log says happened."""

from __future__ import annotations

from django.utils.translation import gettext


def deed(action: str) -> str:
    """What was done, by its code; an act without words of its own keeps the code."""
    thing, _, verb = action.partition(".")
    things, verbs = _things(), _verbs()
    if thing in things and verb in verbs:
        return f"{things[thing]}: {verbs[verb]}"
    return action


def thing_words(kind: str) -> str:
    """The kind of thing that was acted on."""
    return _things().get(kind, kind)


KINDS = (
    "client", "peer", "interface", "gateway", "pool", "settings", "job", "tenant", "member",
    "token", "plan", "link", "login", "user", "bulk", "config", "system", "wake_host",
)  # fmt: skip


def _things() -> dict[str, str]:
    return {
        "client": gettext("Client"),
        "peer": gettext("Device"),
        "interface": gettext("Interface"),
        "gateway": gettext("Gateway"),
        "pool": gettext("Address pool"),
        "settings": gettext("Settings"),
        "job": gettext("Job"),
        "tenant": gettext("Reseller"),
        "member": gettext("Member"),
        "token": gettext("Token"),
        "plan": gettext("Plan"),
        "link": gettext("Share link"),
        "login": gettext("Customer's login"),
        "user": gettext("Account"),
        "bulk": gettext("Many clients"),
        "config": gettext("File"),
        "system": gettext("Host"),
        "wake_host": gettext("Machine"),
    }


def _verbs() -> dict[str, str]:
    return _of_things() | _of_clients() | _of_people()


def _of_things() -> dict[str, str]:
    return {
        "created": gettext("made"),
        "woken": gettext("woken"),
        "create": gettext("made"),
        "updated": gettext("changed"),
        "deleted": gettext("deleted"),
        "removed": gettext("removed"),
        "added": gettext("added"),
        "adopt": gettext("adopted"),
        "adoption_asked": gettext("adoption asked for"),
        "removal_asked": gettext("removal of unknown peers asked for"),
        "applied": gettext("applied"),
        "remove_strays": gettext("unknown peers removed"),
        "key_rotated": gettext("new key"),
        "key_set": gettext("key set"),
        "keys_rotated": gettext("new keys"),
        "retried": gettext("tried again"),
        "revealed": gettext("shown"),
        "requested": gettext("asked for"),
        "archived": gettext("archived"),
        "bundled": gettext("support bundle taken"),
        "issued": gettext("issued"),
        "revoked": gettext("revoked"),
    }


def _of_clients() -> dict[str, str]:
    return {
        "enabled": gettext("switched on"),
        "disabled": gettext("switched off"),
        "suspended": gettext("suspended"),
        "resumed": gettext("resumed"),
        "extended": gettext("extended"),
        "topped_up": gettext("topped up"),
        "reset": gettext("quota reset"),
        "kicked": gettext("kicked"),
        "moved": gettext("moved"),
        "transferred": gettext("handed over"),
        "restored": gettext("brought back"),
        "released": gettext("released"),
        "purged": gettext("forgotten for good"),
        "started": gettext("first connection"),
        "expired": gettext("ended"),
        "expiry_warning": gettext("ends soon"),
        "quota_reached": gettext("quota used up"),
        "quota_restored": gettext("quota there again"),
        "quota_warning": gettext("quota nearly used up"),
        "throttled": gettext("slowed down"),
        "unthrottled": gettext("at full speed again"),
        "device_added": gettext("device added"),
        "device_removed": gettext("device removed"),
    }


def _of_people() -> dict[str, str]:
    return {
        "closed": gettext("closed"),
        "erased": gettext("erased"),
        "exported": gettext("exported"),
        "sandbox_made": gettext("sandbox made"),
        "visited": gettext("visited by an operator"),
        "password_changed": gettext("password changed"),
        "email_changed": gettext("e-mail address changed"),
    }
