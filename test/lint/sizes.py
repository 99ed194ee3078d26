#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lengths of functions and files: a report that fails nothing but a line wider
than 100 columns or a file without an opening comment."""
import re
from common import Report, files, lines, strip_comments, text


def functions(path):
    """(name, length in lines): a body is what stands between { and } at column 0."""
    name, start = None, 0
    code = strip_comments(text(path)).split("\n")
    for n, line in enumerate(code, 1):
        if line.startswith("{"):
            head = " ".join(code[max(0, n - 6):n - 1])
            m = re.findall(r"(\w+)\s*\(", head)
            name, start = (m[-1] if m else "?"), n
        elif line.startswith("}") and name:
            if not line.rstrip().endswith(";"):
                yield name, n - start - 1
            name = None


every, wide, headless, long_files = [], [], [], []
for path in files("src", ".c", ".h"):
    for n, line in lines(path):
        if len(line.expandtabs(8)) > 100:
            wide.append(f"{path}:{n}: {len(line.expandtabs(8))} columns")
    if path.endswith(".c"):
        every += [(length, name, path) for name, length in functions(path)]
        head = [l for l in text(path).split("\n")[:4] if "SPDX" not in l and l]
        if not head or not head[0].startswith("/*"):
            headless.append(path)
        count = text(path).count("\n")
        if count > 600:
            long_files.append(f"{path} ({count})")

if every:
    every.sort()
    median = every[len(every) // 2][0]
    over = [e for e in every if e[0] > 60]
    print(f"functions: {len(every)}, median {median} lines, {len(over)} above 60")
    for length, name, path in reversed(over):
        print(f"  {length:4} {name} ({path})")
if long_files:
    print("files above 600 lines: " + ", ".join(long_files))
r = Report()
r.check("no line is wider than 100 columns", wide)
r.check("every source opens with a comment", headless)
r.done()
