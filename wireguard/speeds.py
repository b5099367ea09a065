"""Speeds on one interface of this host: set, changed, looked after and taken away.

The caller holds the host lock. Whatever is set is only ever the difference to what the caller
says was set; when the kernel says otherwise, an error is raised, and `Speeds.remake` puts it
right whatever there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from wireguard.errors import DriverRejected, DriverUnavailable
from wireguard.host import command_prefix, lacks_kind
from wireguard.queues import MARKER
from wireguard.runner import Completed, Runner
from wireguard.shaper import QueueShaper, Shaper, Speed, Texts, limit_shaper
from wireguard.steps import Steps, failure

QUEUES: Final = "htb"
LIMITS: Final = "limit"
_LOAD_S: Final = 60.0
"""How long a command may take that sets thousands of speeds (seconds)."""


class Made(NamedTuple):
    """What speeds are set by: "htb" or "limit", and then why there are no queues."""

    means: str
    reason: str = ""


class Speeds:
    """Every method raises a `DriverError` on failure."""

    def __init__(
        self, runner: Runner, interface: str, netns: str | None = None, sudo: bool = False
    ) -> None:
        self._interface = interface
        self._steps = Steps(runner, command_prefix(netns, sudo=sudo))
        queued = QueueShaper(interface, netns or "")
        self._prefix = queued.prefix
        self._table = queued.table
        self._shapers: dict[str, Shaper] = {
            QUEUES: queued,
            LIMITS: limit_shaper(interface, netns or ""),
        }

    def remake(self, speeds: Collection[Speed], left: Iterable[Speed] = ()) -> Made:
        """All of them anew, whatever is there. ``left``: what may still be set from before.

        By queues, or by limits where the kernel has no queues; nothing stays of what failed.
        """
        self.clear(left)
        try:
            self._make(QUEUES, speeds)
        except DriverUnavailable:
            self.clear(speeds)
            raise
        except DriverRejected as error:
            self.clear(speeds)
            self._make(LIMITS, speeds)
            return Made(LIMITS, error.reason)
        return Made(QUEUES)

    def _make(self, means: str, speeds: Collection[Speed]) -> None:
        shaper, kinds = self._shapers[means], self._kinds()
        if means == QUEUES and "ingress" in kinds:
            raise DriverRejected(
                f"speeds: {self._interface} has an ingress qdisc that is not vwg's", explained=True
            )
        self._run(shaper.setup(clsact="clsact" in kinds))
        self._run(shaper.change((), speeds))

    def _kinds(self) -> set[str]:
        shown = self._steps.run(
            "speeds", ["tc", "-json", "qdisc", "show", "dev", self._interface], timeout=_LOAD_S
        )
        return {entry["kind"] for entry in json.loads(shown or "[]")}

    def change(
        self,
        means: str,
        before: Iterable[Speed],
        after: Iterable[Speed],
        *,
        shards: Collection[int],
    ) -> None:
        """From these speeds to those; ``shards`` are kept by other clients."""
        self._run(self._shapers[means].change(before, after, shards=shards))

    def clear(self, speeds: Iterable[Speed] = ()) -> None:
        """Take all of it away; fine if there is nothing. ``speeds`` are those that may be set."""
        texts = self._shapers[QUEUES].clear(speeds, self._devices())
        self._tc(texts.queues, force=True)
        self._run(texts._replace(queues=""))

    def intact(self, means: str) -> bool:
        """Whether what was set up is still there: a look that costs the same for any number."""
        listed = json.loads(self._steps.run("speeds", ["nft", "-json", "list", "chains"]))
        chains = [entry["chain"] for entry in listed["nftables"] if "chain" in entry]
        if sum(chain["table"] == self._table for chain in chains) < 2:
            return False
        if means != QUEUES:
            return True
        where = ["dev", self._interface, "egress", "protocol", "ip", "prio", str(MARKER)]
        shown = self._steps.attempt("speeds", ["tc", "-json", "filter", "show", *where])
        if shown.returncode or b"u32" not in shown.stdout:
            return False
        return all(kind == "htb" for kind in self._ifb().values())

    def _devices(self) -> list[str]:
        return list(self._ifb())

    def _ifb(self) -> dict[str, str]:
        """Our IFB devices and the kind of queue each has."""
        shown = self._steps.attempt("speeds", ["ip", "-json", "link", "show", "type", "ifb"])
        if shown.returncode:  # a kernel that does not know the kind
            return {}
        return {
            link["ifname"]: link.get("qdisc", "")
            for link in json.loads(shown.stdout or b"[]")
            if link and link["ifname"].startswith(self._prefix)
        }

    def _run(self, texts: Texts) -> None:
        if texts.devices:
            made = self._batch(["ip", "-force", "-batch", "-"], texts.devices)
            complaints = [
                line
                for line in made.stderr.decode(errors="replace").splitlines()
                if "Cannot find device" not in line and not line.startswith("Command failed")
            ]
            if complaints:
                text = "\n".join(complaints).encode()
                raise failure("speeds", "ip", made._replace(stderr=text))
        with ThreadPoolExecutor(
            1
        ) as beside:  # neither needs the other; of thousands it saves 0.2 s
            loaded = beside.submit(self._nft, texts.table)
            self._tc(texts.queues)
            loaded.result()

    def _nft(self, text: str) -> None:
        if text:
            loaded = self._batch(["nft", "-f", "-"], text)
            if loaded.returncode:
                raise failure("speeds", "nft", loaded)

    def _tc(self, text: str, *, force: bool = False) -> None:
        if not text:
            return
        done = self._batch(["tc", *(["-force"] if force else []), "-batch", "-"], text)
        if done.returncode and not force:
            raise failure("speeds", "tc", done)

    def _batch(self, argv: list[str], text: str) -> Completed:
        return self._steps.attempt("speeds", argv, stdin=text.encode(), timeout=_LOAD_S)


_TRIES: Final = {
    "sch_htb": "qdisc add dev lo root handle 1: htb",
    "sch_ingress": "qdisc add dev lo clsact",
    "cls_u32": "filter add dev lo parent 1: protocol ip prio 1 u32 match u32 0 0 classid 1:1",
    "act_mirred": "filter add dev lo parent 1: protocol ip prio 1 u32 match u32 0 0"
    " action mirred egress redirect dev lo",
}


def missing_modules(runner: Runner, prefix: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The parts of the kernel that queues need and that it has not, by their modules' names.

    Tried in a network namespace that dies with the try, which also loads them. Raises a
    `DriverError` when that is not permitted.
    """
    steps = Steps(runner, prefix)
    made = steps.attempt("speeds", ["unshare", "--net", "--", "ip", "link", "add", "type", "ifb"])
    if made.returncode and not lacks_kind(made.stderr):
        raise failure("speeds", "ip", made)
    text = "".join(f"{line}\n" for line in _TRIES.values()).encode()
    tried = steps.attempt(
        "speeds", ["unshare", "--net", "--", "tc", "-force", "-batch", "-"], stdin=text
    )
    failed = {int(number) for number in re.findall(rb"Command failed -:(\d+)", tried.stderr)}
    missing = [name for number, name in enumerate(_TRIES, start=1) if number in failed]
    if tried.returncode and not missing:
        raise failure("speeds", "tc", tried)
    return (*(["ifb"] if made.returncode else []), *missing)
