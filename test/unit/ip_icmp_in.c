/* SPDX-License-Identifier: MIT */
/* ip/icmp_in.c: ICMP received, and what is believed of it. [A25] */
#include "net_fixture.h"

#define OPT_ERROR	4	/* SO_ERROR */

static struct rill_ip host(bool v6, int last)
{
	return v6 ? peer6(last) : peer4(last);
}

/* A socket connected to port 7 of the peer that has sent something from port 5000. */
static rill_id connected(struct net *n, bool v6)
{
	struct rill_addr to = { host(v6, 1), 7, 0 }, from = { host(v6, 2), 5000, 0 };
	struct rill_iov v = { "x", 1 };
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 0, &id), 0);
	CHECK_EQ("bind", rill_udp_bind(n->st, id, &from, 0), 0);
	CHECK_EQ("connect", rill_udp_connect(n->st, id, &to, 0), 0);
	CHECK_EQ("send", rill_udp_send(n->st, id, &v, 1, NULL, 0), 1);
	net_drain(n);
	return id;
}

struct quote {
	int		src, dst;		/* last byte of the quoted addresses */
	uint16_t	sport, dport, total;
	uint8_t		proto;
};

static const struct quote ours = { 2, 1, 5000, 7, 1000, RL_PROTO_UDP };

/* An error that quotes @q, cut to @len bytes. */
static void error_len(struct net *n, bool v6, int type, int code, uint32_t rest,
		      const struct quote *q, size_t len)
{
	struct ipv4_hdr h = { .src = peer4(q->src), .dst = peer4(q->dst), .ttl = 60,
			      .proto = q->proto, .total_len = q->total };
	struct ipv6_hdr h6 = { .src = peer6(q->src), .dst = peer6(q->dst), .hop_limit = 60,
			       .next = q->proto, .payload_len = (uint16_t)(q->total - 40) };
	struct udp_hdr u = { q->sport, q->dport, 20, true };
	struct rill_ip from = host(v6, 99), to = host(v6, 2);
	uint8_t b[100] = { (uint8_t)type, (uint8_t)code };

	put32(b + 4, rest);
	if (v6)
		rl_ipv6_write(&h6, b + 8);
	else
		rl_ipv4_write(&h, b + 8);
	rl_udp_hdr_write(&u, b + 8 + (v6 ? 40 : 20));
	net_in_icmp(n, &from, &to, b, len);
}

static void error(struct net *n, bool v6, int type, int code, uint32_t rest,
		  const struct quote *q)
{
	error_len(n, v6, type, code, rest, q, 8 + (v6 ? 48 : 28));
}

static int so_error(struct net *n, rill_id id)
{
	int32_t err = -1;
	size_t len = sizeof(err);

	CHECK_EQ("SO_ERROR", rl_udp_getsockopt(n->st, id, 1, OPT_ERROR, &err, &len), 0);
	return err;
}

/* [RFC1122-17] [RFC1122-21] [RFC1122-22] [RFC4443-01] [RFC9293:MUST-56] */
static const struct {
	const char *name;
	bool v6;
	uint8_t type, code;
	bool hard;
	int err;
} kinds[] = {
	{ "net unreachable",	false, 3, 0, false, ENETUNREACH },
	{ "host unreachable",	false, 3, 1, false, EHOSTUNREACH },
	{ "no protocol",	false, 3, 2, true,  ENOPROTOOPT },
	{ "no port",		false, 3, 3, true,  ECONNREFUSED },
	{ "source route",	false, 3, 5, false, EOPNOTSUPP },
	{ "prohibited",		false, 3, 13, true, EHOSTUNREACH },
	{ "code of the future",	false, 3, 77, false, EHOSTUNREACH },
	{ "time exceeded",	false, 11, 0, false, EHOSTUNREACH },
	{ "parameter problem",	false, 12, 0, false, EPROTO },
	{ "no route",		true,  1, 0, false, ENETUNREACH },
	{ "prohibited",		true,  1, 1, true,  EACCES },
	{ "address",		true,  1, 3, false, EHOSTUNREACH },
	{ "no port",		true,  1, 4, true,  ECONNREFUSED },
	{ "time exceeded",	true,  3, 0, false, EHOSTUNREACH },
	{ "parameter problem",	true,  4, 1, false, EPROTO },
	{ "unknown error",	true,  100, 0, false, EPROTO },
};

TEST(kinds_of_errors)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct rill_iov v = { NULL, 0 };
		bool v6 = kinds[i].v6;
		struct net n;
		rill_id id;

		net_init(&n, NET_ETHER);
		id = connected(&n, v6);
		error(&n, v6, kinds[i].type, kinds[i].code, 0, &ours);
		CHECK_EQ(kinds[i].name, rill_udp_recv(n.st, id, &v, 1, NULL, 0),
			 kinds[i].hard ? -kinds[i].err : -EAGAIN);
		CHECK_EQ(kinds[i].name, so_error(&n, id), kinds[i].hard ? 0 : kinds[i].err);
		CHECK_EQ("once", so_error(&n, id), 0);
		CHECK_NO_DROP(&n);
		net_fini(&n);
	}
}

