// SPDX-License-Identifier: MIT
/*
 * A TCP client on Rill: sends the lines it reads and prints what comes back.
 *
 * Try it as an ordinary user, in a network namespace with nothing set up, with an
 * echo server of the kernel's made of nc and a pipe:
 *
 *	unshare -rn sh -c '
 *		ip link set lo up; p=$(mktemp -u); mkfifo $p
 *		nc -l 7 <$p | cat >$p & sleep 1
 *		printf "one\ntwo\n" | build/examples/echo_client \
 *			tap:rill0 10.77.0.2/24 10.77.0.1/24 10.77.0.1 7; rm $p'
 *
 * 10.77.0.2 is Rill's end of the TAP interface rill0, 10.77.0.1 the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/socket.h>

static int fatal(const char *what, const char *why)
{
	fprintf(stderr, "echo_client: %s: %s\n", what, why);
	exit(1);
}

static ssize_t check(const char *what, ssize_t r)
{
	return r < 0 ? fatal(what, strerror((int)-r)) : r;
}

/* Print the answer to one line, which may come in pieces.  False: it ended. */
static bool print_answer(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = check("receive", rill_read(fd, buf, sizeof(buf)));
		fwrite(buf, 1, (size_t)n, stdout);
	} while (n > 0 && buf[n - 1] != '\n');
	return n > 0;
}

static struct rill_engine *start(char **argv)
{
	const char *addrs[] = { argv[2], NULL }, *peers[] = { argv[3], NULL };
	struct rill_engine_params par = {
		.dev = argv[1], .addrs = addrs, .peer_addrs = peers,
	};
	struct rill_engine *e;
	char why[256];

	if (rill_engine_open(&par, &e, why, sizeof(why)) < 0)
		fatal("cannot start", why);
	return e;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	struct rill_engine *e;
	char line[4096];
	int fd;

	if (argc != 6)
		fatal("usage", "echo_client DEVICE ADDRESS/LEN PEER-ADDRESS/LEN HOST PORT");
	if (inet_pton(AF_INET, argv[4], &sa.sin_addr) != 1)
		fatal(argv[4], "write an IPv4 address");
	sa.sin_port = htons((uint16_t)atoi(argv[5]));
	e = start(argv);
	fd = (int)check("socket", rill_socket(e, AF_INET, SOCK_STREAM, 0));
	check("connect", rill_connect(fd, (struct sockaddr *)&sa, sizeof(sa)));
	while (fgets(line, sizeof(line), stdin)) {
		check("send", rill_write(fd, line, strlen(line)));
		if (!print_answer(fd))
			break;
	}
	check("shutdown", rill_shutdown(fd, SHUT_WR));	/* we have no more to say */
	while (print_answer(fd))			/* but hear the other side out */
		;
	rill_close(fd);
	rill_engine_drain(e, 100);
	rill_engine_close(e);
	return 0;
}
