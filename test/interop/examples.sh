#!/bin/bash
# SPDX-License-Identifier: MIT
# lane: wait
# The examples [D8]: a client and a server of under 100 lines each work as their first
# comment says, and build against the installed library, static and shared, which
# exports nothing but its own names.
. "$(dirname "$0")/lib.sh"
variants tree installed

echo_round() {	# DIRECTORY-OF-PROGRAMS
	local got
	"$1/echo_server" tap:rill0 $R4/24 $K4/24 7 >"$MY/server.log" 2>&1 &
	local server=$!
	pids+=("$server")
	got=$(python3 - $R4 <<'END'
import socket, sys, time
for _ in range(100):
    try:
        s = socket.create_connection((sys.argv[1], 7), timeout=5)
        break
    except OSError:
        time.sleep(0.1)
s.sendall(b"one\n" * 50000)
s.shutdown(socket.SHUT_WR)
got = b""
while part := s.recv(65536):
    got += part
print(got == b"one\n" * 50000)
END
	)
	same "echo_server returns what it was sent" "$got" True
	kill $server
	wait $server 2>/dev/null

	python3 - <<'END' &
import socket
l = socket.create_server(("", 7))
while True:
    c, _ = l.accept()
    while part := c.recv(65536):
        c.sendall(part)
    c.close()
END
	local peer=$!
	pids+=($peer)
	for _ in $(seq 200); do
		ss -Hltn 'sport = :7' | grep -q . && break
		sleep 0.1
	done
	got=$(printf 'one\ntwo\n' | timeout 20 "$1/echo_client" tap:rill0 $R4/24 $K4/24 $K4 7 \
		2>"$MY/client.log")
	same "echo_client prints what comes back" "$got" "$(printf 'one\ntwo')" ||
		cat "$MY/client.log"
	kill $peer
	wait $peer 2>/dev/null
}

run() {
	local f inst=$MY/inst
	have_tun || { skip all "/dev/net/tun can't be opened"; return; }
	if [ "$1" = tree ]; then
		for f in "$ROOT"/examples/*.c; do
			ok "$(basename "$f") has fewer than 100 lines" test "$(wc -l <"$f")" -lt 100
		done
		echo_round "$ROOT/build/examples"
		return
	fi
	ok "meson install" meson install -C "$ROOT/build" --no-rebuild --quiet --destdir "$inst"
	local pc
	pc=$(find "$inst" -name rill.pc)
	ok "a pkg-config file is installed" test -n "$pc"
	export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$inst
	local lib
	lib=$(dirname "$(find "$inst" -name librill.so)")
	mkdir "$MY/shared" "$MY/static"
	for f in echo_server echo_client; do
		ok "$f builds with the shared library" gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra \
			-Werror "$ROOT/examples/$f.c" -o "$MY/shared/$f" \
			$(pkg-config --cflags --libs rill) "-Wl,-rpath,$lib"
		ok "$f builds with the static library" gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra \
			-Werror "$ROOT/examples/$f.c" -o "$MY/static/$f" \
			$(pkg-config --cflags rill) "$lib/librill.a" \
			$(pkg-config --static --libs rill | sed 's/-lrill //')
	done
	same "the shared library exports only rill_ names" \
		"$(nm -D --defined-only "$lib/librill.so" | awk '{ print $3 }' | grep -v '^rill_')" ""
	ok "C++ can include the headers" sh -c "echo '#include <rill/socket.h>' |
		clang -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags rill) -x c++ -"
	echo_round "$MY/shared"
	echo_round "$MY/static"
}
enter "$@"
