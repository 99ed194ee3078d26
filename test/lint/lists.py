#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every line of a .def list is alive: the code uses it, and where the list
promises a test, a test names it."""
import os
import re
from common import ROOT, Report, def_entries, files, strip_comments, text


def words(top, *endings, skip=()):
    found = set()
    for path in files(top, *endings):
        if path not in skip and not path.startswith("test/lint/"):
            found |= set(re.findall(r"\w+", strip_comments(text(path))))
    return found


def all_words(top):
    return set(w for p in files(top) if not p.startswith("test/lint/")
               for w in re.findall(r"\w+", text(p)))


def args(entry, n):
    return [a.strip() for a in entry.split(",")[:n]]


code = words("src", ".c", ".h")
# Names inside of the macros' arguments: RL_CTR(st, tcp_in_segs), CTR_tcp_in_segs.
tests = all_words("test")
test_text = "\n".join(text(p) for p in files("test") if not p.startswith("test/lint/"))
r = Report()

ctr = ["_".join(args(e, 2)) for e in def_entries("src/obs/counters.def", "CTR")]
r.check("every counter is counted",
        [c for c in ctr if c not in code and "CTR_" + c not in code])

drops = [args(e, 1)[0] for e in def_entries("src/obs/drops.def", "DROP")]
r.check("every drop reason is given somewhere",
        [d for d in drops if "RL_DROP_" + d not in code])
r.check("every drop reason has a test",
        [d for d in drops if "RL_DROP_" + d not in tests and
         # by its counter, as the last word of a row of a table, or in a packet script
         not re.search(r'drop\.%s\b|[" ]%s"|\bdrop %s\b' % (d, d, d), test_text)])

holds = [args(e, 1)[0] for e in def_entries("src/obs/holds.def", "HOLD")]
r.check("every hold reason is given somewhere",
        [h for h in holds if "RL_HOLD_" + h not in code])

tunables = [args(e, 2) for e in def_entries("src/stack/config.def", "CFG")]
r.check("every tunable decides something",
        [n for n, f in tunables if f not in code])

if os.path.exists(os.path.join(ROOT, "src/sock/sockopts.def")):
    body = re.sub(r"/\*.*?\*/", "", text("src/sock/sockopts.def"), flags=re.S)
    opts = re.findall(r"^\w+\((.*)", body, flags=re.M)
    names = []
    for o in opts:
        m = re.search(r"\b((?:SO|TCP|IP|IPV6|UDP|MCAST)_[A-Z0-9_]+)\b", o)
        if m:
            names.append(m.group(1))
    r.check("the list of socket options can be read",
            [] if len(names) == len(opts) else [f"{len(names)} names in {len(opts)} lines"])
    r.check("every socket option has a test", [n for n in names if n not in tests])
else:
    r.check("src/sock/sockopts.def exists", ["it doesn't"])

# fields that Linux keeps at 0, or that wait for a feature, say so in their help
info = [args(e, 2)[1] for e in def_entries("include/rill/tcpinfo.def", "INFO")
        if "always 0" not in str(e)]
r.check("every field of TCP_INFO is filled",
        [i for i in info if i not in code])
r.done()
