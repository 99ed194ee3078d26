#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernel sockets in numbers, against any HTTP server.

conns.py serial HOST PORT PATH COUNT          connect, ask, read, close; again
conns.py idle HOST PORT PATH COUNT SECONDS    all at once, held, then each one asks
"""
import socket
import sys
import time


def ask(s, host, path, close):
    how = "close" if close else "keep-alive"
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {how}\r\n\r\n".encode())
    got = b""
    while b"tiny\n" not in got:
        part = s.recv(4096)
        if not part:
            raise EOFError(f"closed after {got!r}")
        got += part
    if not got.startswith(b"HTTP/1.1 200"):
        raise ValueError(f"answered {got[:40]!r}")


def serial(host, port, path, count):
    for i in range(count):
        try:
            with socket.create_connection((host, port), timeout=20) as s:
                ask(s, host, path, True)
        except (OSError, EOFError, ValueError) as e:
            sys.exit(f"connection {i}: {e}")


def idle(host, port, path, count, seconds):
    held = []
    for i in range(count):
        try:
            held.append(socket.create_connection((host, port), timeout=20))
        except OSError as e:
            sys.exit(f"connection {i}: {e}")
    time.sleep(seconds)
    for i, s in enumerate(held):
        try:
            ask(s, host, path, False)
        except (OSError, EOFError, ValueError) as e:
            sys.exit(f"connection {i} after {seconds} s: {e}")
    for s in held:
        s.close()


mode, host, port, path = sys.argv[1:5]
numbers = [int(a) for a in sys.argv[5:]]
{"serial": serial, "idle": idle}[mode](host, int(port), path, *numbers)
