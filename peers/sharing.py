"""Share links: from the secret in an address to a link that works, or to nothing.

Nothing tells an unknown secret from one that has ended: there is no word for why a link is refused.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F, Q, QuerySet

from peers.models import ShareLink
from tenants.models import Tenant
from tenants.row_security import reach

NO_LINK: Final = "This link leads nowhere."
STATES: Final = ("active", "used", "revoked", "expired")
#: A key that was set is answered again for so long, to who sends the same one.
AGAIN_WITHIN: Final = timedelta(minutes=10)


def digest_of(secret: str) -> str:
    """What is stored of a secret: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def url_of(secret: str) -> str:
    """The address to give to the customer."""
    return f"{settings.VWG_PUBLIC_URL}/s/{secret}"


def usable(at: datetime, *, again: bool = False) -> QuerySet[ShareLink]:
    """Links that work at this moment: not revoked, expired or used up, of a device that is there
    and a tenant that is active.

    ``again``: also those for one use that set a key just now, for who did not hear the answer.
    """
    free = Q(single_use=False) | Q(used_at__isnull=True)
    if again:
        free |= Q(allows_key=True, used_at__gt=at - AGAIN_WITHIN)
    return ShareLink.objects.filter(
        free,
        Q(expires_at__isnull=True) | Q(expires_at__gt=at),
        revoked_at__isnull=True,
        peer__deleted_at__isnull=True,
        peer__client__deleted_at__isnull=True,
        peer__tenant_id=F("tenant_id"),  # a device that went to another seller left its links
        tenant__status=Tenant.Status.ACTIVE,
    )


def find_link(secret: str, *, at: datetime, again: bool = False) -> ShareLink | None:
    """The link of this secret, if it works, with all that its page shows."""
    digest = digest_of(secret)
    reach(share=digest)
    found = ShareLink.objects.filter(digest=digest).values_list("pk", "tenant_id").first()
    if found is None:
        return None
    reach(tenant=str(found[1]))
    link = (
        usable(at, again=again)
        .filter(pk=found[0])
        .select_related("tenant", "peer__client", "peer__interface__gateway")
        .first()
    )
    if link is not None:
        link.peer.tenant = link.tenant
    return link


def state_of(link: ShareLink, *, at: datetime) -> str:
    """active, used, revoked or expired, as its owner sees it."""
    if link.revoked_at is not None:
        return "revoked"
    if link.single_use and link.used_at is not None:
        return "used"
    if link.expires_at is not None and link.expires_at <= at:
        return "expired"
    return "active"
