#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: cpu
# Many connections: 200 curl processes at once; 20,000 connections one after another;
# afterwards nothing is left and every pool is back to where it was [A4] [A12].
. "$(dirname "$0")/lib.sh"
variants kernel-atonce tap-atonce packet-atonce kernel-serial tap-serial packet-serial

atonce() {
	local i bad=0 want list=() url
	want=$(cat "$small.sha")
	for ((i = 0; i < 200; i++)); do
		url=http://$R4/small
		((i % 2)) && url="http://[$R6]/small"
		(curl -g -s -S -f -m 120 -o "$MY/got.$i" "$url" 2>"$MY/err.$i") &
		list+=($!)
	done
	for i in "${!list[@]}"; do
		wait "${list[i]}" || {
			bad=$((bad + 1))
			cat "$MY/err.$i"
		}
	done
	same "curls that failed" $bad 0
	same "hashes" "$(for i in $(seq 0 199); do sha "$MY/got.$i"; done | sort -u)" "$want"
	rm -f "$MY"/got.* "$MY"/err.*
}

serial() {
	ok "20000 connections one after another" \
		python3 "$ROOT/test/interop/conns.py" serial $R4 80 /tiny 20000
}

run() {
	local dev=${1%-*} what=${1#*-} small before after
	case $dev in tap*) have_tun || { skip all "/dev/net/tun can't be opened"; return; } ;; esac
	small=$(file_mib 1)
	mkdir -p "$MY/www"
	cp "$small" "$MY/www/small"
	echo tiny >"$MY/www/tiny"
	if [ "$dev" = kernel ]; then
		kernel_serve 1500 "$MY/www" && $what
		return
	fi
	rill_serve "$dev" 1500 "$MY/www" --sysctl net.rill.tcp_time_wait_ms=2000 || return
	settle
	before=$(pools)
	$what
	settle
	after=$(pools)
	same "every pool is back to where it was" "$(diff <(echo "$before") <(echo "$after"))" ""
	ok "pools were compared" test -n "$before"
	none_left
	still_runs
}

# TIME_WAIT is 2 s here: nothing but listeners is left after it.
settle() {
	sleep 3.5
}

none_left() {
	local states
	states=$(rill_ask ss --rill -tan | awk 'NR > 1 && $1 != "LISTEN"')
	same "rill ss shows no connection" "$states" ""
	ok "rill ss -s answers" rill_ask ss --rill -s
}
enter "$@"
