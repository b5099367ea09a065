"""What the doctor finds, and what there is to find about the kernel's part in limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from gateways.drivers import needs_sudo, station
from gateways.models import Interface
from wireguard.cutoff import table_name
from wireguard.errors import CommandMissing, DriverError, DriverForbidden
from wireguard.host import command_prefix
from wireguard.runner import LocalRunner
from wireguard.shaper import table_name as speeds_table
from wireguard.speeds import QUEUES, missing_modules

_LESS: Final = "there are no queues; nftables drops what is too fast, a second late"
_NOT: Final = "speeds are not enforced"
_POLLS: Final = "the collector reads more often the nearer a client is to its limit"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: ``mend`` is empty when all is well."""

    subject: str
    text: str
    mend: str = ""

    @property
    def ok(self) -> bool:
        return not self.mend


def cut_off(interface: Interface) -> Iterator[Finding]:
    """Whether clients can be cut off in the kernel, and who is about to be."""
    if not settings.VWG_CUTOFF:
        yield Finding("cut-off", f"switched off (VWG_CUTOFF); {_POLLS}")
        return
    nft = station(interface).nft
    try:
        if nft is not None:
            nft.list_table(table_name(interface.name))
    except CommandMissing:
        yield Finding(
            "cut-off",
            f"off, nft is not installed; {_POLLS}",
            mend="apt-get install --no-install-recommends nftables",
        )
    except DriverError as error:
        yield Finding("cut-off", f"off; {_POLLS}", mend=str(error))
    else:
        shown = interface.cutoff
        if why_not := shown.get("why_not", ""):
            yield Finding("cut-off", f"off; {_POLLS}", mend=why_not)
        else:
            yield Finding("cut-off", f"ready; {shown.get('armed', 0)} clients are close to a limit")


def speeds(interface: Interface) -> Iterator[Finding]:
    """Whether clients' speeds can be set, by what, and how many are."""
    shown = interface.shaping
    number, reason = shown.get("set", 0), shown.get("reason", "")
    text = f"{_LESS if number else _NOT} (set: {number})"
    if shown.get("by") == QUEUES:
        yield Finding("speeds", f"ready; {number} are set")
        return
    try:
        missing = missing_modules(LocalRunner(), command_prefix(sudo=needs_sudo()))
    except DriverForbidden as error:
        yield Finding("speeds", text, mend=reason or str(error))
        return
    except DriverError as error:
        tried = f"none are set; not tried what the kernel has ({error})"
        yield Finding("speeds", text, mend=reason) if reason else Finding("speeds", tried)
        return
    if missing:
        again = f"; nft delete table netdev {speeds_table(interface.name)} makes them anew"
        yield Finding("speeds", text, mend=f"modprobe {' '.join(missing)}{again if number else ''}")
    elif reason:
        yield Finding("speeds", text, mend=reason)
    else:
        yield Finding("speeds", f"ready; {number} are set")
