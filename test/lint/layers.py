#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who includes whom: the layers of doc/ARCHITECTURE.md, and freestanding headers
only in the core."""
import re
from common import CORE, Report, files, lines

MAY = {
    "base": "",
    "obs": "base",
    "wire": "base obs",
    "buf": "base obs wire",
    "ip": "base obs wire buf",
    "tcp": "base obs wire buf ip",
    "udp": "base obs wire buf ip",
    "stack": "base obs wire buf ip tcp udp",
    "sock": "base",
    "dev": "base obs wire buf",
    "run": "base wire sock dev",
    "drill": "base obs wire dev",
    "look": "",
    "tools": "look",
}
# The state of a stack and its tunables are one struct each, in which every layer
# has its part: these headers are below the layers, though stack/ owns them.  So are
# the form of an id and Linux's numbers of options, which hold no code of stack/.
STATE = {"stack/stack_int.h", "stack/config.h", "stack/config.def", "stack/id.h",
         "stack/sockopt_nums.h"}
STATE_FOR = {"buf", "ip", "tcp", "udp", "dev", "run"}
# Single headers that are made for a layer further right.
EXTRA = {
    "sock": {"sock/sockopts.def"},
    "stack": {"sock/sockopts.def"},
    "tcp": {"sock/sockopts.def"},
    "udp": {"sock/sockopts.def"},
    "drill": {"run/virtual.h", "sock/host.h"},
    # the tracker of passing connections reads segments as the stack does: lists and
    # keyed hashes without a state of their own, the one parser of TCP options
    "look": {"run/ctl.h", "obs/counters.def", "base/types.h", "base/list.h",
             "base/hash.h", "wire/tcp_hdr.h"},
    # wire/fmt.h: the printer of frames, the same for `rill dump` and --trace
    "tools": {"run/ctl.h", "obs/holds.def", "base/types.h", "wire/fmt.h", "drill/run.h",
              "drill/ast.h", "drill/options.def"},
}
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "limits.h", "stdalign.h",
                "stdarg.h", "string.h", "errno.h"}


def allowed(layer, inc):
    target = inc.split("/")[0]
    if target in ("rill", layer) or target in MAY[layer].split():
        return True
    if inc in STATE and layer in STATE_FOR:
        return True
    return inc in EXTRA.get(layer, ())


graph, freestanding, form = [], [], []
for path in files("src", ".c", ".h", ".def"):
    layer = path.split("/")[1]
    if layer not in MAY:
        graph.append(f"{path}: unknown layer {layer}; add it to test/lint/layers.py")
        continue
    for n, line in lines(path):
        m = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if not m:
            continue
        inc = m.group(2)
        if m.group(1) == "<":
            if layer in CORE and inc not in FREESTANDING:
                freestanding.append(f"{path}:{n}: <{inc}> in the core")
        elif "/" not in inc:
            form.append(f'{path}:{n}: "{inc}": write it from src/')
        elif not allowed(layer, inc):
            graph.append(f"{path}:{n}: {layer} may not include {inc}")

# examples and the public headers stand outside
for path in files("examples", ".c", ".h") + files("include", ".h"):
    for n, line in lines(path):
        m = re.match(r'\s*#\s*include\s*"([^"]+)', line)
        if m and not m.group(1).startswith("rill/"):
            graph.append(f"{path}:{n}: includes {m.group(1)}; only rill/ is public")

r = Report()
r.check("layers", graph)
r.check("core includes freestanding headers only", freestanding)
r.check("includes are written from src/", form)
r.check("every source names its licence",
        [p for d in ("src", "include", "test", "examples", "fuzz", "bench", "scripts")
         for p in files(d, ".c", ".h", ".sh", ".py")
         if not any("SPDX-License-Identifier: MIT" in l for _, l in list(lines(p))[:3])])
r.done()
