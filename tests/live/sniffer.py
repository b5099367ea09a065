"""Every WireGuard message on a bridge, with its time, direction, type and length; for exact books.

Run as ``python -m tests.live.sniffer DEVICE PORT…`` inside a namespace; a line each, until killed:
``SECONDS in|out ADDRESS TYPE LENGTH``. ADDRESS is the client's, LENGTH the UDP payload's. Linux
only (packet(7)), standard library only.
"""

from __future__ import annotations

import socket
import struct
import sys

ETH_P_ALL = 3
#: Message types (WireGuard whitepaper, 5.4): initiation, response, cookie, data.
INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4


#: socket(7); not among Python's names.
_SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 33, 35


def main() -> None:
    device, ports = sys.argv[1], {int(word) for word in sys.argv[2:]}
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    raw.bind((device, 0))
    raw.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 32 << 20)
    raw.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    print("ready", flush=True)
    while True:
        packet, [(_, _, stamp)], _, _ = raw.recvmsg(65535, 128)
        at = _when(stamp)
        if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            continue
        udp = packet[(packet[0] & 15) * 4 :]
        source, target, length = struct.unpack("!HHH", udp[:6])
        if not ports & {source, target} or length < 12:
            continue
        inward = target in ports
        address = socket.inet_ntoa(packet[12:16] if inward else packet[16:20])
        print(f"{at:.6f} {'in' if inward else 'out'} {address} {udp[8]} {length - 8}", flush=True)


def _when(stamp: bytes) -> float:
    """When the kernel had the packet: a busy machine's reader comes later."""
    seconds, nanoseconds = struct.unpack("@ll", stamp)
    return float(seconds + nanoseconds / 1e9)


if __name__ == "__main__":
    main()
