/* SPDX-License-Identifier: MIT */
/* udp/ping.c and udp_err.c: ping sockets, and the errors that datagrams bring back. [B5] [B6] */
#include "net_fixture.h"
#include "stack/sockopt_nums.h"
#include "wire/icmp.h"

static const uint8_t echo4[] = { 8, 0, 0xaa, 0xaa, 0xbb, 0xbb, 0, 7, 'h', 'i' };
static const uint8_t echo6[] = { 128, 0, 0xaa, 0xaa, 0xbb, 0xbb, 0, 7, 'h', 'i' };

static rill_id ping(struct net *n, int family)
{
	rill_id id = 0;

	CHECK_EQ("open", rill_ping_open(n->st, 1, family, &id), 0);
	return id;
}

static int64_t send_to(struct net *n, rill_id id, const void *msg, size_t len,
		       struct rill_ip ip, uint16_t port)
{
	uint8_t b[2000];
	struct rill_iov v = { b, len };
	struct rill_addr to = { ip, port, 0 };

	memcpy(b, msg, len);
	return rill_udp_send(n->st, id, &v, 1, &to, 0);
}

static uint16_t identifier(struct net *n, rill_id id)
{
	struct rill_addr a = { .port = 0 };

	CHECK_EQ("name", rill_udp_local(n->st, id, &a), 0);
	return a.port;
}

static bool cksum_ok(struct net *n, bool v4)
{
	const struct rill_ip a = v4 ? peer4(2) : peer6(2), b = v4 ? peer4(1) : peer6(1);
	uint32_t len = (uint32_t)(n->out + n->out_len - net_l4(n));
	uint64_t sum = v4 ? 0 : rl_sum_pseudo(&a, &b, RL_PROTO_ICMP6, len);

	return rl_sum_finish(rl_sum(net_l4(n), len, sum)) == 0;
}

/* The frame that went out last, back as its reply. */
static void turn(struct net *n, bool v4, const struct rill_ip *from)
{
	struct rill_ip to = v4 ? peer4(2) : peer6(2);
	uint8_t b[200];
	size_t len = (size_t)(n->out + n->out_len - net_l4(n));
	uint64_t sum = v4 ? 0 : rl_sum_pseudo(from, &to, RL_PROTO_ICMP6, (uint32_t)len);
	uint16_t folded;

	memcpy(b, net_l4(n), len);
	b[0] = v4 ? 0 : 129;
	put16(b + 2, 0);
	folded = rl_sum_finish(rl_sum(b, len, sum));
	memcpy(b + 2, &folded, 2);
	net_in(n, net_put(n, from, &to, v4 ? RL_PROTO_ICMP : RL_PROTO_ICMP6, b, len));
}

static int64_t take(struct net *n, rill_id id, uint8_t *b, size_t len, struct rill_udp_meta *m)
{
	struct rill_iov v = { b, len };

	return rill_udp_recv(n->st, id, &v, 1, m, 0);
}

static void echo(struct net *n, bool v4)
{
	const uint8_t *msg = v4 ? echo4 : echo6;
	struct rill_ip peer = v4 ? peer4(1) : peer6(1);
	rill_id id = ping(n, v4 ? 4 : 6);
	struct rill_udp_meta m;
	uint8_t b[64];

	CHECK_EQ("sent", send_to(n, id, msg, 10, peer, 0), 10);
	REQUIRE("on the wire", net_out(n));
	CHECK_UEQ("type", net_l4(n)[0], msg[0]);
	CHECK_UEQ("identifier is the socket's", get16(net_l4(n) + 4), identifier(n, id));
	CHECK_UEQ("number is the program's", get16(net_l4(n) + 6), 7);
	CHECK("checksum", cksum_ok(n, v4));
	CHECK_EQ("nothing yet", take(n, id, b, 64, &m), -EAGAIN);
	turn(n, v4, &peer);
	CHECK("readable", rill_udp_poll(n->st, id) & RILL_IN);
	CHECK_EQ("reply", take(n, id, b, 64, &m), 10);
	CHECK_UEQ("header first", b[0], v4 ? 0 : 129);
	CHECK_MEM("data", b + 8, "hi", 2);
	CHECK("from whom", rl_ip_eq(&m.from.ip, &peer));
	CHECK_UEQ("without a port", m.from.port, 0);
	CHECK_UEQ("ttl", m.ttl, 64);
	rill_udp_close(n->st, id);
	turn(n, v4, &peer);
	CHECK_DROP(n, RL_DROP_ICMP_NO_MATCH);
}

