/* SPDX-License-Identifier: MIT */
/*
 * Socket options of TCP [A26]: what each takes, refuses and gives back, and what
 * it does on the wire.  Keepalive, linger and the user timeout have their own
 * files.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

#define SOCK(n)	RL_SOL_SOCKET, RL_SO_##n, #n
#define TCP(n)	RL_SOL_TCP, RL_TCP_##n, #n
#define IP(n)	RL_SOL_IP, RL_IP_##n, #n
#define IP6(n)	RL_SOL_IPV6, RL_IPV6_##n, #n

static int set(struct fix *f, int level, int name, int v)
{
	return fix_setopt(f, level, name, v);
}

/* ---- values and errors ---- */

/* get after set; or, below zero, set's error */
static const struct {
	int level, opt;
	const char *name;
	int set, get;
} rows[] = {
	{ SOCK(REUSEADDR), 5, 1 }, { SOCK(REUSEADDR), 0, 0 },
	{ SOCK(REUSEPORT), 1, 1 }, { SOCK(KEEPALIVE), 1, 1 }, { SOCK(OOBINLINE), 1, 1 },
	{ SOCK(RCVBUF), 10000, 20000 }, { SOCK(RCVBUF), 1, 2304 },
	{ SOCK(RCVBUF), 1 << 30, 2 * 4194304 }, { SOCK(RCVBUF), -1, 2304 },
	{ SOCK(SNDBUF), 10000, 20000 }, { SOCK(SNDBUF), 1, 4608 },
	{ SOCK(SNDBUF), 1 << 30, 2 * 4194304 },
	{ SOCK(RCVLOWAT), 100, 100 }, { SOCK(RCVLOWAT), 0, 1 },
	{ SOCK(RCVLOWAT), -1, INT32_MAX },
	{ SOCK(BINDTOIFINDEX), -1, -EINVAL }, { SOCK(BINDTOIFINDEX), 77, -ENODEV },
	{ SOCK(BINDTOIFINDEX), 0, 0 }, { SOCK(TYPE), 1, -ENOPROTOOPT },
	{ TCP(NODELAY), 1, 1 }, { TCP(NODELAY), 0, 0 }, { TCP(CORK), 7, 1 },
	{ TCP(QUICKACK), 0, 0 }, { TCP(QUICKACK), 1, 1 },
	{ TCP(KEEPIDLE), 32767, 32767 }, { TCP(KEEPIDLE), 0, -EINVAL },
	{ TCP(KEEPIDLE), 32768, -EINVAL },
	{ TCP(KEEPINTVL), 1, 1 }, { TCP(KEEPINTVL), 0, -EINVAL },
	{ TCP(KEEPINTVL), 32768, -EINVAL },
	{ TCP(KEEPCNT), 127, 127 }, { TCP(KEEPCNT), 0, -EINVAL }, { TCP(KEEPCNT), 128, -EINVAL },
	{ TCP(SYNCNT), 1, 1 }, { TCP(SYNCNT), 127, 127 }, { TCP(SYNCNT), 0, -EINVAL },
	{ TCP(SYNCNT), 128, -EINVAL },
	{ TCP(LINGER2), 30, 30 }, { TCP(LINGER2), -5, -1 }, { TCP(LINGER2), 121, 60 },
	{ TCP(MAXSEG), 87, -EINVAL }, { TCP(MAXSEG), 32768, -EINVAL }, { TCP(MAXSEG), 500, 500 },
	{ TCP(WINDOW_CLAMP), 20000, 20000 }, { TCP(WINDOW_CLAMP), 5, 1152 },
	{ TCP(USER_TIMEOUT), 5000, 5000 }, { TCP(USER_TIMEOUT), -1, -EINVAL },
	{ TCP(INFO), 1, -ENOPROTOOPT }, { TCP(MD5SIG), 1, -ENOPROTOOPT },
	{ IP(TOS), 0xb8, 0xb8 }, { IP(TOS), 0xff, 0xfc }, { IP(TTL), 7, 7 },
	{ IP(TTL), 0, -EINVAL }, { IP(TTL), 256, -EINVAL }, { IP(TTL), -1, 64 },
	{ IP(MINTTL), 255, 255 }, { IP(MINTTL), 256, -EINVAL }, { IP(MINTTL), -1, -EINVAL },
	{ IP(MTU_DISCOVER), RL_PMTUDISC_DONT, RL_PMTUDISC_DONT },
	{ IP(MTU_DISCOVER), RL_PMTUDISC_WANT, RL_PMTUDISC_WANT },
	{ IP(MTU_DISCOVER), 99, -EINVAL }, { IP(MTU), 1, -ENOPROTOOPT },
	{ IP(OPTIONS), 1, -ENOPROTOOPT },
	{ IP6(TCLASS), 0xb8, 0xb8 }, { IP6(TCLASS), 256, -EINVAL }, { IP6(TCLASS), -2, -EINVAL },
	{ IP6(UNICAST_HOPS), 9, 9 }, { IP6(UNICAST_HOPS), 256, -EINVAL },
	{ IP6(UNICAST_HOPS), -1, 64 }, { IP6(MINHOPCOUNT), 255, 255 },
	{ IP6(MINHOPCOUNT), 256, -EINVAL },
	{ IP6(MTU_DISCOVER), RL_PMTUDISC_WANT, RL_PMTUDISC_WANT },
	{ IP6(MTU_DISCOVER), -1, -EINVAL },
	{ IP6(V6ONLY), 1, 1 }, { IP6(V6ONLY), 0, 0 },
	{ 4711, 1, "unknown level", 1, -ENOPROTOOPT },
	{ RL_SOL_TCP, 4711, "unknown option", 1, -ENOPROTOOPT },
};

