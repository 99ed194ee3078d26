# SPDX-License-Identifier: MIT
"""The requirements of doc/requirements and where they are tagged: what the checks
and scripts/conformance share.

A tag is [RFC9293:MUST-58] or [RFC1122-15].  In src/ and include/ it stands at the
line that decides, in test/ (unit tests, packet scripts) at what shows it."""
import re
from cells import table
from common import files, lines

TABLES = ("doc/requirements/rfc9293.tsv", "doc/requirements/other.tsv")
STATUSES = ("done", "partial", "no", "n/a")
TAG = re.compile(r"\[(RFC\d[^\]\s]*)\]")
TOPS = ("src", "include", "test", "fuzz", "examples")


class Requirement:
    def __init__(self, row, own):
        self.row, self.id, self.level = row, row["id"], row["level"]
        self.rfc = "RFC9293" if own else row["id"].split("-")[0]
        self.tag = f"RFC9293:{self.id}" if own else self.id
        self.status, self.note = row.get("status", ""), row.get("note", "")
        self.text = row["requirement"]
        self.code, self.tests = [], []      # (path, line)

    def sort_out(self, found):
        for path, n in found.get(self.tag, ()):
            if path.startswith(("src/", "include/")):
                self.code.append((path, n))
            elif path.startswith("test/"):
                self.tests.append((path, n))
        # what decides before what declares it; a test before a fixture
        self.code.sort(key=lambda p: (p[0].startswith("include/"), p))
        self.tests.sort(key=lambda p: (p[0].startswith("test/lib/"), p))


def scan():
    """Every tag of the tree: tag -> [(path, line)]."""
    found = {}
    for top in TOPS:
        for path in files(top):
            if path.startswith("test/lint/"):
                continue
            for n, line in lines(path):
                for tag in TAG.findall(line):
                    found.setdefault(tag, []).append((path, n))
    return found


def requirements(found=None):
    found = scan() if found is None else found
    every = []
    for name in TABLES:
        every += [Requirement(r, name.endswith("rfc9293.tsv")) for r in table(name)]
    for r in every:
        r.sort_out(found)
    return every
