"""Taking a tenant's data out: an act like others, since whoever has the file has it all."""

from __future__ import annotations

from datetime import datetime
from typing import IO

from django.db import transaction

from audit.events import Actor, Target, record
from resellers.export import lines
from tenants.models import Tenant


def export_tenant(
    *,
    tenant: Tenant,
    file: IO[bytes],
    actor: Actor,
    at: datetime,
    with_secrets: bool = False,
    for_operator: bool = False,
) -> int:
    """Write the export to ``file``, and the event before it; how many lines were written.

    Not in one transaction: nobody shall wait for it. Each thing is as it was when it was read.
    """
    with transaction.atomic():
        record(
            actor=actor,
            action="tenant.exported",
            target=Target("tenant", str(tenant.uuid), tenant.name, tenant.pk),
            after={"with_secrets": with_secrets},
        )
    written = 0
    found = lines(tenant, at=at, with_secrets=with_secrets, for_operator=for_operator)
    for line in found:
        file.write(line.encode())
        written += 1
    return written
