#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""poke.py ADDRESS: echo requests up to three fragments long, which must be answered
with the same bytes, and a datagram to a port where nobody listens, which must be
refused.  Needs a raw socket, so a namespace of its own."""
import os
import socket
import struct
import sys

host = sys.argv[1]
v6 = ":" in host


def csum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo(size):
    family, proto = ((socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6
                     else (socket.AF_INET, socket.IPPROTO_ICMP))
    body = os.urandom(size)
    head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 77, size & 0xffff)
    if not v6:
        head = head[:2] + struct.pack("!H", csum(head + body)) + head[4:]
    with socket.socket(family, socket.SOCK_RAW, proto) as s:
        s.settimeout(5)
        s.sendto(head + body, (host, 0))
        while True:
            got = s.recv(65535)
            got = got if v6 else got[(got[0] & 15) * 4:]
            if got[0] == (129 if v6 else 0) and got[4:6] == b"\0M":
                if got[8:] != body:
                    sys.exit(f"echo of {size} bytes: wrong bytes came back")
                return


for size in (0, 1, 56, 1400, 4000):
    echo(size)
with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)
    s.connect((host, 9))
    s.send(b"anybody?")
    try:
        s.recv(100)
        sys.exit("somebody answered on UDP port 9")
    except ConnectionRefusedError:
        pass
