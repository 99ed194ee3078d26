#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: cpu
# 1 GiB each way, both families, hashes compared: [A3] bytes arrive undamaged and in
# order, [A8] whatever the MTU, [A25] over IPv4 and IPv6.  DEVICE-MTU, where "no"
# means that nothing is offloaded; "kernel" is the control, "rill" has Rill at both ends
# of a veth.
. "$(dirname "$0")/lib.sh"
variants kernel-576 kernel-1500 kernel-9000 \
	tap-576 tap-1280 tap-1500 tap-9000 tapno-576 tapno-1280 tapno-1500 tapno-9000 \
	packet-1500 packet-9000 packetno-1500 rill-1500 rillno-1500
MIB=${RILL_BULK_MIB:-1024}

# The server is at the other end, the client is the kernel's curl.
serve() {	# FAMILY HOST
	same "$1 GET by curl" "$(curl -g -s -S -f -m 150 "http://$2/big" 2>&1 | sha)" "$want"
	ok "$1 PUT by curl" curl -g -s -S -f -m 150 -T "$big" "http://$2/up"
	same "$1 PUT arrived" "$(sha "$MY/www/up")" "$want"
	rm -f "$MY/www/up"
}

# The server is the kernel's nginx, the client is rill.
fetch() {	# FAMILY HOST
	same "$1 rill get" "$(rill_client "$mtu" get "http://$2:8080/big" | sha)" "$want" ||
		sed 's/^/    rill: /' "$MY/client.log"
}

# Rill at both ends: its client has the kernel's interface and addresses.
rill_rill() {
	local client=$DEV
	ip addr flush dev k0
	sysctl -qw net.ipv6.conf.k0.disable_ipv6=1
	client=packet:k0${DEV#packet:r0}
	for u in "http://$R4/big" "http://[$R6]/big"; do
		same "rill get $u" "$(timeout 150 "$RILL" get --dev "$client" --addr $K4/24 \
			--addr $K6/64 --mtu "$mtu" "$u" 2>"$MY/client.log" | sha)" "$want" ||
			sed 's/^/    rill: /' "$MY/client.log"
	done
}

run() {
	local dev=${1%-*} mtu=${1#*-} want big no
	big=$(file_mib "$MIB")
	want=$(cat "$big.sha")
	mkdir -p "$MY/www"
	ln -f "$big" "$MY/www/big"
	if [ "$dev" = kernel ]; then
		kernel_serve "$mtu" "$MY/www" || return
		serve IPv4 $R4
		[ "$mtu" -lt 1280 ] || serve IPv6 "[$R6]"
		return
	fi
	if [[ $dev = rill* ]]; then
		no=${dev#rill}
		rill_serve "packet${no:+,nooffload}" "$mtu" "$MY/www" || return
		rill_rill
		still_runs
		return
	fi
	case $dev in tap*) have_tun || { skip all "/dev/net/tun can't be opened"; return; } ;; esac
	rill_serve "${dev/%no/,nooffload}" "$mtu" "$MY/www" || return
	same "MTU of the kernel's side" "$(mtu_of $IF)" "$mtu"
	serve IPv4 $R4
	[ "$mtu" -lt 1280 ] || serve IPv6 "[$R6]"
	still_runs
	nginx_up 8080 "$MY/www" || return
	fetch IPv4 $K4
	[ "$mtu" -lt 1280 ] || fetch IPv6 "[$K6]"
}
enter "$@"