TEST(set_and_get)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rl_label("%s %d", rows[i].name, rows[i].set);
		struct fix f;
		int err;

		fix_init(&f, true);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		err = set(&f, rows[i].level, rows[i].opt, rows[i].set);
		if (rows[i].get < 0 && rows[i].opt != RL_TCP_LINGER2) {
			CHECK_EQ(row, err, rows[i].get);
		} else {
			CHECK_EQ(row, err, 0);
			CHECK_EQ(row, fix_getopt(&f, rows[i].level, rows[i].opt), rows[i].get);
		}
		fix_done(&f);
	}
}

TEST(lengths_and_ids)
{
	struct fix f;
	size_t n = 2;
	int v = 1;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("short", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_NODELAY, &v, 3),
		 -EINVAL);
	CHECK_EQ("short linger", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_LINGER,
						       &v, 4), -EINVAL);
	CHECK_EQ("no name", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION,
						  "", 0), -EINVAL);
	v = -1;
	CHECK_EQ("get cut", rill_stack_getsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_NODELAY, &v,
						  &n), 0);
	CHECK_EQ("length", n, 2);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	CHECK_EQ("gone", set(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), -EBADF);
	CHECK_EQ("gone", fix_getopt(&f, RL_SOL_TCP, RL_TCP_NODELAY), -EBADF);
	fix_done(&f);
}

TEST(structs_and_strings)
{
	int l[2] = { 1, 30 };
	char name[16] = "";
	size_t n = sizeof(l);
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	CHECK_EQ("linger", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_LINGER, l, n), 0);
	l[0] = l[1] = 0;
	CHECK_EQ("linger", rill_stack_getsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_LINGER, l,
						 &n), 0);
	CHECK("as set", l[0] == 1 && l[1] == 30);
	n = sizeof(name);
	CHECK_EQ("congestion", rill_stack_getsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION,
						     name, &n), 0);
	CHECK_STR("name", name, "reno");
	CHECK_EQ("unknown", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION,
						  "bogus", 5), -ENOENT);
	CHECK_EQ("known", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION,
						"reno", 4), 0);
	CHECK_EQ("device", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_BINDTODEVICE,
						 "nope", 4), -ENODEV);
	CHECK_EQ("prefix of a name", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET,
							   RL_SO_BINDTODEVICE, "t", 1), -ENODEV);
	CHECK_EQ("device", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_BINDTODEVICE,
						 "t0", 2), 0);
	n = sizeof(name);
	CHECK_EQ("device", rill_stack_getsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_BINDTODEVICE,
						 name, &n), 0);
	CHECK_STR("name", name, "t0");
	CHECK_EQ("index", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), f.ifindex);
	CHECK_EQ("TCP_INFO", fix_info(&f).state, RILL_ESTABLISHED);
	CHECK_EQ("options: timestamps, SACK", fix_info(&f).options, 3);
	CHECK_EQ("accepting", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ACCEPTCONN), 0);
	f.fd = f.listener;
	CHECK_EQ("accepting", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ACCEPTCONN), 1);
	fix_done(&f);
}

/* ---- effects ---- */

static struct out_seg connect_out(struct fix *f)
{
	struct rill_addr peer = { .ip = f->v6 ? (struct rill_ip){ .b = { 0xfd, [15] = 2 } }
					      : rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct out_seg o;