TEST(ping_echo)
{
	struct net n;

	net_init(&n, NET_ETHER);
	echo(&n, true);
	echo(&n, false);
	net_fini(&n);
}

TEST(ping_refuses)
{
	static const uint8_t reply[8] = { 0 }, unreach[8] = { 3 }, code[8] = { 8, 1 };
	struct rill_addr a6 = { peer6(2), 5, 0 }, a4 = { peer4(2), 5, 0 };
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("family", rill_ping_open(n.st, 1, 5, &id), -EAFNOSUPPORT);
	id = ping(&n, 4);
	CHECK_EQ("no header", send_to(&n, id, echo4, 7, peer4(1), 0), -EINVAL);
	CHECK_EQ("a reply", send_to(&n, id, reply, 8, peer4(1), 0), -EINVAL);
	CHECK_EQ("an error", send_to(&n, id, unreach, 8, peer4(1), 0), -EINVAL);
	CHECK_EQ("a code", send_to(&n, id, code, 8, peer4(1), 0), -EINVAL);
	CHECK_EQ("IPv6's request", send_to(&n, id, echo6, 8, peer4(1), 0), -EINVAL);
	CHECK("nothing was sent", !net_out(&n));
	CHECK_EQ("the other family", rill_udp_bind(n.st, ping(&n, 4), &a6, 0), -EAFNOSUPPORT);
	id = ping(&n, 6);
	CHECK_EQ("the other family", rill_udp_bind(n.st, id, &a4, 0), -EAFNOSUPPORT);
	CHECK("a send to it", send_to(&n, id, echo6, 8, peer4(1), 0) < 0);
	rill_stack_destroy(n.st);
	n.st = NULL;
	CHECK_EQ("memory given back", n.live, 0);
}

/* An identifier is no UDP port, and a UDP port no identifier. */
TEST(ping_and_udp_are_apart)
{
	struct rill_addr a = { peer4(2), 4000, 0 };
	struct rill_ip s = peer4(1), d = peer4(2);
	uint8_t b[64];
	struct net n;
	rill_id p, u, p2;

	net_init(&n, NET_ETHER);
	p = ping(&n, 4);
	p2 = ping(&n, 4);
	CHECK_EQ("udp", rill_udp_open(n.st, 1, &u), 0);
	CHECK_EQ("ping takes 4000", rill_udp_bind(n.st, p, &a, 0), 0);
	CHECK_EQ("udp too", rill_udp_bind(n.st, u, &a, 0), 0);
	CHECK_EQ("but no second ping", rill_udp_bind(n.st, p2, &a, 0), -EADDRINUSE);
	net_in_udp(&n, &s, &d, 9, 4000, "x", 1);
	CHECK_EQ("a datagram is not for ping", take(&n, p, b, 64, NULL), -EAGAIN);
	CHECK_EQ("but for udp", take(&n, u, b, 64, NULL), 1);
	CHECK_EQ("send", send_to(&n, p, echo4, 10, s, 0), 10);
	CHECK("out", net_out(&n));
	turn(&n, true, &s);
	CHECK_EQ("a reply is not for udp", take(&n, u, b, 64, NULL), -EAGAIN);
	CHECK_EQ("but for ping", take(&n, p, b, 64, NULL), 10);
	rill_udp_close(n.st, p);
	rill_udp_close(n.st, p2);
	net_fini(&n);
}

