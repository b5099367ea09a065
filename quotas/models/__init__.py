"""How much, and why not: plans, holds, and the ledger of bytes."""

from quotas.models.holds import Hold
from quotas.models.meters import CounterRun, LedgerSegment, Meter, Session, UsageBucket
from quotas.models.plans import Plan
from quotas.models.usage import Shape, TenantUsage, Usage

__all__ = [
    "CounterRun",
    "Hold",
    "LedgerSegment",
    "Meter",
    "Plan",
    "Session",
    "Shape",
    "TenantUsage",
    "Usage",
    "UsageBucket",
]
