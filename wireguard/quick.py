"""An interface whose operator keeps it with wg-quick(8), and who asked for that to stay so."""

from __future__ import annotations

from typing import Final

from wireguard.host import check_interface_name, command_prefix
from wireguard.runner import Runner
from wireguard.steps import Steps

QUICK_WITHIN_S: Final = 60.0


class QuickUnit:
    """Takes an adopted interface up and down as its operator would, hooks and all.

    The caller stamps the link after `up` (`Link.stamp`): wg-quick makes a new one each time. Both
    raise a `DriverError`.
    """

    def __init__(
        self, runner: Runner, name: str, netns: str | None = None, sudo: bool = False
    ) -> None:
        self.name = check_interface_name(name)
        self._steps = Steps(runner, command_prefix(netns, sudo=sudo))

    def up(self) -> None:
        """Run ``wg-quick up``: it fails when the interface exists."""
        self._steps.run("wg-quick up", ["wg-quick", "up", self.name], timeout=QUICK_WITHIN_S)

    def down(self) -> None:
        """Run ``wg-quick down``: it fails when there is no such interface."""
        self._steps.run("wg-quick down", ["wg-quick", "down", self.name], timeout=QUICK_WITHIN_S)
