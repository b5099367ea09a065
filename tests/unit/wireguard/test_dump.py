"""A dump is read whole or refused whole."""

import random
import time

import pytest

from wireguard import keys
from wireguard.dump import parse_dump
from wireguard.errors import TruncatedDump
from wireguard.types import InterfaceStatus, PeerStatus, Secret

PRIVATE = "wH7ZLYFuAjp9Jwy5B0uKjL1YrHqRiTyWG2KgAHWPfWk="
PUBLIC = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
ONE = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
TWO = "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="
PSK = "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak="

HEAD = f"{PRIVATE}\t{PUBLIC}\t51820\toff\n"
FULL = f"{ONE}\t{PSK}\t192.0.2.1:1234\t10.0.0.2/32,fd00::2/128\t1700000000\t180\t92\t25\n"
BARE = f"{TWO}\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"


def test_every_column_is_read() -> None:
    dump = parse_dump(HEAD + FULL + BARE)
    assert dump.interface == InterfaceStatus(Secret(PRIVATE), PUBLIC, 51820, None)
    networks = ("10.0.0.2/32", "fd00::2/128")
    assert dump.peers == {
        ONE: PeerStatus(ONE, Secret(PSK), "192.0.2.1:1234", networks, 1700000000, 180, 92, 25),
        TWO: PeerStatus(TWO, None, None, (), 0, 0, 0, None),
    }


def test_an_interface_without_anything_is_read() -> None:
    dump = parse_dump("(none)\t(none)\t0\t0x1f\n")
    assert dump.interface == InterfaceStatus(None, None, 0, 31)
    assert dump.peers == {}


def test_the_longer_interface_line_of_amneziawg_is_read() -> None:
    extra = "\t".join(["4", "40", "70", "0", "0", "1", "2", "3", "4"])
    dump = parse_dump(f"{PRIVATE}\t{PUBLIC}\t51820\t{extra}\t0x2a\n{BARE}")
    assert (dump.interface.listen_port, dump.interface.fwmark) == (51820, 42)


def test_allowed_ips_come_sorted_and_unjudged() -> None:
    line = BARE.replace(
        "(none)\t0", "fd00::1/128,10.0.0.10/32,::ffff:1.2.3.4/128,10.0.0.9/32\t0", 1
    )
    peer = parse_dump(HEAD + line).peers[TWO]
    assert peer.allowed_ips == (
        "10.0.0.9/32",
        "10.0.0.10/32",
        "::ffff:1.2.3.4/128",
        "fd00::1/128",
    )


def test_a_dump_cut_anywhere_but_behind_a_line_is_refused() -> None:
    whole = HEAD + FULL + BARE
    read = []
    for cut in range(len(whole)):
        try:
            parse_dump(whole[:cut])
        except TruncatedDump:
            continue
        read.append(cut)
    assert read == [len(HEAD), len(HEAD + FULL)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        FULL,
        HEAD + HEAD,
        HEAD + "\n",
        HEAD + FULL + FULL,
        HEAD + FULL.replace("\t180", ""),
        HEAD + FULL.replace("\t180", "\t180\t1"),
        HEAD + FULL.replace("\t180", "\t-1"),
        HEAD + FULL.replace("\t180", "\t+1"),
        HEAD + FULL.replace("\t180", "\t0180"),
        HEAD + FULL.replace("\t180", "\t1_8"),
        HEAD + FULL.replace("\t180", "\t 180"),
        HEAD + FULL.replace("\t180", "\t\u0661"),
        HEAD + FULL.replace("\t180", "\t1.5"),
        HEAD + FULL.replace("\t25\n", "\ton\n"),
        HEAD + FULL.replace(ONE, ONE[1:]),
        HEAD + FULL.replace("10.0.0.2/32", "fd00::7/128,nonsense"),
        HEAD.replace("\t51820", ""),
        HEAD.replace("off", "mark"),
        "wg0\t" + HEAD,
        HEAD + FULL.replace("\n", "\r\n"),
    ],
)
def test_an_ill_formed_dump_is_refused_without_showing_a_key(text: str) -> None:
    with pytest.raises(TruncatedDump) as caught:
        parse_dump(text)
    for key in (PRIVATE, PSK, ONE):
        assert key not in str(caught.value)


def test_ten_thousand_peers_are_read_within_a_tick() -> None:
    numbers = random.Random(1)
    lines = [HEAD]
    for index in range(10_000):
        key = keys.generate_preshared_key().reveal()
        address = f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}/32,fd00::{index:x}/128"
        lines.append(
            f"{key}\t(none)\t192.0.2.1:{index + 1}\t{address}\t{1_700_000_000 + index}"
            f"\t{numbers.randrange(10**10)}\t{numbers.randrange(10**10)}\toff\n"
        )
    text = "".join(lines)
    assert len(text) > 1 << 20
    started = time.process_time()
    dump = parse_dump(text)
    spent = time.process_time() - started
    assert len(dump.peers) == 10_000
    assert spent < 0.5  # about 0.04 s on an idle 2-core machine; this one may be busy
