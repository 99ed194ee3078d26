# SPDX-License-Identifier: MIT
"""What the lint checks share: the tree, and how results are reported."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = ["base", "obs", "wire", "buf", "ip", "tcp", "udp", "stack"]


class Report:
    """One named check after the other; a check without complaints passed."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, complaints):
        complaints = sorted(set(complaints))
        for c in complaints:
            print(f"{name}: {c}")
        if complaints:
            self.failed += 1
            print(f"FAIL {name}: {len(complaints)}")
        else:
            self.passed += 1

    def done(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def files(top, *endings):
    """Paths from the root of the tree, sorted."""
    found = []
    for dirpath, dirs, names in os.walk(os.path.join(ROOT, top)):
        dirs[:] = [d for d in dirs if not d.startswith((".", "__"))]
        found += [os.path.relpath(os.path.join(dirpath, n), ROOT)
                  for n in names if not endings or n.endswith(endings)]
    return sorted(found)


def text(path):
    with open(os.path.join(ROOT, path), errors="replace") as f:
        return f.read()


def lines(path):
    return enumerate(text(path).split("\n"), 1)


def strip_comments(code):
    """C without comments and without what stands in strings; lines stay."""
    def blank(m):
        s = m.group(0)
        return '""' if s[0] == '"' else re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, code, flags=re.S)


def def_entries(path, macro):
    """First arguments of MACRO(...) lines in a .def list."""
    code = re.sub(r"/\*.*?\*/", "", text(path), flags=re.S)
    return re.findall(r"^%s\(([^\n]*)" % macro, code, flags=re.M)
