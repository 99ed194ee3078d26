/* SPDX-License-Identifier: MIT */
/* ip/netif.c: interfaces, their queues, the loopback interface, memory that runs out. */
#include "net_fixture.h"

TEST(parameters)
{
	static const struct { const char *name; struct rill_if_params p; int r; } rows[] = {
		{ "MTU 67",	{ .name = "a", .mtu = 67 }, -EINVAL },
		{ "MTU 65536",	{ .name = "a", .mtu = 65536 }, -EINVAL },
		{ "no name",	{ .name = "", .mtu = 1500 }, -EINVAL },
		{ "name without an end", { .name = "0123456789abcdef", .mtu = 1500 }, -EINVAL },
		{ "group MAC",	{ .name = "a", .mtu = 1500, .flags = RILL_IF_ETHER,
				  .mac = { 1 } }, -EINVAL },
		{ "least",	{ .name = "a", .mtu = 68 }, 2 },
		{ "largest",	{ .name = "b", .mtu = 65535 }, 3 },
	};
	struct net n;

	net_init(&n, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_EQ(rows[i].name, rill_if_add(n.st, &rows[i].p), rows[i].r);
	CHECK("get", rl_netif_get(n.st, 3) != NULL);
	CHECK("none", !rl_netif_get(n.st, 4) && !rl_netif_get(n.st, 0) &&
	      !rl_netif_get(n.st, 17));
	net_fini(&n);
}

TEST(too_many)
{
	struct rill_if_params p = { .name = "x", .mtu = 1500 };
	struct net n;
	int r = 0, k = 1;

	net_init(&n, 0);
	for (; k < 100 && r >= 0; k++)
		r = rill_if_add(n.st, &p);
	CHECK_EQ("full", r, -ENOSPC);
	CHECK("loopback is still there", rl_netif_get(n.st, RL_LO_IFINDEX)->loopback);
	net_fini(&n);
}

TEST(loopback_addresses)
{
	struct rill_ip a = ip4(127, 0, 0, 1), b = ip6(0, 1), c = ip4(127, 9, 9, 9);
	struct net n;

	net_init(&n, 0);
	CHECK("127.0.0.1", rl_ip_is_ours(n.st, &a));
	CHECK("::1", rl_ip_is_ours(n.st, &b));
	CHECK("127/8", rl_ip_is_ours(n.st, &c));
	net_fini(&n);
}

TEST(queue_order)
{
	struct rill_addr to = { peer4(1), 0, 0 };
	struct rill_iov v = { "x", 1 };
	struct net n;
	rill_id id;

	net_init(&n, 0);
	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), 0);
	for (int i = 1; i <= 5; i++) {
		to.port = (uint16_t)i;
		CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 1);
	}
	CHECK_EQ("queued", n.st->netif[0].txq_len, 5);
	for (int i = 1; i <= 5; i++) {
		REQUIRE("out", net_out(&n));
		CHECK_EQ("in order", get16(net_l4(&n) + 2), i);
	}
	CHECK_EQ("empty", n.st->netif[0].txq_len, 0);
	net_fini(&n);
}

/* Whatever allocation fails while a stack is made: a clean error, nothing leaks. */
TEST(creation_without_memory)
{
	struct net n;
	int made = 0;

	for (uint64_t k = 1; k < 60 && !made; k++) {
		struct rill_stack_params par = { .mem = { net_alloc, net_free, &n } };

		memset(&n, 0, offsetof(struct net, buf));
		n.fail_at = k;
		if (!rill_stack_create(&par, &n.st)) {
			made = 1;
			CHECK("took some", k > 3);
			rill_stack_destroy(n.st);
		}
		CHECK_EQ("memory given back", n.live, 0);
	}
	CHECK("made at last", made);
}

TEST(timer_is_one)
{
	struct net n;
	uint32_t armed;

	net_init(&n, NET_ETHER);
	armed = n.st->timers.n;
	struct rill_addr to = { peer4(20), 9, 0 };
	struct rill_iov v = { "x", 1 };
	rill_id id;

	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), 0);
	for (int i = 0; i < 10; i++) {
		to.ip = peer4(20 + i);
		CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 1);
	}
	CHECK_EQ("one for all of this layer", n.st->timers.n, armed + 1);
	CHECK_EQ("the earliest", rill_stack_deadline(n.st), n.now_ns + RL_SEC);
	net_fini(&n);
}

/* One batch of input is bounded by netdev_max_backlog. [A9] */
TEST(input_backlog)
{
	struct rill_pkt *p[5];
	struct net n;

	net_init(&n, 0);
	CHECK_EQ("sysctl", rill_sysctl_set(n.st, "net.core.netdev_max_backlog", "4"), 0);
	for (int i = 0; i < 5; i++) {
		p[i] = rl_pkt_new_rx(&n.st->bufs, 1500);
		rl_pkt_rx_done(&n.st->bufs, p[i], 0);
	}
	CHECK_EQ("input", rill_stack_input_pkts(n.st, n.now_ns, 1, p, 5), 0);
	CHECK_UEQ("looked at", n.st->obs.drop[RL_DROP_IP_SHORT], 4);
	CHECK_UEQ("beyond", n.st->obs.drop[RL_DROP_IF_BACKLOG], 1);
	net_fini(&n);
}
