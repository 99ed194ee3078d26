/* SPDX-License-Identifier: MIT */
/* udp/udp_in.c: datagrams received: checks, who gets them, queues. [A24] */
#include "net_fixture.h"
#include "stack/sockopt_nums.h"

static rill_id bound(struct net *n, struct rill_ip ip, uint16_t port)
{
	struct rill_addr a = { ip, port, 0 };
	int32_t one = 1;
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, port, &id), 0);
	CHECK_EQ("opt", rl_udp_setsockopt(n->st, id, RL_SOL_SOCKET, RL_SO_REUSEADDR, &one, 4), 0);
	CHECK_EQ("bind", rill_udp_bind(n->st, id, &a, 0), 0);
	return id;
}

static struct rill_ip any(void)
{
	return (struct rill_ip){ .q = { 0 } };
}

/* Datagrams waiting at @id, taken. */
static int waiting(struct net *n, rill_id id)
{
	uint8_t b[100];
	struct rill_iov v = { b, sizeof(b) };
	int k = 0;

	while (rill_udp_recv(n->st, id, &v, 1, NULL, 0) >= 0)
		k++;
	return k;
}

static void in4(struct net *n, int src, struct rill_ip dst, uint16_t sport, uint16_t dport)
{
	struct rill_ip s = peer4(src);

	net_in_udp(n, &s, &dst, sport, dport, "data", 4);
}

/* [RFC6936-01] [RFC768-01] [RFC768-02] [RFC1122-40] [RFC8200-13] */
TEST(lengths_and_checksums)
{
	struct rill_ip s = peer4(1), d = peer4(2), s6 = peer6(1), d6 = peer6(2);
	uint8_t b[64];
	struct net n;
	rill_id id;
	size_t len;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	len = net_udp(b, &s, &d, 1, 7, "hello", 5);
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, 7));
	CHECK_CTR(&n, udp_in_errors, 1);
	CHECK_DROP(&n, RL_DROP_UDP_SHORT);
	put16(b + 4, 7);
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, len));
	CHECK_DROP(&n, RL_DROP_UDP_SHORT);
	put16(b + 4, (uint16_t)(len + 1));
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, len));
	CHECK_DROP(&n, RL_DROP_UDP_SHORT);
	net_udp(b, &s, &d, 1, 7, "hello", 5);
	b[9] ^= 1;
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, len));
	CHECK_CTR(&n, udp_in_csum_errors, 1);
	CHECK_DROP(&n, RL_DROP_UDP_CSUM);
	put16(b + 6, 0);			/* none */
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, len));
	CHECK_CTR(&n, udp_in_datagrams, 1);
	CHECK_EQ("accepted", waiting(&n, id), 1);
	net_in(&n, net_put(&n, &s6, &d6, RL_PROTO_UDP, b, len));
	CHECK_DROP(&n, RL_DROP_UDP_CSUM);
	len = net_udp(b, &s6, &d6, 1, 7, "hello", 5);
	net_in(&n, net_put(&n, &s6, &d6, RL_PROTO_UDP, b, len));
	CHECK_EQ("IPv6", waiting(&n, id), 1);
	net_udp(b, &s, &d, 1, 7, "hello", 5);	/* more IP bytes than UDP has */
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, len + 9));
	CHECK_EQ("rest ignored", waiting(&n, id), 1);
	net_fini(&n);
}

/* A sum of 0xffff in the data is sent and accepted as 0xffff, never as none. */
TEST(checksum_that_would_be_zero)
{
	struct rill_ip s = peer4(1), d = peer4(2);
	uint8_t b[16], data[2] = { 0, 0 };
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	for (uint32_t v = 0; v < 65536; v++) {
		put16(data, (uint16_t)v);
		net_udp(b, &s, &d, 1, 7, data, 2);
		if (get16(b + 6) == 0xffff)
			break;
	}
	CHECK_EQ("found", get16(b + 6), 0xffff);
	net_in(&n, net_put(&n, &s, &d, RL_PROTO_UDP, b, 10));
	CHECK_EQ("accepted", waiting(&n, id), 1);
	net_fini(&n);
}