	CHECK_EQ("connect", rill_tcp_connect(f->st, f->fd, &peer, 0), -EINPROGRESS);
	f->got_iss = false;
	o = fix_out(f);
	f->lport = o.sport;
	return o;
}

/* [RFC9293:MUST-48] [RFC9293:MUST-49] [RFC9293:SHLD-21] [RFC9293:SHLD-22] */
TEST(tos_and_ttl)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int level = v6 ? RL_SOL_IPV6 : RL_SOL_IP;
		int tos = v6 ? RL_IPV6_TCLASS : RL_IP_TOS;
		int ttl = v6 ? RL_IPV6_UNICAST_HOPS : RL_IP_TTL;
		struct out_seg o;
		struct fix f;

		fix_init(&f, v6);
		fix_sysctl(&f, v6 ? "net.ipv6.conf.all.hop_limit" : "net.ipv4.ip_default_ttl",
			   "33");
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		CHECK_EQ("tos", set(&f, level, tos, 0xb8), 0);
		o = connect_out(&f);
		CHECK_EQ("SYN: TOS", o.tos, 0xb8);
		CHECK_EQ("SYN: the stack's TTL", o.ttl, 33);
		fix_in(&f, "S.", 0, 0, 1, 65535);
		CHECK_EQ("ACK: TOS", fix_out(&f).tos, 0xb8);
		CHECK_EQ("tos", set(&f, level, tos, 0x20), 0);
		CHECK_EQ("ttl", set(&f, level, ttl, 5), 0);
		fix_send(&f, 10);
		o = fix_out(&f);
		CHECK_EQ("data: TOS", o.tos, 0x20);
		CHECK_EQ("data: TTL", o.ttl, 5);
		fix_done(&f);

		fix_init(&f, v6);		/* and for those that a listener accepts */
		fix_listen(&f);
		f.fd = f.listener;
		CHECK_EQ("tos", set(&f, level, tos, 0x48), 0);
		CHECK_EQ("ttl", set(&f, level, ttl, 9), 0);
		fix_in(&f, "S", 0, 0, 0, 65535);
		o = fix_out(&f);
		CHECK("SYN+ACK", o.tos == 0x48 && o.ttl == 9);
		fix_in(&f, "P.", 1, 10, 1, 65535);
		o = fix_out(&f);
		CHECK("ACK", o.tos == 0x48 && o.ttl == 9);
		fix_done(&f);
	}
}

/* [RFC1191-08] [RFC7323-24] [RFC1191-01] path MTU discovery on and off */
TEST(dont_fragment)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10);
	CHECK("on", fix_out(&f).df);
	CHECK_EQ("off", set(&f, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_DONT), 0);
	fix_in(&f, ".", 1, 0, 11, 65535);
	fix_send(&f, 10);
	CHECK("off", !fix_out(&f).df);
	fix_done(&f);

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_no_pmtu_disc", "1");
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK("SYN+ACK", !fix_out(&f).df);
	fix_done(&f);
}

TEST(mtu)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int level = v6 ? RL_SOL_IPV6 : RL_SOL_IP, name = v6 ? RL_IPV6_MTU : RL_IP_MTU;
		struct fix f;

		fix_init_mtu(&f, v6, 1400);
		fix_listen(&f);
		f.fd = f.listener;
		CHECK_EQ("not connected", fix_getopt(&f, level, name), -ENOTCONN);
		fix_establish(&f, false, false);
		CHECK_EQ("connected", fix_getopt(&f, level, name), 1400);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, 1300);
		CHECK_EQ("nothing in flight", fix_getopt(&f, level, name), 1400);
		fix_send(&f, 1000);
		fix_drain(&f);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, 1300);
		CHECK_EQ("learned", fix_getopt(&f, level, name), 1300);
		fix_done(&f);
	}
}

static uint8_t mss_opt[4] = { 2, 4 };

static uint32_t segment_for(struct fix *f, uint16_t mss)
{
	mss_opt[2] = (uint8_t)(mss >> 8);
	mss_opt[3] = (uint8_t)mss;
	fix_establish_opts(f, mss_opt, mss ? 4 : 0);
	fix_send(f, 20000);
	return fix_out(f).len;
}

/*
 * [A8] [RFC9293:MUST-14] [RFC9293:MUST-15] [RFC9293:MUST-16] [RFC9293:MUST-67] and
 * tcp_min_snd_mss, min_adv_mss, TCP_MAXSEG
 * [RFC6691-01] [RFC8200-14] [RFC2525-03] [RFC2525-18]
 * [RFC1122-31]
 */
