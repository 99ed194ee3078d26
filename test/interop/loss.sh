#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: wait
# 64 MiB with 2% loss, 2% reordering, 1% duplication and 0.1% corruption each way:
# [A3] hashes equal, nothing stuck.  DEVICE-FAMILY-DIRECTION.
. "$(dirname "$0")/lib.sh"
variants tap-4-get tap-4-put tap-6-get tap-6-put tapno-4-get tapno-4-put \
	tapno-6-get tapno-6-put packet-4-get packet-4-put tap-4-client
FAULT=loss=2%,reorder=2%,dup=1%,corrupt=0.1%

run() {
	local dev family way big want host
	IFS=- read -r dev family way <<<"$1"
	case $dev in tap*) have_tun || { skip all "/dev/net/tun can't be opened"; return; } ;; esac
	big=$(file_mib 64)
	want=$(cat "$big.sha")
	mkdir -p "$MY/www"
	ln -f "$big" "$MY/www/big"
	host=$R4
	[ "$family" = 4 ] || host="[$R6]"
	if [ "$way" = client ]; then
		nginx_up 8080 "$MY/www" || return
		IF=rill0
		same "rill get" "$(DEV=tap:rill0 rill_client 1500 get --fault "$FAULT" --seed 7 \
			"http://$K4:8080/big" | sha)" "$want"
		return
	fi
	rill_serve "${dev/%no/,nooffload}" 1500 "$MY/www" --fault "$FAULT" --seed 7 || return
	case $way in
	get)
		same "GET" "$(curl -g -s -S -f -m 300 "http://$host/big" 2>&1 | sha)" "$want"
		;;
	put)
		ok "PUT" curl -g -s -S -f -m 300 -T "$big" "http://$host/up"
		same "PUT arrived" "$(sha "$MY/www/up")" "$want"
		;;
	esac
	local n
	n=$(rill_ask stats | awk '/retrans_segs/ { print ($2 ~ /^[0-9]/) ? $2 : $NF }' | head -n 1)
	[ "$way" = get ] && ok "the link did lose packets: $n sent again" test "${n:-0}" -gt 10
	still_runs
}
enter "$@"
