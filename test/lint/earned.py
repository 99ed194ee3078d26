#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The conformance table is earned: what stands as done has its tag at the code that
decides and in a test that shows it; every cell of the state-by-event table is decided
and has a script or a reason; the generated documents are up to date."""
import re
import subprocess
import arrows
from cells import cells, complaints, slug
from common import ROOT, Report, def_entries, files
from reqs import STATUSES, requirements

# Whom a decision follows: a document, Linux, or our own reason (in the note).
FOLLOWS = re.compile(r"rfc\d+|linux|rill")
SHOWN = 20                      # cells without script that are named


def unearned(every):
    bad = []
    for r in every:
        where = "rfc9293.tsv" if r.rfc == "RFC9293" else "other.tsv"
        if r.status not in STATUSES:
            bad.append(f"{where}: {r.id}: status {r.status!r} is none of {', '.join(STATUSES)}")
        elif r.status != "done" and not r.note:
            bad.append(f"{where}: {r.id}: {r.status} without a note that says why")
        elif r.status == "done" and not r.code:
            bad.append(f"{where}: {r.id}: done, but [{r.tag}] is nowhere in src/")
        elif r.status == "done" and not r.tests:
            bad.append(f"{where}: {r.id}: done, but [{r.tag}] is nowhere in test/")
    return bad


def undecided(every):
    bad = []
    states = {c.state for c in every} | {"n.a."}
    drops = {e.split(",")[0].strip() for e in def_entries("src/obs/drops.def", "DROP")}
    for c in every:
        if re.split(r"[;( ]", c.decision)[0] not in {re.split(r"[( ]", s)[0] for s in states}:
            bad.append(f"{c.state}, {c.event}: the decision begins with no state")
        bad += [f"{c.state}, {c.event}: no drop reason {d}"
                for d in re.findall(r"; drop (\w+)", c.decision) if d not in drops]
        if not FOLLOWS.fullmatch(c.follows):
            bad.append(f"{c.state}, {c.event}: follows {c.follows!r}?")
        if c.follows == "rill" and not c.note:
            bad.append(f"{c.state}, {c.event}: our own decision without its reason")
    return bad


def misplaced(every):
    """A script in a directory that looks like a cell's but is none."""
    dirs, bad = {c.dir for c in every}, []
    events = {slug(c.event) for c in every}
    states = {slug(c.state) for c in every}
    for path in files("test/drill", ".pkt"):
        part = path.split("/")
        if len(part) < 5 or "/".join(part[:4]) in dirs:
            continue
        if part[2] in events or part[3] in states:
            bad.append(f"{path}: {part[2]}/{part[3]} is no cell: test/lint/cells.py --list")
    return bad


def stale(*command):
    p = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [] if p.returncode == 0 else p.stderr.strip().split("\n")


def main():
    every, table = requirements(), cells()
    crossed, unknown = arrows.crossings()
    missing = [c for c in table if c.status() == "missing"]
    named = [f"{c.dir}: no script, and no note that says why" for c in missing[:SHOWN]]
    if len(missing) > SHOWN:
        named.append(f"and {len(missing) - SHOWN} more: test/lint/cells.py --list missing")
    r = Report()
    r.check("what is done has its code and its test", unearned(every))
    r.check("every cell is decided", undecided(table))
    r.check("every cell has a directory of its own", complaints())
    r.check("scripts of cells lie where they belong", misplaced(table))
    r.check("every cell has a script or a reason", named)
    r.check("the state diagram is the code's", arrows.complaints())
    r.check("scripts name arrows that exist", unknown)
    r.check("every arrow has a script",
            [f"{s} to {d}: no script has [arrow:{s}>{d}]"
             for s, d in arrows.matrix() if (s, d) not in crossed])
    r.check("doc/states.svg is up to date", stale("scripts/state-diagram", "--check"))
    r.check("doc/conformance.md is up to date", stale("scripts/conformance", "--check"))
    count = {s: sum(x.status == s for x in every) for s in STATUSES}
    print("requirements: " + ", ".join(f"{n} {s}" for s, n in count.items()))
    print(f"cells: {sum(c.status() == 'ok' for c in table)} with a script, "
          f"{sum(c.status() == 'none' for c in table)} with a reason, "
          f"{len(missing)} missing, of {len(table)}")
    r.done()


if __name__ == "__main__":
    main()
