# SPDX-License-Identifier: MIT
# What the interop cases share.  A case is a program in this directory:
#
#	#!/bin/bash
#	# lane: cpu                    or wait: it mostly waits, several run at once
#	. "$(dirname "$0")/lib.sh"
#	variants a b                   `case a` runs one of them, `case` all
#	run() { ...; ok "label" command...; }
#	enter "$@"
#
# It runs in its own network, mount and process namespaces, so nothing it starts
# outlives it and nothing it sets is seen outside.  The kernel is 10.77.0.1 and
# fd77::1, Rill (or, as the control, a second kernel) 10.77.0.2 and fd77::2.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RILL=${RILL:-$ROOT/build/rill}
K4=10.77.0.1 K6=fd77::1 R4=10.77.0.2 R6=fd77::2
CASE=$(basename "$0" .sh)
passed=0 failed=0 skipped=0
pids=()

variants() {
	VARIANTS=("$@")
}

# enter [--list | VARIANT...]: answer --list, or go on inside of the namespaces
# and call run for each variant.
enter() {
	if [ "${1-}" = --list ]; then
		printf '%s\n' "${VARIANTS[@]}"
		exit 0
	fi
	if [ -z "${RILL_INSIDE-}" ]; then
		local how
		for how in -nmpf -Urnmpf; do
			unshare $how --mount-proc true 2>/dev/null || continue
			RILL_INSIDE=1 exec unshare $how --mount-proc --kill-child -- "$0" "$@"
		done
		echo "SKIP $CASE: neither root nor user namespaces (sysctl user.max_user_namespaces)"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	[ $# -gt 0 ] && VARIANTS=("$@")
	mount -t tmpfs none /run
	unset XDG_RUNTIME_DIR
	export HOME=/run
	ip link set lo up
	WORK=${RILL_WORK:-$(mktemp -d /tmp/rill-interop.XXXXXX)}
	MY=$WORK/$CASE.$$.$RANDOM
	mkdir -p "$MY"
	trap cleanup EXIT
	for v in "${VARIANTS[@]}"; do
		ip link del rill0 2>/dev/null
		V=$v
		run "$v"
		stop_all
	done
	finish
}

cleanup() {
	stop_all
	rm -rf "$MY"
	[ -n "${RILL_WORK-}" ] || rm -rf "$WORK"
}

stop_all() {
	local p
	for p in "${pids[@]}"; do
		kill "$p" 2>/dev/null
	done
	for p in "${pids[@]}"; do
		wait "$p" 2>/dev/null
	done
	pids=()
}

finish() {
	printf '%d passed, %d failed' $passed $failed
	[ $skipped -gt 0 ] && printf ', %d skipped' $skipped
	echo
	[ $failed -eq 0 ]
	exit
}

ok() {	# LABEL COMMAND...: the command's status decides, its output explains
	local label=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	if [ $status -eq 0 ]; then
		passed=$((passed + 1))
		return 0
	fi
	fail "$label" "exit $status: $* ${out:+: $(tail -n 12 <<<"$out")}"
	return 1
}

same() {	# LABEL GOT WANT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		return 0
	fi
	fail "$1" "got '$2', want '$3'"
	return 1
}

fail() {	# LABEL WHY
	echo "FAIL $CASE $V: $1"
	sed 's/^/    /' <<<"$2"
	[ -s "$MY/serve.log" ] && tail -n 5 "$MY/serve.log" | sed 's/^/    rill: /'
	failed=$((failed + 1))
}

skip() {	# LABEL WHY
	echo "SKIP $CASE $V: $1: $2"
	skipped=$((skipped + 1))
}

mtu_of() {	# not from /sys, which shows another namespace
	ip -o link show "$1" | sed -n 's/.* mtu \([0-9]*\) .*/\1/p'
}

have_tun() {
	[ -c /dev/net/tun ] && ( : <>/dev/net/tun ) 2>/dev/null
}

# ---- files ----

# A file of so many MiB that doesn't compress and where a block out of place
# changes the hash; its SHA-256 lies beside it.  Made once for all cases.
file_mib() {
	local f=$WORK/f$1
	(
		flock 8
		[ -s "$f.sha" ] && exit
		openssl enc -aes-128-ctr -K 52696c6c -iv 00 -nosalt -in /dev/zero 2>/dev/null |
			head -c $(($1 << 20)) >"$f"
		sha "$f" >"$f.sha"
	) 8>"$f.lock"
	echo "$f"
}

sha() {
	openssl dgst -sha256 -r ${1+"$1"} | cut -c1-64
}

# ---- the link, and who is at its other end ----

# A second network namespace: its name is the pid of what holds it.
other_ns() {
	unshare -n sleep 100000 &
	OTHER=$!
	pids+=("$OTHER")
	while [ "$(readlink /proc/$OTHER/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do
		sleep 0.02
	done
	nsenter -t $OTHER -n ip link set lo up
}

in_other() {
	nsenter -t "$OTHER" -n "$@"
}

# veth: k0 here with the kernel's addresses, r0 in the other namespace, bare.
veth_up() {	# MTU
	other_ns
	ip link add k0 mtu "$1" type veth peer name r0 mtu "$1" netns "$OTHER" || return 1
	in_other sysctl -qw net.ipv6.conf.r0.disable_ipv6=1 2>/dev/null # no IPv6 below 1280
	in_other ip link set r0 up
	ip link set k0 up
	ip addr add $K4/24 dev k0
	[ "$1" -ge 1280 ] && ip addr add $K6/64 dev k0 nodad
	return 0
}

no_offload() {	# also for what the kernel hands to a raw socket
	ethtool -K k0 tso off gso off gro off tx off rx off >/dev/null 2>&1
	in_other ethtool -K r0 tso off gso off gro off tx off rx off >/dev/null 2>&1
	return 0
}

# rill_serve DEV MTU DIR [OPTION...]: DEV is tap or packet, with ,nooffload or
# without.  Returns when it answers.
rill_serve() {
	local dev=$1 mtu=$2 dir=$3 v6=() peer=() ns=()
	shift 3
	[ "$mtu" -ge 1280 ] && v6=(--addr $R6/64)
	case $dev in
	tap*)
		peer=(--peer-addr $K4/24)
		[ "$mtu" -ge 1280 ] && peer+=(--peer-addr $K6/64)
		DEV=tap:rill0${dev#tap}
		IF=rill0
		;;
	packet*)
		veth_up "$mtu"
		[ "$dev" = packet ] || no_offload
		DEV=packet:r0${dev#packet}
		IF=k0
		ns=(nsenter -t "$OTHER" -n)
		;;
	esac
	"${ns[@]}" "$RILL" serve --dev "$DEV" --addr $R4/24 "${v6[@]}" "${peer[@]}" \
		--mtu "$mtu" --port 80 "$@" "$dir" >"$MY/serve.log" 2>&1 &
	SERVER=$!
	pids+=("$SERVER")
	answers "$mtu"
}

answers() {	# MTU: until the server at the other end does, 15 s
	local i urls=("http://$R4/")
	[ "$1" -ge 1280 ] && urls+=("http://[$R6]/")
	for u in "${urls[@]}"; do
		for ((i = 0; i < 150; i++)); do
			curl -g -s -m 2 -o /dev/null "$u" && continue 2
			kill -0 "$SERVER" 2>/dev/null || break
			sleep 0.1
		done
		fail "the server answers at $u" "not within 15 s"
		return 1
	done
	passed=$((passed + 1))
}

# nginx on all addresses of this (or, with "other", that) namespace.
nginx_up() {	# PORT DIR [other]
	local conf=$MY/nginx.$1 ns=()
	[ "${3-}" = other ] && ns=(nsenter -t "$OTHER" -n)
	mkdir -p "$conf"
	cat >"$conf/conf" <<END
user root; daemon off; master_process off; pid $conf/pid; error_log $conf/error;
events { worker_connections 19000; }
http {
	access_log off; sendfile on; default_type application/octet-stream;
	keepalive_timeout 300; keepalive_requests 1000000; client_max_body_size 0;
	client_header_timeout 300; reset_timedout_connection off;
	client_body_temp_path $conf/body; proxy_temp_path $conf/p;
	fastcgi_temp_path $conf/f; uwsgi_temp_path $conf/u; scgi_temp_path $conf/s;
	server {
		listen $1 backlog=4096; listen [::]:$1 ipv6only=on backlog=4096;
		root $2; autoindex on; dav_methods PUT DELETE;
	}
}
END
	"${ns[@]}" nginx -p "$conf" -c "$conf/conf" -e "$conf/error" >"$conf/out" 2>&1 &
	NGINX=$!
	pids+=("$NGINX")
	local i
	for ((i = 0; i < 100; i++)); do
		"${ns[@]}" curl -s -m 1 -o /dev/null "http://127.0.0.1:$1/" && return 0
		sleep 0.05
	done
	fail "nginx answers" "$(cat "$conf/out" "$conf/error")"
	return 1
}

# The control: a second kernel where Rill would be, nginx as its server.
kernel_serve() {	# MTU DIR
	veth_up "$1"
	in_other sysctl -qw net.ipv6.conf.r0.disable_ipv6=0 2>/dev/null
	in_other ip addr add $R4/24 dev r0
	[ "$1" -ge 1280 ] && in_other ip addr add $R6/64 dev r0 nodad
	IF=k0
	nginx_up 80 "$2" other || return 1
	SERVER=$NGINX
	answers "$1"
}

# ---- asking Rill ----

rill_ask() {	# COMMAND...: in the namespace where Rill runs
	if [ "${IF-}" = k0 ]; then
		in_other "$RILL" "$@"
	else
		"$RILL" "$@"
	fi
}

# rill_client MTU COMMAND ARGS...: after the server, on its device and addresses.
rill_client() {
	local mtu=$1 cmd=$2 more=() ns=()
	shift 2
	[ "$mtu" -ge 1280 ] && more=(--addr $R6/64)
	if [ "$IF" = k0 ]; then
		ns=(nsenter -t "$OTHER" -n)
	else
		more+=(--peer-addr $K4/24)
		[ "$mtu" -ge 1280 ] && more+=(--peer-addr $K6/64)
	fi
	"${ns[@]}" timeout 150 "$RILL" "$cmd" --dev "$DEV" --addr $R4/24 "${more[@]}" \
		--mtu "$mtu" "$@" 2>"$MY/client.log"
}

pools() {	# in use, one a line: what has to be the same before and after
	rill_ask stats -j | python3 "$ROOT/test/interop/pools.py"
}

still_runs() {	# nothing ended the server, and it ends when it is told to
	ok "the server still runs" kill -0 "$SERVER"
	kill "$SERVER" 2>/dev/null
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$SERVER" 2>/dev/null || break
		sleep 0.1
	done
	same "the server ends within 10 s" "$(kill -0 "$SERVER" 2>/dev/null && echo no || echo yes)" yes
	wait "$SERVER" 2>/dev/null
	same "its logs show no sanitizer's report" \
		"$(grep -cE 'AddressSanitizer|runtime error' "$MY/serve.log")" 0
}

# ---- captures ----

# What tshark says that Rill caused.  pcap_clean FILE [ALLOWED-REGEX]
pcap_clean() {
	local out
	out=$(python3 "$ROOT/test/interop/pcap_check.py" "$@" 2>&1)
	if [ $? -eq 0 ]; then
		passed=$((passed + 1))
	else
		fail "tshark has nothing to say about $(basename "$1")" "$out"
		[ -n "${RILL_KEEP-}" ] && cp "$1" "$RILL_KEEP/"
	fi
}