TEST(counters)
{
	struct net n;

	net_init(&n, 0);
	connected(&n, false);
	connected(&n, true);
	error(&n, false, 3, 1, 0, &ours);
	error(&n, true, 1, 0, 0, &ours);
	CHECK_CTR(&n, icmp_in_dest_unreachs, 2);
	error(&n, false, 11, 0, 0, &ours);
	error(&n, true, 3, 0, 0, &ours);
	CHECK_CTR(&n, icmp_in_time_excds, 2);
	error(&n, false, 12, 0, 0, &ours);
	error(&n, true, 4, 0, 0, &ours);
	CHECK_CTR(&n, icmp_in_parm_probs, 2);
	error(&n, true, 2, 0, 1400, &ours);
	CHECK_CTR(&n, icmp_in_too_bigs, 1);
	CHECK_CTR(&n, icmp_in_msgs, 7);
	CHECK_CTR(&n, icmp_in_errors, 0);
	net_fini(&n);
}

/* [RFC5927:4.1] [RFC8201-02] [RFC9293:MUST-54] */
TEST(errors_about_nothing)
{
	static const struct { const char *name; struct quote q; } rows[] = {
		{ "another source",	{ 3, 1, 5000, 7, 1000, RL_PROTO_UDP } },
		{ "another peer",	{ 2, 4, 5000, 7, 1000, RL_PROTO_UDP } },
		{ "our port",		{ 2, 1, 5001, 7, 1000, RL_PROTO_UDP } },
		{ "its port",		{ 2, 1, 5000, 8, 1000, RL_PROTO_UDP } },
		{ "protocol",		{ 2, 1, 5000, 7, 1000, 99 } },
		{ "ICMP",		{ 2, 1, 5000, 7, 1000, RL_PROTO_ICMP } },
	};
	struct net n;
	rill_id id, id6;

	net_init(&n, NET_ETHER);
	id = connected(&n, false);
	id6 = connected(&n, true);
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		error(&n, i & 1, i & 1 ? 1 : 3, i & 1 ? 4 : 3, 0, &rows[i / 2].q);
		net_check_drop(__FILE__, __LINE__, &n, RL_DROP_ICMP_NO_MATCH, 1,
			       rows[i / 2].name);
	}
	CHECK_EQ("untouched", so_error(&n, id), 0);
	CHECK_EQ("untouched", so_error(&n, id6), 0);
	net_fini(&n);
}

TEST(quote_of_a_later_fragment)
{
	struct rill_ip from = peer4(99), to = peer4(2);
	struct ipv4_hdr h = { .src = to, .dst = peer4(1), .proto = RL_PROTO_UDP,
			      .total_len = 500, .frag_off = 800 };
	struct ipv6_hdr h6 = { .src = peer6(2), .dst = peer6(1), .next = RL_PROTO_FRAGMENT,
			       .payload_len = 500 };
	struct ipv6_frag f = { RL_PROTO_UDP, true, 0, 1 };
	struct udp_hdr u = { 5000, 7, 20, true };
	uint8_t b[80] = { 3, 3 };
	struct net n;
	rill_id id6;

	net_init(&n, NET_ETHER);
	connected(&n, false);
	id6 = connected(&n, true);
	rl_ipv4_write(&h, b + 8);
	rl_udp_hdr_write(&u, b + 28);
	net_in_icmp(&n, &from, &to, b, 36);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	/* the first fragment of IPv6 tells who sent it */
	b[0] = 1;
	b[1] = 4;
	rl_ipv6_write(&h6, b + 8);
	rl_ipv6_frag_write(&f, b + 48);
	rl_udp_hdr_write(&u, b + 56);
	from = peer6(99);
	to = peer6(2);
	net_in_icmp(&n, &from, &to, b, 64);
	CHECK_NO_DROP(&n);
	CHECK_EQ("refused", so_error(&n, id6), ECONNREFUSED);
	net_fini(&n);
}

TEST(short_and_damaged)
{
	struct rill_ip src = peer4(1), dst = peer4(2), src6 = peer6(1), dst6 = peer6(2);
	uint8_t b[64] = { 8 };
	struct net n;
	size_t len;

	net_init(&n, NET_ETHER);
	connected(&n, false);
	net_in_icmp(&n, &src, &dst, b, 7);
	CHECK_CTR(&n, icmp_in_errors, 1);
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	error_len(&n, false, 3, 3, 0, &ours, 8 + 27);	/* [RFC792-01]: 8 bytes quoted */
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	error_len(&n, false, 3, 3, 0, &ours, 8 + 10);
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	error_len(&n, true, 1, 4, 0, &ours, 8 + 40);
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	net_icmp_sum(&src, &dst, b, 16);
	b[9] ^= 4;
	len = net_put(&n, &src, &dst, RL_PROTO_ICMP, b, 16);
	net_in(&n, len);
	CHECK_CTR(&n, icmp_in_errors, 1);
	CHECK_DROP(&n, RL_DROP_ICMP_CSUM);
	b[0] = 128;
	net_icmp_sum(&src6, &dst6, b, 16);
	b[9] ^= 4;
	net_in(&n, net_put(&n, &src6, &dst6, RL_PROTO_ICMP6, b, 16));
	CHECK_DROP(&n, RL_DROP_ICMP_CSUM);
	net_fini(&n);
}

