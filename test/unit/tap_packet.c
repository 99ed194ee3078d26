/* SPDX-License-Identifier: MIT */
/*
 * dev/tap.c and dev/packet.c against each other: what is written to a TAP comes
 * in on its interface, where a packet device listens, and the other way round.
 * In a network namespace of its own; skipped where that is not permitted.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dev_fixture.h"
#include "rl_test.h"

#define NAME	"rlt0"

struct ends {
	struct rl_dev		*tap, *pkt;
	struct rill_stack	*st;
};

static bool own_namespace(void)
{
	static int state;	/* 0 not tried, 1 it is ours, -1 no */

	if (!state)
		state = (unshare(CLONE_NEWNET) == 0 ||
			 unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
			access("/dev/net/tun", R_OK | W_OK) == 0 ? 1 : -1;
	return state > 0;
}

static bool open_ends(struct ends *e, const char *tap, const char *pkt)
{
	char why[256] = "";

	e->st = test_stack();
	if (!CHECK_EQ("tap", rl_dev_tap_open(tap, 1500, &e->tap, why, sizeof(why)), 0) ||
	    !CHECK_EQ("packet", rl_dev_packet_open(pkt, 0, &e->pkt, why, sizeof(why)), 0)) {
		CHECK_STR("error", why, "");
		return false;
	}
	return true;
}

static void close_ends(struct ends *e)
{
	rl_dev_close(e->pkt);
	rl_dev_close(e->tap);
	CHECK_EQ("all given back", test_stack_free(e->st), 0);
}

/* The kernel says something of its own there now and then. */
static bool is_ours(const struct rill_pkt *p)
{
	uint8_t f[TEST_HDRS];

	if (rl_pkt_len(p) < TEST_HDRS)
		return false;
	rl_pkt_copy_out(p, 0, f, TEST_HDRS);
	return get16(f + 12) == 0x0800 && f[23] == 6 && get16(f + 34) == 1000;
}

/* Up to @n of our packets, until none comes for a while. */
static int receive(struct ends *e, struct rl_dev *d, struct rill_pkt **pkts, int n)
{
	struct pollfd fd = { .fd = d->fd, .events = POLLIN };
	int got = 0;

	while (got < n && poll(&fd, 1, got ? 100 : 5000) == 1) {
		int r = d->ops->rx(d, e->st, pkts + got, n - got), keep = got;

		if (!CHECK("rx", r >= 0))
			break;
		for (int i = got; i < got + r; i++) {
			if (is_ours(pkts[i]))
				pkts[keep++] = pkts[i];
			else
				rl_pkt_free(&e->st->bufs, pkts[i]);
		}
		got = keep;
	}
	return got;
}

