"""System checks for the mistakes of a deployment (`manage.py check --deploy`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from vault.ring import Ring, RingError

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@register(Tags.security, deploy=True)
def check_debug(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Error pages of DEBUG show settings and memory to anybody."""
    if not settings.DEBUG:
        return []
    return [Error("DEBUG is on.", hint="Remove DEBUG from the environment.", id="vwg.E001")]


@register(Tags.security)
def check_encryption_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Without its key ring nothing secret can be stored or read."""
    errors: list[CheckMessage] = []
    for number, name in ((2, "VWG_ENCRYPTION_KEYS"), (3, "VWG_CLIENT_ENCRYPTION_KEYS")):
        texts = getattr(settings, name)
        if not texts and name == "VWG_CLIENT_ENCRYPTION_KEYS":
            continue  # derived from the first ring
        try:
            Ring.parse(texts)
        except RingError:
            hint = f"Give {name} as id:base64 of 32 bytes; `make up` writes one to .env."
            errors.append(
                Error(f"{name} is missing or unusable.", hint=hint, id=f"vwg.E00{number}")
            )
    return errors


@register(Tags.security, deploy=True)
def check_public_url(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The scheme of VWG_PUBLIC_URL decides about secure cookies: it must be the real one."""
    url = urlsplit(settings.VWG_PUBLIC_URL)
    found: list[CheckMessage] = []
    if url.scheme not in ("http", "https") or not url.hostname:
        hint = "Like https://vpn.example.org."
        return [Error("VWG_PUBLIC_URL is not a URL.", hint=hint, id="vwg.E004")]
    if url.scheme == "http" and url.hostname not in _LOCAL:
        hint = "Passwords and tokens would cross the network in clear; use https."
        found.append(Warning("VWG_PUBLIC_URL is http.", hint=hint, id="vwg.W001"))
    if (url.scheme == "https") != settings.SESSION_COOKIE_SECURE:
        hint = "Set VWG_PUBLIC_URL and let the settings follow it."
        found.append(Error("Secure cookies do not fit VWG_PUBLIC_URL.", hint=hint, id="vwg.E005"))
    if url.scheme == "https" and not settings.SECURE_PROXY_SSL_HEADER:
        hint = "vwg itself speaks http: set VWG_BEHIND_PROXY=1 when a proxy ends TLS before it."
        found.append(Warning("No proxy is declared for https.", hint=hint, id="vwg.W002"))
    return found


@register(Tags.security, deploy=True)
def check_driver(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The memory driver applies nothing."""
    if settings.VWG_DRIVER != "memory":
        return []
    return [Error("VWG_DRIVER is memory.", hint="Nothing would be applied.", id="vwg.E006")]