/* [RFC1122-38] */
TEST(no_port)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = bound(&n, any(), 7);
	in4(&n, 1, peer4(2), 1, 8);
	CHECK_CTR(&n, udp_no_ports, 1);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	CHECK("told", net_out(&n));
	in4(&n, 1, peer4(2), 1, 0);			/* [RFC768-03] */
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	CHECK_EQ("none", waiting(&n, id), 0);
	net_fini(&n);
}

/* Connected before bound to the address before any. */
TEST(best_match)
{
	struct rill_addr to = { peer4(1), 1000, 0 };
	struct net n;
	rill_id every, addr, conn;

	net_init(&n, 0);
	every = bound(&n, any(), 7);
	addr = bound(&n, peer4(2), 7);
	conn = bound(&n, any(), 7);
	CHECK_EQ("connect", rill_udp_connect(n.st, conn, &to, 0), 0);
	in4(&n, 1, peer4(2), 1000, 7);
	CHECK_EQ("connected", waiting(&n, conn), 1);
	in4(&n, 1, peer4(2), 1001, 7);
	CHECK_EQ("bound to the address", waiting(&n, addr), 1);
	in4(&n, 3, peer4(2), 1000, 7);
	CHECK_EQ("bound to the address", waiting(&n, addr), 1);
	CHECK_EQ("close", rill_udp_close(n.st, addr), 0);
	in4(&n, 3, peer4(2), 1000, 7);
	CHECK_EQ("any", waiting(&n, every), 1);
	CHECK_EQ("none else", waiting(&n, conn), 0);
	net_fini(&n);
}

TEST(interface_bound)
{
	struct rill_if_params second = { .name = "test1", .mtu = 1400 };
	int32_t two = 2;
	struct net n;
	rill_id a, b;

	net_init(&n, 0);
	CHECK_EQ("if", rill_if_add(n.st, &second), 2);
	a = bound(&n, any(), 7);
	b = bound(&n, any(), 7);
	CHECK_EQ("opt", rl_udp_setsockopt(n.st, b, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX,
					  &two, 4), 0);
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_EQ("first", waiting(&n, a), 1);
	n.ifindex = 2;
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_EQ("second", waiting(&n, b), 1);
	net_fini(&n);
}

/* SO_REUSEPORT: flows are spread, and each one stays where it is. */
TEST(spreading)
{
	int32_t one = 1;
	rill_id id[4];
	int got[4] = { 0 };
	struct net n;

	net_init(&n, 0);
	for (int i = 0; i < 4; i++) {
		struct rill_addr a = { .port = 7 };

		CHECK_EQ("open", rill_udp_open(n.st, 0, &id[i]), 0);
		rl_udp_setsockopt(n.st, id[i], RL_SOL_SOCKET, RL_SO_REUSEPORT, &one, 4);
		CHECK_EQ("bind", rill_udp_bind(n.st, id[i], &a, 0), 0);
	}
	for (int flow = 0; flow < 200; flow++) {
		int at = -1;

		for (int k = 0; k < 2; k++) {
			in4(&n, 1, peer4(2), (uint16_t)(2000 + flow), 7);
			for (int i = 0; i < 4; i++) {
				if (!waiting(&n, id[i]))
					continue;
				CHECK("same socket", at < 0 || at == i);
				at = i;
			}
		}
		got[at]++;
	}
	for (int i = 0; i < 4; i++)
		CHECK("fair share", got[i] > 20 && got[i] < 90);
	net_fini(&n);
}

