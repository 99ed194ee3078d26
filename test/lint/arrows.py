#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The arrows of the state diagram, read from the table that src/tcp/conn.c checks every
change of state against, and the packet scripts that cross them.

    test/lint/arrows.py     number, from, to, cause, scripts

A script says in a comment what it crosses: [arrow:ESTABLISHED>FIN-WAIT-1]."""
import re
import sys
from common import files, strip_comments, text

TABLE = "src/tcp/conn.c"
NAMES = {"CLOSE": "CLOSED", "SYN_RECV": "SYN-RECEIVED", "FIN_WAIT1": "FIN-WAIT-1",
         "FIN_WAIT2": "FIN-WAIT-2"}
TAG = re.compile(r"\[arrow:([^\]]*)\]")

# What happens, and what is sent; in the order in which a connection lives.
CAUSES = {
    ("CLOSED", "LISTEN"): "passive OPEN",
    ("CLOSED", "SYN-SENT"): "active OPEN / send SYN",
    ("LISTEN", "SYN-RECEIVED"): "SYN / send SYN,ACK",
    ("LISTEN", "SYN-SENT"): "active OPEN / send SYN",
    ("LISTEN", "CLOSED"): "CLOSE, ABORT",
    ("SYN-SENT", "SYN-RECEIVED"): "SYN / send SYN,ACK",
    ("SYN-SENT", "ESTABLISHED"): "SYN,ACK / send ACK",
    ("SYN-SENT", "CLOSED"): "CLOSE, RST, hard ICMP error, timeout",
    ("SYN-RECEIVED", "ESTABLISHED"): "ACK of our SYN",
    ("SYN-RECEIVED", "FIN-WAIT-1"): "CLOSE",
    ("SYN-RECEIVED", "LISTEN"): "RST, SYN, timeout (passive)",
    ("SYN-RECEIVED", "CLOSED"): "RST, hard ICMP error, timeout, ABORT (active)",
    ("ESTABLISHED", "FIN-WAIT-1"): "CLOSE / send FIN",
    ("ESTABLISHED", "CLOSE-WAIT"): "FIN / send ACK",
    ("ESTABLISHED", "CLOSED"): "RST, timeout, ABORT",
    ("FIN-WAIT-1", "FIN-WAIT-2"): "ACK of our FIN",
    ("FIN-WAIT-1", "CLOSING"): "FIN / send ACK",
    ("FIN-WAIT-1", "TIME-WAIT"): "FIN with ACK of ours / send ACK",
    ("FIN-WAIT-1", "CLOSED"): "RST, timeout, ABORT",
    ("FIN-WAIT-2", "TIME-WAIT"): "FIN / send ACK",
    ("FIN-WAIT-2", "CLOSED"): "RST, timeout, ABORT",
    ("CLOSE-WAIT", "LAST-ACK"): "CLOSE / send FIN",
    ("CLOSE-WAIT", "CLOSED"): "RST, timeout, ABORT",
    ("CLOSING", "TIME-WAIT"): "ACK of our FIN",
    ("CLOSING", "CLOSED"): "RST, timeout, ABORT",
    ("LAST-ACK", "CLOSED"): "ACK of our FIN, RST, timeout, ABORT",
    ("TIME-WAIT", "CLOSED"): "2 MSL",
}


def name(macro):
    return NAMES.get(macro, macro.replace("_", "-"))


def matrix():
    """{(from, to)} as the code has it."""
    code = strip_comments(text(TABLE))
    body = re.search(r"\barrows\[RILL_TCP_STATES\] = \{(.*?)\n\};", code, re.S).group(1)
    pairs = set()
    for row in re.finditer(r"\[RILL_(\w+)\]\s*=\s*((?:BIT\(RILL_\w+\)[\s|]*)+)", body):
        pairs |= {(name(row.group(1)), name(to))
                  for to in re.findall(r"BIT\(RILL_(\w+)\)", row.group(2))}
    return pairs


def crossings():
    """(from, to) -> [(path, line)] of the packet scripts; and tags that name no arrow."""
    legal, found, unknown = matrix(), {}, []
    for path in files("test/drill", ".pkt"):
        for n, line in enumerate(text(path).split("\n"), 1):
            for tag in TAG.findall(line):
                pair = tuple(tag.split(">"))
                if pair in legal:
                    found.setdefault(pair, []).append((path, n))
                else:
                    unknown.append(f"{path}:{n}: [arrow:{tag}]: no such arrow")
    return found, unknown


def arrows():
    """[(number, from, to, cause)] of the code's arrows."""
    legal = matrix()
    return [(i, f, t, CAUSES[f, t])
            for i, (f, t) in enumerate((p for p in CAUSES if p in legal), 1)]


def complaints():
    """Where the picture and the code differ."""
    legal = matrix()
    return ([f"{TABLE}: {f} to {t} has no cause in test/lint/arrows.py"
             for f, t in legal - set(CAUSES)] +
            [f"test/lint/arrows.py: {f} to {t}: the code has no such arrow"
             for f, t in set(CAUSES) - legal])


if __name__ == "__main__":
    crossed, _ = crossings()
    for number, src, dst, cause in arrows():
        where = " ".join(f"{p}:{n}" for p, n in crossed.get((src, dst), ()))
        print(f"{number}\t{src}\t{dst}\t{cause}\t{where or 'missing'}")
    sys.exit(0)
