#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cells of the state-by-event table (doc/requirements/states.tsv) and where
their scripts lie: test/drill/<event>/<state>/<case>.pkt.  The only place that knows
how a state or an event becomes a directory's name.

    test/lint/cells.py --list [WORD...]   state, event, path, decision, missing|ok|none
    test/lint/cells.py --slug TEXT        the name of one directory

WORDs select rows in which each of them occurs.  A row is "none" when its note says why
no script can show it ("no script: ...")."""
import os
import re
import sys
from common import ROOT, text

TABLE = "doc/requirements/states.tsv"
TOP = "test/drill"


def slug(words):
    """SYN at RCV.NXT -> syn-at-rcv-nxt; < and > decide, so they stay as words."""
    words = words.replace("<", " below ").replace(">", " above ")
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def table(path):
    """A list of dicts, one a row, of a .tsv that starts with its columns' names."""
    head, *rows = text(path).rstrip("\n").split("\n")
    keys = head.split("\t")
    return [dict(zip(keys, r.split("\t"))) for r in rows]


class Cell:
    def __init__(self, row):
        self.row = row
        self.state, self.event, self.kind = row["state"], row["event"], row["event_class"]
        self.decision = row.get("decision", "")
        self.follows = row.get("follows", "")
        self.note = row.get("note", "")
        self.dir = f"{TOP}/{slug(self.event)}/{slug(self.state)}"

    def scripts(self):
        """Paths from the root of the tree, sorted."""
        full = os.path.join(ROOT, self.dir)
        if not os.path.isdir(full):
            return []
        return sorted(f"{self.dir}/{n}" for n in os.listdir(full) if n.endswith(".pkt"))

    def status(self):
        if self.scripts():
            return "ok"
        return "none" if self.note.startswith("no script:") else "missing"


def cells():
    return [Cell(r) for r in table(TABLE)]


def complaints():
    """Cells that would lie in one directory."""
    seen, bad = {}, []
    for c in cells():
        if c.dir in seen:
            bad.append(f"{c.dir}: both {seen[c.dir]} and {c.event}")
        seen[c.dir] = c.event
    return bad


def main(args):
    if args[:1] == ["--slug"] and len(args) == 2:
        print(slug(args[1]))
        return 0
    if args[:1] != ["--list"]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    for c in cells():
        line = "\t".join((c.state, c.event, c.dir, c.decision, c.status()))
        if all(w.lower() in line.lower() for w in args[1:]):
            print(line)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(0)