TEST(broadcast_to_all)
{
	struct rill_addr to = { peer4(1), 1000, 0 };
	struct net n;
	rill_id a, b, addr, conn, other;

	net_init(&n, NET_ETHER);
	a = bound(&n, any(), 7);
	b = bound(&n, peer4(255), 7);
	addr = bound(&n, peer4(2), 7);
	conn = bound(&n, any(), 7);
	other = bound(&n, any(), 8);
	rill_udp_connect(n.st, conn, &to, 0);
	in4(&n, 1, peer4(255), 1000, 7);
	CHECK_EQ("any", waiting(&n, a), 1);
	CHECK_EQ("bound to the broadcast address", waiting(&n, b), 1);
	CHECK_EQ("bound to another", waiting(&n, addr), 0);
	CHECK_EQ("connected", waiting(&n, conn), 1);
	CHECK_EQ("another port", waiting(&n, other), 0);
	in4(&n, 3, peer4(255), 1000, 7);
	CHECK_EQ("from another peer", waiting(&n, conn), 0);
	CHECK_EQ("any", waiting(&n, a), 1);
	net_fini(&n);
}

TEST(multicast_to_members)
{
	struct rill_ip g = ip4(239, 1, 1, 1), g6 = ip6(0xff05, 5), s6 = peer6(1);
	struct net n;
	rill_id a, b;

	net_init(&n, NET_ETHER);
	a = bound(&n, any(), 7);
	b = bound(&n, g, 7);
	in4(&n, 1, g, 1000, 7);
	CHECK_EQ("not joined", waiting(&n, a), 0);
	CHECK_EQ("join", rl_ip_join(n.st, 1, &g), 0);
	CHECK_EQ("join", rl_ip_join(n.st, 1, &g6), 0);
	in4(&n, 1, g, 1000, 7);
	CHECK_EQ("any", waiting(&n, a), 1);
	CHECK_EQ("bound to the group", waiting(&n, b), 1);
	net_in_udp(&n, &s6, &g6, 1000, 7, "x", 1);
	CHECK_EQ("IPv6", waiting(&n, a), 1);
	CHECK_EQ("another group", waiting(&n, b), 0);
	net_fini(&n);
}

/* [RFC1122-37] [RFC1122-41] */
TEST(what_is_told)
{
	struct rill_ip s = peer4(1), d = peer4(2);
	struct ipv4_hdr h = { .src = s, .dst = d, .proto = RL_PROTO_UDP, .ttl = 17,
			      .tos = 0xb8 };
	uint8_t b[64], got[8], tail[8];
	struct rill_iov v[2] = { { got, 3 }, { tail, 4 } };
	struct rill_udp_meta m;
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	net_udp(b, &s, &d, 1000, 7, "0123456789", 10);
	net_in(&n, net_put4(&n, &h, b, 18));
	CHECK_EQ("peek", rill_udp_recv(n.st, id, v, 2, &m, RILL_MSG_PEEK), 7);
	CHECK_EQ("cut", rill_udp_recv(n.st, id, v, 2, &m, 0), 7);
	CHECK_MEM("first piece", got, "012", 3);
	CHECK_MEM("second piece", tail, "3456", 4);
	CHECK("truncated", m.truncated && m.len == 10);
	CHECK_EQ("ttl", m.ttl, 17);
	CHECK_EQ("tos", m.tos, 0xb8);
	CHECK("from", rl_ip_eq(&m.from.ip, &s) && m.from.port == 1000);
	CHECK("to", rl_ip_eq(&m.to.ip, &d) && m.to.port == 7 && m.to.ifindex == 1);
	CHECK_EQ("the rest is gone", rill_udp_recv(n.st, id, v, 2, &m, 0), -EAGAIN);
	net_udp(b, &s, &d, 1000, 7, "", 0);
	net_in(&n, net_put4(&n, &h, b, 8));
	CHECK_EQ("empty datagram", rill_udp_recv(n.st, id, v, 2, &m, 0), 0);
	CHECK_EQ("is one", m.from.port, 1000);
	net_fini(&n);
}

