#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: wait
# 10,000 idle connections held for a minute: none is lost, all answer at the end, and
# after TIME_WAIT nothing is left [A4].
. "$(dirname "$0")/lib.sh"
variants kernel tap

run() {
	local before after
	[ "$(ulimit -n)" -gt 12000 ] || ulimit -n "$(ulimit -Hn)"
	[ "$(ulimit -n)" -gt 12000 ] || { skip all "needs 12000 open files (ulimit -n)"; return; }
	mkdir -p "$MY/www"
	echo tiny >"$MY/www/tiny"
	if [ "$1" = kernel ]; then
		kernel_serve 1500 "$MY/www" || return
		ok "10000 idle connections" python3 "$ROOT/test/interop/conns.py" idle $R4 80 /tiny 10000 60
		return
	fi
	have_tun || { skip all "/dev/net/tun can't be opened"; return; }
	rill_serve tap 1500 "$MY/www" --sysctl net.rill.tcp_time_wait_ms=2000 || return
	sleep 3.5
	before=$(pools)
	ok "10000 idle connections" python3 "$ROOT/test/interop/conns.py" idle $R4 80 /tiny 10000 60
	sleep 4
	after=$(pools)
	same "every pool is back to where it was" "$(diff <(echo "$before") <(echo "$after"))" ""
	same "rill ss shows no connection" \
		"$(rill_ask ss --rill -tan | awk 'NR > 1 && $1 != "LISTEN"')" ""
	still_runs
}
enter "$@"
