/* SPDX-License-Identifier: MIT */
/* Tests of look/ports.c: free ports per destination, on made-up sockets.  [C9] [A13] */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "rl_test.h"
#include "look/filter.h"
#include "look/ports.h"

static struct ports p;
static struct rill_owner owner[2] = { { 10, 3, "curl" }, { 20, 4, "wget" } };

static void add(uint8_t proto, const char *local, unsigned lport, const char *peer,
		unsigned pport, int state, int who)
{
	struct rill_sock s = { .source = RILL_SRC_KERNEL, .proto = proto, .stack = "" };

	s.state = (uint8_t)state;
	s.local.port = (uint16_t)lport;
	s.peer.port = (uint16_t)pport;
	filter_parse_ip(local, s.local.ip.b);
	if (peer)
		filter_parse_ip(peer, s.peer.ip.b);
	if (who >= 0) {
		s.owners = &owner[who];
		s.nowners = 1;
	}
	CHECK_EQ("added", ports_add(&p, &s), 0);
}

#define TCP(lport, peer, pport, state, who) \
	add(IPPROTO_TCP, "10.0.0.1", lport, peer, pport, state, who)

TEST(ports_of_each_destination)
{
	CHECK_EQ("range", ports_init(&p, "1000 1009", "1009"), 0);
	TCP(1000, "10.0.0.2", 80, RILL_ESTABLISHED, 0);
	TCP(1001, "10.0.0.2", 80, RILL_ESTABLISHED, 1);
	TCP(1002, "10.0.0.2", 80, RILL_TIME_WAIT, -1);
	TCP(1003, "10.0.0.2", 80, RILL_TIME_WAIT, -1);
	TCP(1003, "10.0.0.2", 80, RILL_SYN_SENT, -1);		/* reused: one port, seen twice */
	TCP(1000, "10.0.0.2", 81, RILL_SYN_SENT, 0);		/* another destination */
	TCP(1009, "10.0.0.2", 81, RILL_ESTABLISHED, 0);		/* a reserved one, bound by name */
	TCP(1004, NULL, 0, RILL_LISTEN, 0);
	TCP(1004, "10.0.0.7", 5000, RILL_ESTABLISHED, 0);	/* came in: uses up nothing */
	TCP(1005, NULL, 0, RILL_CLOSE, 1);			/* bound, nothing more */
	TCP(999, "10.0.0.2", 80, RILL_ESTABLISHED, 0);		/* not of the range */
	TCP(1010, "10.0.0.2", 80, RILL_ESTABLISHED, 0);
	add(IPPROTO_TCP, "10.0.0.9", 1000, "10.0.0.2", 80, RILL_ESTABLISHED, 0);
	add(IPPROTO_UDP, "10.0.0.1", 1004, "10.0.0.2", 53, RILL_ESTABLISHED, 0);
	add(IPPROTO_UDP, "0.0.0.0", 1006, NULL, 0, RILL_CLOSE, 1);
	CHECK_EQ("done", ports_done(&p), 0);
	CHECK_EQ("size", p.size, 10);
	CHECK_EQ("reserved", p.reserved, 1);
	CHECK_EQ("bound", p.bound, 2);
	CHECK_EQ("usable", ports_usable(&p), 7);
	REQUIRE("destinations", p.ndest == 4);
	CHECK_EQ("first: 10.0.0.2:80", p.dest[0].peer.port, 80);
	CHECK_EQ("used", p.dest[0].used, 4);
	CHECK_EQ("free", p.dest[0].free, 3);
	CHECK_EQ("TIME_WAIT", p.dest[0].state[RILL_TIME_WAIT], 2);
	CHECK_EQ("ESTABLISHED", p.dest[0].state[RILL_ESTABLISHED], 2);
	CHECK_EQ("holders", p.dest[0].nholders, 3);
	CHECK_EQ("none has the most", p.dest[0].holder[0].pid, 0);
	CHECK_EQ("three of them", p.dest[0].holder[0].n, 3);
	CHECK_STR("curl", p.dest[0].holder[1].comm, "curl");
	CHECK_EQ("10.0.0.2:81", p.dest[1].peer.port, 81);
	CHECK_EQ("two used", p.dest[1].used, 2);
	CHECK_EQ("the reserved one is not counted twice", p.dest[1].free, 6);
	CHECK_EQ("UDP is one pool", p.dest[2].proto, IPPROTO_UDP);
	CHECK_EQ("UDP used", p.dest[2].used, 2);
	CHECK_EQ("UDP free", p.dest[2].free, 7);
	CHECK_EQ("another source has its own", p.dest[3].free, 6);
	CHECK_EQ("least", ports_least_free(&p), 3);
	ports_free(&p);
}

TEST(ports_run_out)
{
	struct ports_dest a = { .used = 10, .free = 90 }, b = { .used = 30, .free = 70 };
	struct ports_dest none = { .used = 100, .free = 0 };

	CHECK_EQ("70 at 10 a second", ports_runs_out(&a, &b, 2), 7);
	CHECK_EQ("from nothing", ports_runs_out(NULL, &b, 3), 7);
	CHECK_EQ("falling", ports_runs_out(&b, &a, 2), -1);
	CHECK_EQ("steady", ports_runs_out(&a, &a, 2), -1);
	CHECK_EQ("now", ports_runs_out(&none, &none, 2), 0);
}

TEST(ports_many_holders)
{
	CHECK_EQ("range", ports_init(&p, "1000 1999", ""), 0);
	for (unsigned i = 0; i < 20; i++) {
		owner[0].pid = 100 + (int)i;
		TCP(1000 + i, "10.0.0.2", 80, RILL_ESTABLISHED, 0);
	}
	CHECK_EQ("done", ports_done(&p), 0);
	REQUIRE("one", p.ndest == 1);
	CHECK_EQ("listed", p.dest[0].nholders, PORTS_HOLDERS);
	CHECK_EQ("and the rest", p.dest[0].others, 20 - PORTS_HOLDERS);
	CHECK("found again", ports_find(&p, &p.dest[0]) == &p.dest[0]);
	ports_free(&p);
}

static const struct {
	const char *range, *reserved;
	int ret;
	unsigned no;
} range_rows[] = {
	{ "32768 60999", "", 0, 0 },
	{ "32768\t60999", "\n", 0, 0 },
	{ "1000 1000", "", 0, 0 },
	{ "1000 1010", "1000,1005-1007,1020,7", 0, 4 },
	{ "1000 1010", "1-65535", 0, 11 },
	{ "1010 1000", "", -EINVAL, 0 },
	{ "0 1000", "", -EINVAL, 0 },
	{ "1 65536", "", -EINVAL, 0 },
	{ "x", "", -EINVAL, 0 },
	{ "1 2", "a", -EINVAL, 0 },
	{ "1 2", "2-1", -EINVAL, 0 },
	{ "1 2", "1 2", -EINVAL, 0 },
	{ "1 2", "70000", -EINVAL, 0 },
};

TEST(ports_ranges)
{
	for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
		const char *label = rl_label("%s | %s", range_rows[i].range,
					     range_rows[i].reserved);

		CHECK_EQ(label, ports_init(&p, range_rows[i].range, range_rows[i].reserved),
			 range_rows[i].ret);
		if (!range_rows[i].ret)
			CHECK_EQ(label, p.reserved, range_rows[i].no);
		ports_free(&p);
	}
}
