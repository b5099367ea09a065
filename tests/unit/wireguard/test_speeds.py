"""Speeds on a host: what its commands say, and what that means."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from wireguard.errors import CommandMissing, DriverForbidden, DriverRejected
from wireguard.runner import Completed
from wireguard.shaper import Speed, device_prefix
from wireguard.speeds import LIMITS, QUEUES, Made, Speeds, missing_modules

SPEED = Speed(16, 1000, 1000, ("10.8.0.2/32",))


class Host:
    """Answers commands by the words they hold; what it does not know succeeds in silence."""

    def __init__(self, **answers: tuple[int, str, str]) -> None:
        self.answers = answers
        self.ran: list[str] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> Completed:
        line = " ".join(argv)
        self.ran.append(line)
        for words, (code, out, err) in self.answers.items():
            if all(word in f"{line} {stdin.decode()}" for word in words.split("_")):
                return Completed(code, out.encode(), err.encode())
        return Completed(0, b"", b"")


def test_a_host_with_all_of_it_makes_queues() -> None:
    host = Host()
    assert Speeds(host, "wg0").remake([SPEED]) == Made(QUEUES)
    made, *rest = [line for line in host.ran if "batch" in line or "nft -f" in line][-3:]
    assert made == "ip -force -batch -"
    assert set(rest) == {"tc -batch -", "nft -f -"}


def test_without_queues_a_limit_takes_their_place_and_says_why() -> None:
    host = Host(**{"ip -force_add": (1, "", "Error: Unknown device type.\nCommand failed -:2\n")})
    made = Speeds(host, "wg0").remake([SPEED])
    assert made.means == LIMITS
    assert "Unknown device type" in made.reason


def test_an_ifb_that_was_not_there_is_no_failure_to_make_it() -> None:
    host = Host(**{"ip -force": (1, "", 'Cannot find device "vwgx"\nCommand failed -:1\n')})
    assert Speeds(host, "wg0").remake([SPEED]) == Made(QUEUES)


def test_a_refused_difference_is_told() -> None:
    host = Host(tc_batch=(1, "", "Error: Exclusivity flag on, cannot modify.\n"))
    with pytest.raises(DriverRejected, match="Exclusivity"):
        Speeds(host, "wg0").change(QUEUES, [], [SPEED], shards=[0])


def test_without_tc_or_rights_nothing_is_tried_in_its_place() -> None:
    missing = Host(tc_qdisc=(127, "", 'exec of "tc" failed: No such file or directory'))
    with pytest.raises(CommandMissing):
        Speeds(missing, "wg0", "ns").remake([SPEED])
    forbidden = Host(tc_batch=(2, "", "RTNETLINK answers: Operation not permitted"))
    with pytest.raises(DriverForbidden):
        Speeds(forbidden, "wg0").remake([SPEED])


def test_only_our_own_devices_are_looked_at_and_deleted() -> None:
    own = device_prefix("wg0")
    listed = f'[{{"ifname":"{own}u00","qdisc":"htb"}},{{"ifname":"ifb0","qdisc":"noqueue"}}]'
    chains = '{"nftables":[{"chain":{"table":"vwgs_wg0"}},{"chain":{"table":"vwgs_wg0"}}]}'
    host = Host(ip_json_ifb=(0, listed, ""), nft_json=(0, chains, ""), tc_filter=(0, "[u32]", ""))
    assert Speeds(host, "wg0").intact(QUEUES)
    assert Speeds(host, "wg0")._devices() == [f"{own}u00"]
    host.answers["ip_json_ifb"] = (0, listed.replace("htb", "noqueue"), "")
    assert not Speeds(host, "wg0").intact(QUEUES)
    assert Speeds(host, "wg0").intact(LIMITS)


def test_what_the_kernel_lacks_is_named_by_its_module() -> None:
    assert missing_modules(Host()) == ()
    host = Host(
        ip_ifb=(2, "", "Error: Unknown device type.\n"),
        tc_batch=(1, "", "Error: TC classifier not found.\nCommand failed -:3\nCommand failed -:4"),
    )
    assert missing_modules(host) == ("ifb", "cls_u32", "act_mirred")
    with pytest.raises(DriverForbidden):
        missing_modules(Host(ip_ifb=(1, "", "unshare failed: Operation not permitted")))