TEST(ping_with_a_peer)
{
	struct rill_addr peer = { peer4(1), 0, 0 };
	struct rill_ip other = peer4(9), one = peer4(1);
	uint8_t b[64];
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = ping(&n, 4);
	CHECK_EQ("no port is needed", rill_udp_connect(n.st, id, &peer, 0), 0);
	CHECK_EQ("send", send_to(&n, id, echo4, 10, one, 0), 10);
	CHECK("out", net_out(&n));
	turn(&n, true, &other);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	turn(&n, true, &one);
	CHECK_EQ("the peer's", take(&n, id, b, 64, NULL), 10);
	rill_udp_close(n.st, id);
	net_fini(&n);
}

/* ---- errors ---- */

/* A router (last) answers the frame that went out last by an error. */
static void error4(struct net *n, int router, uint8_t type, uint8_t code, uint32_t rest,
		   size_t quote)
{
	struct rill_ip from = peer4(router), to = peer4(2);
	struct icmp_hdr h = { type, code, rest };
	uint8_t b[600];
	size_t have = net_l3_len(n), len = 8 + RL_MIN(quote, have);
	uint16_t folded;

	rl_icmp_write(&h, b);
	memcpy(b + 8, net_l3(n), len - 8);
	folded = rl_sum_finish(rl_sum(b, len, 0));
	memcpy(b + 2, &folded, 2);
	net_in(n, net_put(n, &from, &to, RL_PROTO_ICMP, b, len));
}

static void set_opt(struct net *n, rill_id id, int level, int name, int32_t v)
{
	CHECK_EQ("option", rl_udp_setsockopt(n->st, id, level, name, &v, 4), 0);
}

static int64_t take_error(struct net *n, rill_id id, uint8_t *b, size_t len,
			  struct rill_sock_err *e)
{
	struct rill_iov v = { b, len };

	return rill_udp_recverr(n->st, id, &v, 1, e);
}

TEST(error_queue_of_a_trace)
{
	struct rill_sock_err e;
	struct rill_ip r1 = peer4(11), far = ip4(10, 0, 0, 1);
	uint8_t b[64];
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = ping(&n, 4);
	set_opt(&n, id, RL_SOL_IP, RL_IP_RECVERR, 1);
	set_opt(&n, id, RL_SOL_IP, RL_IP_TTL, 1);
	CHECK_EQ("none yet", take_error(&n, id, b, 64, &e), -EAGAIN);
	send_to(&n, id, echo4, 10, far, 0);
	REQUIRE("out", net_out(&n));
	CHECK_UEQ("ttl 1", net_l3(&n)[8], 1);
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	CHECK_NO_DROP(&n);
	CHECK("told by poll", rill_udp_poll(n.st, id) & RILL_ERR);
	CHECK_EQ("quote from the ICMP header on", take_error(&n, id, b, 64, &e), 10);
	CHECK_UEQ("number in it", get16(b + 6), 7);
	CHECK_EQ("errno", e.err, EHOSTUNREACH);
	CHECK_UEQ("type", e.type, ICMP4_TIME_EXCEEDED);
	CHECK("who", rl_ip_eq(&e.from, &r1));
	CHECK("where to", rl_ip_eq(&e.to.ip, &far));
	CHECK("no more", !(rill_udp_poll(n.st, id) & RILL_ERR));
	CHECK_EQ("the pending error went with it", send_to(&n, id, echo4, 10, far, 0), 10);
	rill_udp_close(n.st, id);
	net_fini(&n);
}

