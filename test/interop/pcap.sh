#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: wait
# What Rill sends is right in tshark's eyes: captures of ordinary and of awkward
# traffic show no malformed packet, no bad checksum and no warning that Rill caused
# [A1] [A2] [A24] [A25].  The capture is Rill's own (--pcap), so super-segments stand
# in it whole where the device cuts them.
. "$(dirname "$0")/lib.sh"
variants tap tapno packet packetno mtu576 loss kernel

# Port 81 is closed on purpose: its reset is the right answer.
RESET='Connection reset \(RST\)'
# Under faults: what tshark says of lost, reordered and repeated frames.
# A receiver that is slower than the sender: the kernel's own traffic shows it too.
# And a receiver that got no CPU for some milliseconds: the peer's tail loss probe sends
# a segment twice, and D-SACK is how that has to be answered.
FLOW='receiver is now completely full|[Zz]ero [Ww]indow|D-SACK'
FAULTY='Previous segment|out-of-order|ACKed segment that|[Rr]etransmission'

traffic() {	# HOST FAMILY
	local url=$1
	[ "$2" = 4 ] || url="[$1]"
	same "$2 GET" "$(curl -g -s -m 60 "http://$url/f" | sha)" "$want"
	ok "$2 PUT" curl -g -s -f -m 60 -T "$file" "http://$url/up$2"
	same "$2 PUT arrived" "$(sha "$MY/www/up$2")" "$want"
	ok "$2 HEAD" curl -g -s -f -m 10 -I "http://$url/f"
	same "$2 range" "$(curl -g -s -m 10 -r 100000-299999 "http://$url/f" | sha)" \
		"$(tail -c +100001 "$file" | head -c 200000 | sha)"
	same "$2 not there" "$(curl -g -s -m 10 -o /dev/null -w '%{http_code}' "http://$url/none")" 404
	same "$2 nobody listens: curl's status 7" \
		"$(curl -g -s -m 10 "http://$url:81/"; echo $?)" 7
	# An aborted download: the kernel resets, Rill has data on the way.
	curl -g -s -m 10 "http://$url/f" | head -c 1000 >/dev/null
	[ ${#opts[@]} -gt 0 ] || ok "$2 echo and refused datagram" \
		python3 "$ROOT/test/interop/poke.py" "$1"
}

# A veth has a queue for each processor: frames of a sender that the scheduler moves
# from one to the other arrive out of order, which tshark then tells of Rill's capture.
# So sender, receiver and all that happens in the kernel between them share one.
one_cpu() {	# LIST-OF-CPUS, as taskset writes it
	taskset -pc "${1%%[-,]*}" $$ >/dev/null
}

run() {
	local cpus
	cpus=$(taskset -pc $$ | sed 's/.*: //')
	case $1 in packet*) one_cpu "$cpus" ;; esac
	judge "$1"
	taskset -pc "$cpus" $$ >/dev/null
}

judge() {
	local dev=$1 mtu=1500 opts=() allowed="$RESET|$FLOW" want file pcap=$MY/rill.pcapng
	case $dev in
	mtu576) dev=tap mtu=576 ;;
	loss)
		dev=tap opts=(--fault loss=2%,reorder=2%,dup=1% --seed 3)
		allowed="$RESET|$FLOW|$FAULTY"
		;;
	esac
	case $dev in tap*) have_tun || { skip all "/dev/net/tun can't be opened"; return; } ;; esac
	file=$(file_mib 4)
	want=$(cat "$file.sha")
	mkdir -p "$MY/www"
	ln -f "$file" "$MY/www/f"
	if [ "$dev" = kernel ]; then
		kernel_serve $mtu "$MY/www" || return
		in_other tcpdump -q -B 65536 -w "$pcap" -i r0 -s 0 -U 2>"$MY/tcpdump.log" &
		local dump=$!
		pids+=($dump)
		sleep 1
		# On a veth checksums are never finished: this judges the traffic only.
		PCAP_NO_CSUM=1
		# It hears of two processors' packets in an order of its own, and of some twice.
		allowed="$allowed|$FAULTY"
	else
		PCAP_NO_CSUM=
		rill_serve "${dev/%no/,nooffload}" $mtu "$MY/www" --pcap "$pcap" "${opts[@]}" || return
	fi
	export PCAP_NO_CSUM
	traffic $R4 4
	[ $mtu -lt 1280 ] || traffic $R6 6
	if [ "$dev" = kernel ]; then
		sleep 1
		kill $dump
		wait $dump
	else
		still_runs
	fi
	pcap_clean "$pcap" "$allowed"
}
enter "$@"