TEST(queue_is_bounded)
{
	struct rill_event ev;
	int32_t size = 10000;
	struct net n;
	rill_id id;
	int k = 0;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	CHECK_EQ("opt", rl_udp_setsockopt(n.st, id, RL_SOL_SOCKET, RL_SO_RCVBUF, &size, 4), 0);
	while (!CTR(&n, udp_rcvbuf_errors) && k < 1000) {
		in4(&n, 1, peer4(2), 1, 7);
		k++;
	}
	CHECK("about 20000 bytes of memory", k > 10 && k < 60);
	CHECK_CTR(&n, udp_in_errors, 1);
	CHECK_DROP(&n, RL_DROP_UDP_RCVBUF);
	CHECK("small datagrams hold no blocks", n.st->bufs.blocks_in_use[0] == 0);
	CHECK_EQ("one event for all", rill_stack_event(n.st, &ev), 1);
	CHECK_EQ("readable", ev.bits, RILL_IN);
	CHECK_EQ("no second", rill_stack_event(n.st, &ev), 0);
	CHECK_EQ("all there", waiting(&n, id), k - 1);
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_EQ("room again", waiting(&n, id), 1);
	net_fini(&n);
}

/* However large, the first one fits: otherwise it could never be received. */
TEST(one_always_fits)
{
	static uint8_t data[1400];
	struct rill_ip s = peer4(1), d = peer4(2);
	int32_t size = 1;
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	rl_udp_setsockopt(n.st, id, RL_SOL_SOCKET, RL_SO_RCVBUF, &size, 4);
	net_in_udp(&n, &s, &d, 1, 7, data, sizeof(data));
	net_in_udp(&n, &s, &d, 1, 7, data, sizeof(data));
	CHECK_DROP(&n, RL_DROP_UDP_RCVBUF);
	CHECK_EQ("one", waiting(&n, id), 1);
	net_fini(&n);
}

TEST(minimum_ttl)
{
	int32_t ttl = 255;
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	CHECK_EQ("opt", rl_udp_setsockopt(n.st, id, RL_SOL_IP, RL_IP_MINTTL, &ttl, 4), 0);
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_DROP(&n, RL_DROP_MIN_TTL);
	ttl = 64;
	rl_udp_setsockopt(n.st, id, RL_SOL_IP, RL_IP_MINTTL, &ttl, 4);
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_EQ("enough", waiting(&n, id), 1);
	net_fini(&n);
}

/* [RFC1122-39]: only the association that it is about hears of an error */
TEST(errors)
{
	struct rill_addr to = { ip4(127, 0, 0, 1), 9, 0 };
	struct rill_iov v = { "x", 1 };
	struct net n;
	rill_id conn, free;

	net_init(&n, 0);
	conn = bound(&n, any(), 7);
	free = bound(&n, any(), 8);
	CHECK_EQ("connect", rill_udp_connect(n.st, conn, &to, 0), 0);
	CHECK_EQ("send", rill_udp_send(n.st, free, &v, 1, &to, 0), 1);
	CHECK_EQ("not told", rill_udp_send(n.st, free, &v, 1, &to, 0), 1);
	CHECK_EQ("send", rill_udp_send(n.st, conn, &v, 1, NULL, 0), 1);
	CHECK_EQ("poll", rill_udp_poll(n.st, conn), RILL_ERR | RILL_OUT);
	CHECK_EQ("told", rill_udp_send(n.st, conn, &v, 1, NULL, 0), -ECONNREFUSED);
	CHECK_EQ("once", rill_udp_poll(n.st, conn), RILL_OUT);
	net_fini(&n);
}

TEST(received_after_shutdown)
{
	struct rill_addr to = { peer4(1), 1, 0 };
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = bound(&n, any(), 7);
	rill_udp_connect(n.st, id, &to, 0);
	rill_udp_shutdown(n.st, id, RILL_SHUT_RD);
	in4(&n, 1, peer4(2), 1, 7);
	CHECK_DROP(&n, RL_DROP_UDP_RCVBUF);
	net_fini(&n);
}
