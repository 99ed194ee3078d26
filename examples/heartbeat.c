// SPDX-License-Identifier: MIT
/*
 * Heartbeats over TCP, here the kernel's: both sides.  BEAT, LATE, DEAD are in ms.
 *	build/examples/heartbeat 100 300 1000 7000 &			a server
 *	build/examples/heartbeat 100 300 1000 7000 127.0.0.1 42		peer number 42
 * Stop the peer with ^Z: the server says "42 late", and then "42 dead".
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <rill/heartbeat.h>

#define MAX	64		/* descriptors, and so peers */
#define MS	INT64_C(1000000)

static struct pollfd p[MAX];
static struct rill_hb_roster roster = { .peer = (struct rill_hb_peer[MAX]){ { 0 } }, .n = MAX };

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void say(int fd, bool hello, uint64_t name)
{
	struct rill_hb_msg m = { .hello = hello, .name = name, .session = (uint64_t)now() };
	uint8_t buf[RILL_HB_LEN];
	rill_hb_put(&m, buf);
	send(fd, buf, sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void hang_up(int fd)
{
	rill_hb_leave(&roster, (uint64_t)fd);
	close(fd);
	p[fd].fd = -1;
}

static void hear(int fd)
{
	uint8_t buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	uint64_t old = 0;
	int what = n > 0 ? rill_hb_bytes(&roster, (uint64_t)fd, buf, (size_t)n, now(), &old) : -1;

	if (what == RILL_HB_REPLACED)		/* it died and came back unnoticed */
		hang_up((int)old);
	if (what < 0 || what == RILL_HB_STALE)
		hang_up(fd);
	else if (what != RILL_HB_NOTHING)
		printf("%d %s\n", (int)rill_hb_of(&roster, (uint64_t)fd)->name, rill_hb_word(what));
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0), c, what;
	bool client = argc == 7;
	struct rill_hb_peer *peer;
	uint64_t old;

	if (argc != 5 && argc != 7)
		return puts("usage: heartbeat BEAT LATE DEAD PORT [HOST NUMBER]"), 2;
	roster.par.beat_ns = atol(argv[1]) * MS;
	roster.par.late_ns = atol(argv[2]) * MS;
	roster.par.dead_ns = atol(argv[3]) * MS;
	sa.sin_port = htons((uint16_t)atoi(argv[4]));
	sa.sin_addr.s_addr = client ? inet_addr(argv[5]) : INADDR_ANY;
	if (client ? connect(s, (struct sockaddr *)&sa, sizeof(sa))
		   : bind(s, (struct sockaddr *)&sa, sizeof(sa)) || listen(s, 16))
		return perror(argv[4]), 1;
	setlinebuf(stdout);
	for (c = 0; c < MAX; c++)
		p[c] = (struct pollfd){ c == s ? s : -1, POLLIN, 0 };
	if (client && rill_hb_join(&roster, 0, 1, (uint64_t)s, now(), &old) >= 0)
		say(s, true, strtoull(argv[6], NULL, 10));
	while (p[s].fd == s) {
		poll(p, MAX, 10);
		for (int fd = 0; fd < MAX; fd++)	/* hear first, judge afterwards */
			if (p[fd].fd >= 0 && p[fd].revents && (client || fd != s))
				hear(fd);
			else if (fd == s && p[s].revents && (c = accept(s, NULL, NULL)) >= 0)
				c < MAX ? (void)(p[c].fd = c) : (void)close(c);
		while ((what = (int)rill_hb_roster_next(&roster, now(), &peer)) != 0) {
			if (what == RILL_HB_BEAT)
				say((int)peer->user, false, peer->name);
			else
				printf("%d %s\n", (int)peer->name, rill_hb_word(what));
			if (what == RILL_HB_DEAD)
				hang_up((int)peer->user);
		}
	}
	return 1;
}
