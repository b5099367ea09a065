"""What the doctor finds, and what there is to find about the kernel's part in limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from gateways.drivers import station
from gateways.models import Interface
from wireguard.cutoff import table_name
from wireguard.errors import CommandMissing, DriverError

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
