"""nft on a host: texts put into the kernel, and tables read back."""

from __future__ import annotations

from typing import Final

from wireguard.errors import DriverRejected
from wireguard.firewall import load
from wireguard.runner import Runner
from wireguard.steps import Steps, failure

_WITHIN_S: Final = 10.0


class Nft:
    """The nftables of one network namespace. Every method raises a `DriverError` on failure."""

    def __init__(self, runner: Runner, prefix: tuple[str, ...] = ()) -> None:
        self._runner = runner
        self._steps = Steps(runner, prefix)

    def load(self, text: str) -> None:
        """Put a text into the kernel: all of it or nothing."""
        load(self._runner, text, self._steps.prefix)

    def list_table(self, name: str) -> str | None:
        """Table ``inet name`` as JSON, its sets and maps without their elements; None: no such."""
        argv = ["nft", "-j", "-t", "list", "table", "inet", name]
        done = self._steps.attempt("list", argv, timeout=_WITHIN_S)
        if not done.returncode:
            return done.stdout.decode()
        error = failure("list", "nft", done)
        if isinstance(error, DriverRejected) and b"No such file" in done.stderr:
            return None
        raise error
