"""Where: global settings, gateways, interfaces, address pools, and the outbox of changes."""

from gateways.models.hosts import AddressPool, Gateway, Interface
from gateways.models.jobs import Heartbeat, Job, JobItem, ScheduledJob
from gateways.models.settings import GlobalSetting
from gateways.models.wake import WakeHost

__all__ = [
    "AddressPool",
    "Gateway",
    "GlobalSetting",
    "Heartbeat",
    "Interface",
    "Job",
    "JobItem",
    "ScheduledJob",
    "WakeHost",
]