TEST(error_queue_of_udp)
{
	struct rill_ip far = peer4(1), r = peer4(11);
	struct rill_sock_err e;
	uint8_t b[64];
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("open", rill_udp_open(n.st, 1, &id), 0);
	send_to(&n, id, "before", 6, far, 33434);
	net_out(&n);
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	CHECK_EQ("without the option nothing is kept", take_error(&n, id, b, 64, &e), -EAGAIN);
	set_opt(&n, id, RL_SOL_IP, RL_IP_RECVERR, 1);
	send_to(&n, id, "probe", 5, far, 33434);
	net_out(&n);
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	error4(&n, 1, ICMP4_UNREACH, ICMP4_UNREACH_PORT, 0, 28);
	CHECK_EQ("pending", send_to(&n, id, "x", 1, far, 33434), -ECONNREFUSED);
	CHECK_EQ("cut", take_error(&n, id, b, 3, &e), 3);
	CHECK("and says so", e.truncated);
	CHECK_UEQ("true length", e.len, 5);
	CHECK_MEM("the datagram's data", b, "pro", 3);
	CHECK_UEQ("its port", e.to.port, 33434);
	CHECK("who", rl_ip_eq(&e.from, &r));
	CHECK_EQ("the next one is pending", send_to(&n, id, "x", 1, far, 33434), -ECONNREFUSED);
	CHECK_EQ("no data quoted", take_error(&n, id, b, 64, &e), 0);
	CHECK_EQ("refused", e.err, ECONNREFUSED);
	CHECK_EQ("then it is well", send_to(&n, id, "x", 1, far, 33434), 1);
	net_fini(&n);
}

TEST(error_queue_too_big)
{
	struct rill_ip far = peer4(1);
	struct rill_sock_err e;
	uint8_t b[64];
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("open", rill_udp_open(n.st, 1, &id), 0);
	set_opt(&n, id, RL_SOL_IP, RL_IP_RECVERR, 1);
	send_to(&n, id, "probe", 5, far, 9);
	net_out(&n);
	error4(&n, 11, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, 1400, 100);
	CHECK_EQ("kept", take_error(&n, id, b, 64, &e), 5);
	CHECK_EQ("errno", e.err, EMSGSIZE);
	CHECK_UEQ("mtu", e.mtu, 1400);
	set_opt(&n, id, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_DONT);
	send_to(&n, id, "probe", 5, far, 9);
	net_out(&n);
	error4(&n, 11, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, 1400, 100);
	CHECK_EQ("of no interest where packets are cut", take_error(&n, id, b, 64, &e), -EAGAIN);
	net_fini(&n);
}

/* What somebody makes up finds no socket; what nobody reads is bounded. */
TEST(error_queue_hostile)
{
	struct rill_ip far = peer4(1);
	struct rill_sock_err e;
	uint8_t b[64];
	unsigned kept = 0;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = ping(&n, 4);
	set_opt(&n, id, RL_SOL_IP, RL_IP_RECVERR, 1);
	send_to(&n, id, echo4, 10, far, 0);
	net_out(&n);
	net_l4(&n)[5] ^= 1;
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	net_l4(&n)[5] ^= 1;
	net_l4(&n)[0] = 0;
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	net_l4(&n)[0] = 8;
	for (int i = 0; i < 5000; i++)
		error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	while (take_error(&n, id, b, 64, &e) >= 0)
		kept++;
	CHECK("some", kept > 10);
	CHECK("not all", kept < 5000);
	error4(&n, 11, ICMP4_TIME_EXCEEDED, 0, 0, 100);
	rill_udp_close(n.st, id);		/* with one unread */
	net_fini(&n);
}

/* Nobody answers our ARP: as if a router had said so, from ourselves. */
TEST(error_queue_no_neighbour)
{
	struct rill_ip gone = peer4(77), self = peer4(2);
	struct rill_sock_err e;
	uint8_t b[64];
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = ping(&n, 4);
	set_opt(&n, id, RL_SOL_IP, RL_IP_RECVERR, 1);
	send_to(&n, id, echo4, 10, gone, 0);
	net_seconds(&n, 5);
	CHECK_EQ("told", take_error(&n, id, b, 64, &e), 10);
	CHECK_EQ("errno", e.err, EHOSTUNREACH);
	CHECK("by ourselves", rl_ip_eq(&e.from, &self));
	rill_udp_close(n.st, id);
	net_fini(&n);
}