TEST(segment_sizes)
{
	static const struct {
		unsigned mtu;
		bool	 v6;
		uint16_t mss;			/* the peer's, 0: none */
		uint32_t want;
	} sizes[] = {
		{ 1500, false, 0, 536 }, { 1500, true, 0, 1220 }, { 1500, false, 1000, 1000 },
		{ 1500, false, 9000, 1460 }, { 1500, true, 9000, 1440 },
		{ 1000, false, 1460, 960 }, { 1280, true, 1440, 1220 }, { 576, false, 1460, 536 },
		{ 1500, false, 10, 48 }, { 9000, false, 8960, 8960 },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct fix f;

		fix_init_mtu(&f, sizes[i].v6, sizes[i].mtu);
		CHECK_EQ(rl_label("mtu %u, mss %u", sizes[i].mtu, sizes[i].mss),
			 segment_for(&f, sizes[i].mss), sizes[i].want);
		fix_done(&f);
	}
}

TEST(maxseg)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_min_snd_mss", "100");
	CHECK_EQ("tcp_min_snd_mss", segment_for(&f, 50), 100);
	fix_done(&f);

	fix_init_mtu(&f, false, 200);
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK_EQ("min_adv_mss", fix_out(&f).o.mss, 256);
	fix_sysctl(&f, "net.ipv4.route.min_adv_mss", "64");
	f.rport++;
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK_EQ("lower", fix_out(&f).o.mss, 160);
	fix_done(&f);

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("maxseg", set(&f, RL_SOL_TCP, RL_TCP_MAXSEG, 700), 0);
	o = connect_out(&f);
	CHECK_EQ("offered", o.o.mss, 700);
	fix_in_opts(&f, "S.", 0, 0, 1, 65535, &(struct in_opts){
		    .bytes = (const uint8_t[]){ 2, 4, 5, 0xb4 }, .n = 4 });
	fix_drain(&f);
	CHECK_EQ("shown", fix_getopt(&f, RL_SOL_TCP, RL_TCP_MAXSEG), 700);
	fix_send(&f, 2000);
	CHECK_EQ("and used", fix_out(&f).len, 700);
	fix_done(&f);
}

TEST(window_clamp)
{
	static const uint8_t opts[] = { 2, 4, 5, 0xb4, 1, 3, 3, 7 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	f.fd = f.listener;
	CHECK_EQ("clamp", set(&f, RL_SOL_TCP, RL_TCP_WINDOW_CLAMP, 5000), 0);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &(struct in_opts){ .bytes = opts, .n = 8 });
	o = fix_out(&f);
	CHECK("SYN+ACK", o.win <= 5000 && o.win > 1000);
	fix_in(&f, ".", 1, 0, 1, 512);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	fix_in(&f, ".", 1, 1000, 1, 512);
	o = fix_out(&f);
	CHECK("ACK", (o.win << (fix_info(&f).wscales >> 4)) <= 5000);
	fix_done(&f);

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("clamp", set(&f, RL_SOL_TCP, RL_TCP_WINDOW_CLAMP, 5000), 0);
	o = connect_out(&f);
	CHECK("SYN", o.win <= 5000 && o.win > 1000);
	fix_in_opts(&f, "S.", 0, 0, 1, 65535, &(struct in_opts){ .bytes = opts, .n = 8 });
	o = fix_out(&f);
	CHECK("ACK", (o.win << (fix_info(&f).wscales >> 4)) <= 5000);
	CHECK_EQ("not while connected", set(&f, RL_SOL_TCP, RL_TCP_WINDOW_CLAMP, 0), -EINVAL);
	fix_done(&f);
}

TEST(buffers)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.core.rmem_max", "50000");
	fix_sysctl(&f, "net.core.wmem_max", "40000");
	fix_listen(&f);
	f.fd = f.listener;
	CHECK_EQ("rcvbuf", set(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, 1 << 20), 0);
	CHECK_EQ("rmem_max", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF), 100000);
	CHECK_EQ("sndbuf", set(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 1 << 20), 0);
	CHECK_EQ("wmem_max", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF), 80000);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK_EQ("window: half of it", fix_out(&f).win, 50000);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("inherited", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF), 100000);
	CHECK_EQ("a write takes", fix_send(&f, 1000000), 80000);
	CHECK_EQ("no more", fix_send(&f, 1), -EAGAIN);
	fix_done(&f);

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_rmem", "4096 30000 60000");
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK_EQ("tcp_rmem", fix_out(&f).win, 15000);
	fix_done(&f);
}

