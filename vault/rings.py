"""The two rings of this installation: one for gateways' secrets, one for clients' private keys.

They are apart so that a gateway host can be given the first without the second.
"""

from functools import cache

from django.conf import settings

from vault.ring import Ring


@cache
def gateway_ring() -> Ring:
    """Opens interface keys and preshared keys: what a gateway worker must know."""
    return Ring.parse(settings.VWG_ENCRYPTION_KEYS)


@cache
def client_ring() -> Ring:
    """Opens clients' private keys: what only the portal must know."""
    if settings.VWG_CLIENT_ENCRYPTION_KEYS:
        return Ring.parse(settings.VWG_CLIENT_ENCRYPTION_KEYS)
    return gateway_ring().derive("vwg client keys")
