#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requirement tags such as [RFC9293:MUST-58] or [RFC1122-15] exist in
doc/requirements/, and the mission's rows have tests that name them."""
import os
import re
from common import ROOT, Report, files, text
from reqs import requirements, scan

# Rows decided by the first version.
ROWS = ("A1 A2 A3 A4 A5 A6 A7 A8 A9 A11 A12 A14 A15 A16 A17 A18 A19 A21 A22 "
        "A24 A25 A26 A27 B10 B11 D8").split()

# Documents that are cited by section though nothing of them is in the tables:
# addresses, the sockets API for IPv6, HTTP, MPLS over GRE.
CITED = {"4291", "3493", "9110", "9112", "4023"}


def known_tags():
    ids, rfcs = set(), set()
    for r in requirements({}):
        ids.add(r.tag)
        rfcs.add(r.rfc.replace("RFC", ""))
    for name in os.listdir(os.path.join(ROOT, "doc/requirements")):
        rfcs |= set(re.findall(r"\bRFC ?(\d{3,5})\b", text("doc/requirements/" + name)))
    return ids, rfcs


def drop_sources():
    return set(re.findall(r'"RFC(\d+)', text("src/obs/drops.def")))


ids, rfcs = known_tags()
rfcs |= drop_sources() | CITED
bad = []
tagged = {"src": set(), "test": set()}
for tag, places in scan().items():
    m = re.fullmatch(r"RFC(\d+)(?::(.+)|-\d+[a-z]?)?", tag)
    for path, n in places:
        tagged.setdefault(path.split("/")[0], set()).add(tag)
        at = f"{path}:{n}: [{tag}]"
        if tag in ids:
            continue
        if not m:
            bad.append(f"{at}: not of a known form")
        elif m.group(2) is None and "-" in tag:
            bad.append(f"{at}: not in doc/requirements/other.tsv")
        elif re.match(r"(MUST|SHLD|MAY|REC)", m.group(2) or ""):
            bad.append(f"{at}: not in doc/requirements/rfc9293.tsv")
        elif m.group(1) not in rfcs:
            bad.append(f"{at}: RFC {m.group(1)} is in no table")
        elif m.group(2) and not re.fullmatch(
                r"(?:[A-Z]|\d+)(?:\.[\dA-Za-z]+)*(?:-[\w.]+)?", m.group(2)):
            bad.append(f"{at}: not a section number")

named = "\n".join(text(p) for p in files("test") if not p.startswith("test/lint/"))
rows = [f"no test names [{r}]" for r in ROWS if f"[{r}]" not in named]

r = Report()
r.check("requirement tags exist", bad)
r.check("mission rows have tests", rows)
print(f"requirements tagged: {len(tagged['src'] & ids)} in src/, "
      f"{len(tagged['test'] & ids)} in test/, of {len(ids)}")
r.done()