/* [RFC6918-01] [RFC1122-13] [RFC1122-25] [RFC9293:MUST-55] [RFC5927-04] */
TEST(types_not_for_us)
{
	static const uint8_t types4[] = { 4, 5, 9, 13, 14, 15, 17, 200 };
	static const uint8_t types6[] = { 138, 200, 255 };
	struct rill_ip src = peer4(1), dst = peer4(2), src6 = peer6(1), dst6 = peer6(2);
	uint8_t b[40] = { 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < sizeof(types4); i++) {
		b[0] = types4[i];
		net_in_icmp(&n, &src, &dst, b, 40);
		CHECK_UEQ("redirects", CTR(&n, icmp_in_redirects), b[0] == 5);
		CHECK_DROP(&n, RL_DROP_ICMP_TYPE);
	}
	for (size_t i = 0; i < sizeof(types6); i++) {
		b[0] = types6[i];
		net_in_icmp(&n, &src6, &dst6, b, 40);
		CHECK_DROP(&n, RL_DROP_ICMP_TYPE);
	}
	CHECK_EQ("silence", net_drain(&n), 0);
	net_fini(&n);
}

TEST(echo_answers_are_counted)
{
	struct rill_ip src = peer4(1), dst = peer4(2), src6 = peer6(1), dst6 = peer6(2);
	uint8_t b[16] = { 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	net_in_icmp(&n, &src, &dst, b, 16);
	CHECK_CTR(&n, icmp_in_echo_reps, 1);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	b[0] = 129;
	net_in_icmp(&n, &src6, &dst6, b, 16);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	net_fini(&n);
}

static uint32_t path_mtu(struct net *n, bool v6)
{
	struct rl_flow f = { .src = host(v6, 2), .dst = host(v6, 1) };

	CHECK_EQ("route", rl_ip_route(n->st, &f), 0);
	return f.d.mtu;
}

/* [RFC1191-01] [RFC1191-02] [RFC1191-03] [RFC8201-01] [RFC8201-03] [RFC4443-07] */
static const struct {
	const char *name;
	bool v6;
	uint32_t told;
	uint16_t total;		/* length of the quoted packet */
	uint32_t mtu;		/* afterwards */
} pmtu_rows[] = {
	{ "told",		false, 1400, 1500, 1400 },
	{ "not told: plateau",	false, 0, 1500, 1492 },
	{ "not told: plateau",	false, 0, 1400, 1006 },
	{ "not told, small",	false, 0, 300, 552 },
	{ "below the least",	false, 20, 1500, 552 },
	{ "never up",		false, 9000, 1500, 1500 },
	{ "told",		true, 1400, 1500, 1400 },
	{ "least",		true, 1280, 1500, 1280 },
	{ "below 1280",		true, 1279, 1500, 1500 },
	{ "never up",		true, 9000, 1500, 1500 },
};

TEST(path_mtu_messages)
{
	for (size_t i = 0; i < ARRAY_LEN(pmtu_rows); i++) {
		struct quote q = ours;
		bool v6 = pmtu_rows[i].v6;
		struct net n;

		q.total = pmtu_rows[i].total;
		net_init(&n, NET_ETHER);
		connected(&n, v6);
		error(&n, v6, v6 ? 2 : 3, v6 ? 0 : 4, pmtu_rows[i].told, &q);
		CHECK_CTR(&n, icmp_in_too_bigs, 1);
		CHECK_EQ(pmtu_rows[i].name, path_mtu(&n, v6), pmtu_rows[i].mtu);
		q.sport = 1;			/* not about us: not believed */
		error(&n, v6, v6 ? 2 : 3, v6 ? 0 : 4, 1290, &q);
		CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
		CHECK_EQ(pmtu_rows[i].name, path_mtu(&n, v6), pmtu_rows[i].mtu);
		net_fini(&n);
	}
}

TEST(path_mtu_discovery_off)
{
	struct net n;

	net_init(&n, 0);
	rill_sysctl_set(n.st, "net.ipv4.ip_no_pmtu_disc", "1");
	connected(&n, false);
	error(&n, false, 3, 4, 1400, &ours);
	CHECK_EQ("ignored", path_mtu(&n, false), 1500);
	net_fini(&n);
}

/* [RFC4884-01]: a length field and extensions behind the quote do no harm */
TEST(multi_part_messages)
{
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = connected(&n, false);
	error_len(&n, false, 3, 3, 0x00200000, &ours, 90);
	CHECK_EQ("refused", so_error(&n, id), ECONNREFUSED);
	net_fini(&n);
}
