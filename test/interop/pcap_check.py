#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pcap_check.py FILE [ALLOWED]: let tshark read a capture with all checksums on;
fail on malformed packets, bad checksums, and expert warnings or errors that do not
match the regular expression ALLOWED."""
import os
import re
import subprocess
import sys

WARN = 0x600000
CHECK = "FALSE" if os.environ.get("PCAP_NO_CSUM") else "TRUE"
OPTIONS = [f"{proto}.check_checksum:{CHECK}" for proto in ("tcp", "ip", "udp")]


def tshark(path, *more):
    # Random bytes on a random port look like many protocols, and HTTP calls a
    # retransmission that is cut anew an error: only what Rill speaks is judged.
    cmd = ["tshark", "-n", "-r", path, "--disable-protocol", "http"]
    for proto in ("tcp", "udp"):
        cmd += ["-d", f"{proto}.port==1-65535,data"]
    for o in OPTIONS:
        cmd += ["-o", o]
    done = subprocess.run(cmd + list(more), capture_output=True, text=True,
                          errors="replace")
    if done.returncode:
        sys.exit(f"tshark: {done.stderr.strip()}")
    return done.stdout.rstrip("\n").split("\n") if done.stdout else []


path, allowed = sys.argv[1], re.compile(sys.argv[2] if len(sys.argv) > 2 else r"(?!)")
frames = len(tshark(path, "-T", "fields", "-e", "frame.number"))
if frames == 0:
    sys.exit("the capture is empty")
bad = []
fields = ["frame.number", "ip.checksum.status", "tcp.checksum.status",
          "udp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status",
          "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Info",
          "ip.src", "ipv6.src"]
RILL = ("10.77.0.2", "fd77::2")
# When Linux finishes a TCP checksum in software it writes 0xffff for 0x0000.
KERNELS_ZERO = "0xffff instead of 0x0000"
args = ["-T", "fields", "-E", "separator=\x1f", "-E", "aggregator=\x1e",
        "-E", "occurrence=a"]
for f in fields:
    args += ["-e", f]
interesting = ("ip.checksum.status == 0 || tcp.checksum.status == 0 || "
               "udp.checksum.status == 0 || icmp.checksum.status == 0 || "
               "icmpv6.checksum.status == 0 || _ws.malformed || "
               f"_ws.expert.severity >= {WARN}")
for line in tshark(path, "-Y", interesting, *args):
    v = dict(zip(fields, line.split("\x1f")))
    if KERNELS_ZERO in v["_ws.expert.message"] and \
            v["ip.src"] not in RILL and v["ipv6.src"] not in RILL:
        continue
    for f in fields[1:6]:
        if "0" in v[f].split("\x1e"):
            bad.append(f"frame {v['frame.number']}: bad {f.split('.')[0]} checksum: "
                       f"{v['_ws.col.Info']}")
    if v["_ws.malformed"]:
        bad.append(f"frame {v['frame.number']}: malformed: {v['_ws.col.Info']}")
    severities = v["_ws.expert.severity"].split("\x1e")
    messages = v["_ws.expert.message"].split("\x1e")
    for sev, msg in zip(severities, messages):
        if sev and int(sev, 0) >= WARN and not allowed.search(msg):
            bad.append(f"frame {v['frame.number']}: {msg}: {v['_ws.col.Info']}")
if bad:
    print(f"{len(bad)} complaints about {frames} frames")
    print("\n".join(bad[:12]))
    sys.exit(1)
