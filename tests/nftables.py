"""nftables as far as the cut-off uses them: its texts carried out, packets counted and dropped.

That the real nft does the same with them is proved in tests/live/test_cutoff.py.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from wireguard.errors import CommandMissing, DriverRejected

_RULE = re.compile(r"^\t\t(?!type)", re.M)


@dataclass
class Counter:
    """A named quota: its limit, and what it counted (what it dropped included)."""

    limit: int
    used: int = 0


@dataclass
class Kernel:
    """One table of one interface. ``missing``: there is no nft on this host."""

    quotas: dict[str, Counter] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: int = 0
    there: bool = False
    missing: bool = False
    texts: list[str] = field(default_factory=list)
    listings: int = 0

    @property
    def limits(self) -> dict[str, int]:
        return {name: counter.limit for name, counter in self.quotas.items()}

    def flush(self) -> None:
        """What `nft flush ruleset` leaves."""
        self.quotas, self.maps, self.rules, self.there = {}, {}, 0, False

    # -- what wireguard.nft.Nft offers ------------------------------------------------------

    def load(self, text: str) -> None:
        if self.missing:
            raise CommandMissing("firewall: the command nft is not installed")
        before = deepcopy((self.quotas, self.maps, self.rules, self.there))
        try:
            if "table inet" in text and "{\n" in text:
                self._make(text)
            else:
                for line in text.splitlines():
                    self._run(line)
        except (KeyError, AssertionError):
            self.quotas, self.maps, self.rules, self.there = before
            raise DriverRejected("firewall: no such file or directory", explained=False) from None
        self.texts.append(text)

    def list_table(self, name: str) -> str | None:
        if self.missing:
            raise CommandMissing("list: the command nft is not installed")
        self.listings += 1
        if not self.there:
            return None
        quotas = [
            {"quota": {"name": name, "bytes": one.limit, "used": min(one.used, one.limit)}}
            for name, one in self.quotas.items()
        ]
        return json.dumps({"nftables": [{"metainfo": {}}, *quotas, *[{"rule": {}}] * self.rules]})

    # -- packets ----------------------------------------------------------------------------

    def passes(self, address: str, size: int, *, up: bool) -> bool:
        """Whether a packet of a client gets through, upwards or downwards."""
        for way in ("b", "u" if up else "d"):
            name = self._quota(way, address)
            if name is not None:
                self.quotas[name].used += size
                if self.quotas[name].used >= self.quotas[name].limit:
                    return False
        return True

    def _quota(self, way: str, address: str) -> str | None:
        family = "6" if ":" in address else "4"
        if (found := self.maps.get(way + family, {}).get(address)) is not None:
            return found
        for network, name in self.maps.get(f"{way}{family}n", {}).items():
            if ip_address(address) in ip_network(network):
                return name
        return None

    # -- texts ------------------------------------------------------------------------------

    def _make(self, text: str) -> None:
        self.flush()
        self.there = True
        for name, limit in re.findall(r"\tquota (\w+) \{ over (\d+) bytes \}", text):
            self._add_quota(name, int(limit))
        for where, pairs in re.findall(r"\tmap (\w+) \{.*? elements = \{(.*?)\};", text):
            self._add_element(where, pairs)
        self.rules = len(_RULE.findall(text))

    def _run(self, line: str) -> None:
        verb, kind, rest = re.fullmatch(r"(\w+) (\w+) inet \S+ ?(.*)", line).groups()  # type: ignore[union-attr]
        name, _, body = rest.partition(" ")
        if kind == "table":
            self.flush()
            self.there = verb == "add"
            return
        assert self.there
        if (verb, kind) == ("add", "quota"):
            self._add_quota(name, int(body.split()[2]))
        elif (verb, kind) == ("delete", "quota"):
            assert all(name not in pairs.values() for pairs in self.maps.values())
            del self.quotas[name]
        elif (verb, kind) == ("add", "element"):
            self._add_element(name, body)
        elif (verb, kind) == ("delete", "element"):
            for network in body.strip("{ }").split(", "):
                del self.maps[name][network]
            if not self.maps[name]:
                del self.maps[name]

    def _add_quota(self, name: str, limit: int) -> None:
        self.quotas.setdefault(name, Counter(limit)).limit = limit

    def _add_element(self, where: str, pairs: str) -> None:
        for pair in pairs.strip("{ }").split(", "):
            network, _, quota = pair.partition(" : ")
            assert quota.strip('"') in self.quotas
            assert network not in self.maps.setdefault(where, {})
            self.maps[where][network] = quota.strip('"')