/* From @a to @b: sizes from an ACK to a super-segment. */
static void one_way(struct ends *e, struct rl_dev *a, struct rl_dev *b)
{
	static const struct {
		uint32_t payload, mss;
	} rows[] = {
		{ 0, 0 }, { 1, 0 }, { 1448, 0 }, { 9000, 1448 }, { 65000, 1448 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rill_pkt *p = test_segment(e->st, 77, rows[i].payload, rows[i].mss);
		const char *row = rl_label("%s, %u bytes", a->ops->name, rows[i].payload);

		CHECK_EQ(row, a->ops->tx(a, e->st, &p, 1), 0);
		if (!CHECK_EQ(row, receive(e, b, &p, 1), 1))
			continue;
		CHECK_EQ(row, p->gso_size, rows[i].mss);
		CHECK_EQ(row, p->gso, rows[i].mss ? RL_GSO_TCP4 : RL_GSO_NONE);
		CHECK(row, p->flags & RL_PKT_CSUM_PARTIAL);
		CHECK_EQ(row, rl_pkt_len(p), TEST_HDRS + rows[i].payload);
		CHECK(row, test_pkt_ok(p));
		rl_pkt_free(&e->st->bufs, p);
	}
	CHECK_EQ("all counted", a->tx_frames, ARRAY_LEN(rows));
	CHECK_EQ("none dropped", a->tx_drops + b->rx_drops, 0);
}

TEST(tap_packet_with_offloads)
{
	struct ends e;

	if (!own_namespace())
		SKIP("needs a network namespace and /dev/net/tun");
	if (!open_ends(&e, "tap:" NAME, "packet:" NAME))
		return;
	CHECK_EQ("MTU", e.tap->par.mtu, 1500);
	CHECK("the two ends have MACs of their own",
	      memcmp(e.tap->par.mac, e.pkt->par.mac, 6));
	CHECK("which are unicast", !(e.tap->par.mac[0] & 1));
	one_way(&e, e.tap, e.pkt);
	one_way(&e, e.pkt, e.tap);
	close_ends(&e);
}

/* Cut by us on the way in, by the kernel on the way out. */
static void cut_one_way(struct ends *e, struct rl_dev *a, struct rl_dev *b)
{
	struct rill_pkt *got[64], *p = test_segment(e->st, 0, 14480, 1448);
	int n;

	CHECK_EQ("tx", a->ops->tx(a, e->st, &p, 1), 0);
	n = receive(e, b, got, 64);
	CHECK_EQ(a->ops->name, n, 10);
	for (int i = 0; i < n; i++) {
		CHECK_EQ("one segment", rl_pkt_len(got[i]), TEST_HDRS + 1448);
		CHECK_EQ("no notes", got[i]->gso_size, 0);
		CHECK_EQ("in order", test_seq(got[i]), i * 1448);
		CHECK("whole", test_pkt_ok(got[i]));
		rl_pkt_free(&e->st->bufs, got[i]);
	}
}

TEST(tap_packet_without_offloads)
{
	struct ends e;

	if (!own_namespace())
		SKIP("needs a network namespace and /dev/net/tun");
	if (!open_ends(&e, "tap:" NAME ",nooffload", "packet:" NAME))
		return;
	CHECK_EQ("offers nothing", e.tap->par.flags, RILL_IF_ETHER);
	cut_one_way(&e, e.tap, e.pkt);
	cut_one_way(&e, e.pkt, e.tap);
	close_ends(&e);
	if (!open_ends(&e, "tap:" NAME, "packet:" NAME ",nooffload"))
		return;
	CHECK_EQ("offers nothing", e.pkt->par.flags, RILL_IF_ETHER);
	cut_one_way(&e, e.pkt, e.tap);
	close_ends(&e);
}

TEST(tap_packet_many_small)
{
	enum { MANY = 300 };
	static struct rill_pkt *p[MANY];
	struct ends e;

	if (!own_namespace())
		SKIP("needs a network namespace and /dev/net/tun");
	if (!open_ends(&e, "tap:" NAME, "packet:" NAME))
		return;
	for (int back = 0; back < 2; back++) {
		struct rl_dev *a = back ? e.pkt : e.tap, *b = back ? e.tap : e.pkt;
		int n;

		for (int i = 0; i < MANY; i++)
			p[i] = test_segment(e.st, (uint32_t)i, 100, 0);
		CHECK_EQ("tx", a->ops->tx(a, e.st, p, MANY), 0);
		n = receive(&e, b, p, MANY);
		CHECK_EQ(a->ops->name, n, MANY);
		for (int i = 0; i < n; i++) {
			CHECK_EQ("in order", test_seq(p[i]), i);
			rl_pkt_free(&e.st->bufs, p[i]);
		}
	}
	close_ends(&e);
}

/* Without packet memory frames are thrown away and counted, not waited for. */
TEST(tap_packet_without_memory)
{
	struct rill_pkt *p, *got[4];
	struct ends e;

	if (!own_namespace())
		SKIP("needs a network namespace and /dev/net/tun");
	if (!open_ends(&e, "tap:" NAME, "packet:" NAME))
		return;
	for (int back = 0; back < 2; back++) {
		struct rl_dev *a = back ? e.pkt : e.tap, *b = back ? e.tap : e.pkt;
		uint64_t before = b->rx_drops, reason = e.st->obs.drop[RL_DROP_NO_MEMORY];

		p = test_segment(e.st, 1, 100, 0);
		a->ops->tx(a, e.st, &p, 1);
		poll(&(struct pollfd){ .fd = b->fd, .events = POLLIN }, 1, 5000);
		rl_bufs_destroy(&e.st->bufs);
		e.st->mem.max = e.st->mem.used;
		for (int i = 0; i < 20 && b->rx_drops == before; i++)
			CHECK_EQ("nothing", b->ops->rx(b, e.st, got, 4), 0);
		e.st->mem.max = UINT64_MAX;
		CHECK("counted", b->rx_drops > before);
		CHECK_EQ("with its reason", e.st->obs.drop[RL_DROP_NO_MEMORY] - reason,
			 b->rx_drops - before);
		while (receive(&e, b, got, 1) == 1)
			rl_pkt_free(&e.st->bufs, got[0]);
	}
	close_ends(&e);
}

TEST(tap_packet_kernel_addresses)
{
	struct rill_ip lo4 = rl_ip4(0x7f000001), other = rl_ip4(0x0a090909);
	char name[16] = "";

	CHECK("not there", !rl_dev_kernel_has_addr(&other, name, sizeof(name)));
	if (own_namespace() && !system("command -v ip >/dev/null")) {
		if (!CHECK_EQ("link", system("ip link set lo up"), 0))
			return;
		CHECK("there", rl_dev_kernel_has_addr(&lo4, name, sizeof(name)));
		CHECK_STR("on", name, "lo");
	}
}

static const struct {
	const char *spec;
	bool packet;
	int r;
	const char *named;
} bad[] = {
	{ "tap:",			false, -EINVAL, "1 to 15" },
	{ "tap:a-name-that-is-too-long", false, -EINVAL, "1 to 15" },
	{ "tap:a/b",			false, -EINVAL, "'/'" },
	{ "tap:rl%d",			false, -EINVAL, "'%'" },
	{ "tap:" NAME ",fast",		false, -EINVAL, "'fast'" },
	{ "tap:" NAME ",",		false, -EINVAL, "''" },
	{ "packet:nosuchif0",		true,  -ENODEV, "nosuchif0" },
	{ "packet:",			true,  -EINVAL, "1 to 15" },
	{ "packet:lo",			true,  -EINVAL, "no Ethernet" },
	{ "packet:lo,nooffloads",	true,  -EINVAL, "'nooffloads'" },
};

TEST(tap_packet_bad_specs)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rl_dev *d = NULL;
		char why[256] = "";
		int r = bad[i].packet ?
			rl_dev_packet_open(bad[i].spec, 0, &d, why, sizeof(why)) :
			rl_dev_tap_open(bad[i].spec, 0, &d, why, sizeof(why));

		CHECK_EQ(bad[i].spec, r, bad[i].r);
		if (!strstr(why, bad[i].named))
			CHECK_STR("names what is wrong", why, bad[i].named);
		CHECK("one line", !strchr(why, '\n'));
	}
}

TEST(tap_packet_refused)
{
	struct rl_dev *d = NULL, *second = NULL;
	char why[256] = "";

	if (!own_namespace())
		SKIP("needs a network namespace and /dev/net/tun");
	CHECK_EQ("no TAP", rl_dev_tap_open("tap:lo", 0, &d, why, sizeof(why)), -EINVAL);
	CHECK("says so", strstr(why, "no TAP"));
	CHECK_EQ("first", rl_dev_tap_open("tap:" NAME, 0, &d, why, sizeof(why)), 0);
	CHECK_EQ("second", rl_dev_tap_open("tap:" NAME, 0, &second, why, sizeof(why)), -EBUSY);
	CHECK("says so", strstr(why, "another program"));
	CHECK_EQ("MTU", rl_dev_packet_open("packet:" NAME, 9000, &second, why, sizeof(why)),
		 -EINVAL);
	CHECK("says so", strstr(why, "mtu 9000"));
	rl_dev_close(d);
}