TEST(lowat)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("rcvlowat", set(&f, RL_SOL_SOCKET, RL_SO_RCVLOWAT, 100), 0);
	fix_in(&f, "P.", 1, 99, 1, 65535);
	CHECK("not enough", !(rill_tcp_poll(f.st, f.fd) & RILL_IN));
	fix_in(&f, "P.", 100, 1, 1, 65535);
	CHECK("enough", rill_tcp_poll(f.st, f.fd) & RILL_IN);
	CHECK_EQ("rcvlowat", set(&f, RL_SOL_SOCKET, RL_SO_RCVLOWAT, 200), 0);
	CHECK("not enough", !(rill_tcp_poll(f.st, f.fd) & RILL_IN));
	fix_in(&f, "F.", 101, 0, 1, 65535);
	CHECK("the end is", rill_tcp_poll(f.st, f.fd) & RILL_IN);
	fix_done(&f);
}

TEST(v6only)
{
	const struct rill_ip us4 = rl_ip4(0x0a000001);

	for (int only = 0; only < 2; only++) {
		struct fix f;

		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.listener), 0);
		f.fd = f.listener;
		CHECK_EQ("v6only", set(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, only), 0);
		CHECK_EQ("bind", rill_tcp_bind(f.st, f.listener, &(struct rill_addr){
					       .port = FIX_PORT }, 0), 0);
		CHECK_EQ("too late", set(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, !only), -EINVAL);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, 8), 0);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &(struct in_opts){ .dst = &us4 });
		CHECK_EQ("IPv4", fix_out(&f).flags, only ? TH_RST | TH_ACK : TH_SYN | TH_ACK);
		fix_done(&f);
	}
}

/* Bound to another device, it does not hear this one. */
TEST(bindtodevice)
{
	static const char *const names[] = { "lo", "t0" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_listen(&f);
		CHECK_EQ("bind", rill_stack_setsockopt(f.st, f.listener, RL_SOL_SOCKET,
						       RL_SO_BINDTODEVICE, names[i], 2), 0);
		fix_in(&f, "S", 0, 0, 0, 65535);
		CHECK_EQ(names[i], fix_out(&f).flags, i ? TH_SYN | TH_ACK : TH_RST | TH_ACK);
		fix_done(&f);
	}
}

TEST(queue_ioctls)
{
	int v = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("unknown", rill_ioctl_int(f.st, f.fd, 0x1234, &v), -EINVAL);
	CHECK_EQ("of a listener", rill_ioctl_int(f.st, f.listener, RL_SIOCINQ, &v), -EINVAL);
	fix_in(&f, "P.", 1, 30, 1, 65535);
	fix_in(&f, ".", 1, 0, 1, 1000);
	fix_send(&f, 5000);
	fix_drain(&f);
	CHECK_EQ("SIOCINQ", rill_ioctl_int(f.st, f.fd, RL_SIOCINQ, &v), 0);
	CHECK_EQ("to read", v, 30);
	CHECK_EQ("SIOCOUTQ", rill_ioctl_int(f.st, f.fd, RL_SIOCOUTQ, &v), 0);
	CHECK_EQ("not acknowledged", v, 5000);
	CHECK_EQ("SIOCOUTQNSD", rill_ioctl_int(f.st, f.fd, RL_SIOCOUTQNSD, &v), 0);
	CHECK_EQ("not sent", v, 5000 - (int)fix_info(&f).unacked * 1000);
	fix_done(&f);
}

/* TCP_NOTSENT_LOWAT: not writable while that much has not been sent yet. */
TEST(notsent_lowat)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NOTSENT_LOWAT, 2000), 0);
	CHECK_EQ("get", fix_getopt(&f, RL_SOL_TCP, RL_TCP_NOTSENT_LOWAT), 2000);
	fix_in(&f, ".", 1, 0, 1, 1000);		/* one segment fits its window */
	CHECK_EQ("queued", fix_send(&f, 4000), 4000);
	fix_drain(&f);
	CHECK("3000 unsent", !(rill_tcp_poll(f.st, f.fd) & RILL_OUT));
	fix_in(&f, ".", 1, 0, 1001, 3000);
	fix_drain(&f);
	CHECK("none unsent", rill_tcp_poll(f.st, f.fd) & RILL_OUT);
	fix_done(&f);
}

/* IP_MINTTL of a listener guards its half-open peers too. */
TEST(minttl_while_half_open)
{
	struct in_opts far = { .ttl = 10 };
	struct fix f;
	int ttl = 50;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.listener, RL_SOL_IP, RL_IP_MINTTL, &ttl,
					      sizeof(ttl)), 0);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_expect(&f, "SYN+ACK", "S.", 0, 0, 1);
	fix_in_opts(&f, "R", 1, 0, 0, 0, &far);
	CHECK_EQ("a far RST changes nothing", fix_state(&f), RILL_SYN_RECV);
	CHECK_EQ("reason", fix_counter(&f, "drop.MIN_TTL"), 1);
	fix_done(&f);
}
