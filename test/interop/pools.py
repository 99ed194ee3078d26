# SPDX-License-Identifier: MIT
"""Reads `rill stats -j`, prints what the pools have in use, one a line."""
import json
import sys


def walk(node, path=""):
    if isinstance(node, dict):
        if "name" in node and "value" in node:
            yield node["name"], node["value"]
            return
        for k, v in node.items():
            yield from walk(v, f"{path}.{k}" if path else k)
    elif isinstance(node, list):
        for v in node:
            yield from walk(v, path)
    else:
        yield path, node


seen = 0
for name, value in walk(json.load(sys.stdin)):
    # Memory that a slab keeps for the next ones is not in use, so it is not compared.
    if name.startswith("pool.") and not name.startswith("pool.memory"):
        print(name, value)
        seen += 1
if not seen:
    sys.exit("rill stats -j shows no pool")
