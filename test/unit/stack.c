/* SPDX-License-Identifier: MIT */
/* A stack as a whole: made, looked at, taken down with everything still going on. */
#include <errno.h>

#include "tcp_fix.h"
#include "stack/sockopt_nums.h"
#include "stack/stack_int.h"

/* A first fragment of a datagram to us, so that reassembly waits with a timer. */
static void half_a_datagram(struct fix *f)
{
	static const uint8_t frag[] = {
		0x45, 0, 0, 36, 0, 7, 0x20, 0, 64, 17, 0x46, 0xc2, 10, 0, 0, 2, 10, 0, 0, 1,
		0, 9, 0, 9, 0, 40, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	uint8_t p[sizeof(frag)];
	uint32_t sum = 0;

	memcpy(p, frag, sizeof(frag));
	p[10] = p[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	CHECK_EQ("input", rill_stack_input(f->st, f->now_ns, f->ifindex, p, sizeof(p)), 0);
}

/* Destroyed while connections, TIME-WAIT, half-open peers and fragments have timers. */
TEST(destroy_in_the_middle)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	for (int i = 0; i < 20; i++) {
		f.rport++;
		fix_in(&f, "S", 0, 0, 0, 1000);
		fix_out(&f);
	}
	CHECK_EQ("data under way", fix_send(&f, 5000), 5000);
	fix_out(&f);
	half_a_datagram(&f);
	CHECK_EQ("waits", fix_counter(&f, "ip.reasm_reqds"), 1);
	CHECK("timers", fix_counter(&f, "pool.timers") >= 3);
	fix_done(&f);			/* checks that all memory came back */
}

/* There is no number behind a FIN: what was queued there is thrown away. */
TEST(data_behind_fin)
{
	struct fix f;
	uint8_t buf[100];

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_in(&f, ".", 12, 50, 1, 1000);	/* early */
	fix_expect(&f, "duplicate ACK", ".", 1, 0, 1);
	fix_in(&f, "F.", 1, 10, 1, 1000);	/* ends at 11: FIN is byte 11 */
	fix_expect(&f, "ACK of the FIN only", ".", 1, 0, 12);
	CHECK_EQ("state", fix_state(&f), RILL_CLOSE_WAIT);
	CHECK_EQ("the stream", fix_recv(&f, buf, sizeof(buf)), 10);
	CHECK_EQ("its end", fix_recv(&f, buf, sizeof(buf)), 0);
	CHECK_EQ("nothing kept", fix_counter(&f, "pool.ooo"), 0);
	fix_done(&f);
}

/* [A17] SYN and FIN together: never from us, harmless to us. */
TEST(syn_and_fin)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "SF", 0, 0, 0, 1000);
	fix_expect_none(&f, "no answer");
	CHECK_EQ("reason", fix_counter(&f, "drop.LISTEN_SYN_FIN"), 1);
	fix_done(&f);
}

/* [A7] [RFC9293:MUST-8] [RFC9293:MUST-9] [RFC6528-01]: clock and keyed hash. */
TEST(initial_sequence_numbers)
{
	uint32_t iss[4];

	for (int i = 0; i < 4; i++) {
		struct fix f;

		fix_init(&f, false);
		fix_listen(&f);
		if (i == 1)
			fix_advance_ms(&f, 1000);
		if (i == 2)
			f.rport++;
		fix_in(&f, "S", 0, 0, 0, 1000);
		CHECK("SYN+ACK", fix_out(&f).there);
		iss[i] = f.iss;
		fix_done(&f);
	}
	CHECK_EQ("same tuple, key and time", iss[3], iss[0]);
	CHECK_EQ("250,000 a second", iss[1] - iss[0], 250000);
	CHECK("another port, another place", iss[2] - iss[0] > 1000 && iss[0] - iss[2] > 1000);
}

/* [A6] An old duplicate SYN makes no connection: its SYN+ACK is refused by a RST. */
TEST(old_duplicate_syn)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 1000);
	CHECK("SYN+ACK", fix_out(&f).there);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("gone", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("nothing to accept",
		 rill_tcp_accept(f.st, f.listener, 0, &f.fd, NULL), -EAGAIN);
	CHECK_EQ("counted", fix_counter(&f, "tcp.embryonic_rsts"), 1);
	fix_done(&f);
}

TEST(sysctl_names_and_values)
{
	static const struct { const char *name, *value; int ret; const char *after; } rows[] = {
		{ "net.ipv4.tcp_keepalive_time", "600", 0, "600" },
		{ "net.ipv4.tcp_keepalive_time", "0", -ERANGE, "600" },
		{ "net.ipv4.tcp_keepalive_time", "x", -EINVAL, "600" },
		{ "net.ipv4.tcp_keepalive_time", "7 8", -EINVAL, "600" },
		{ "net.ipv4.tcp_rmem", "4096 8192 16384", 0, "4096 8192 16384" },
		{ "net.ipv4.tcp_rmem", "4096 8192", -EINVAL, "4096 8192 16384" },
		{ "net.ipv4.tcp_rmem", "9000 8192 16384", -EINVAL, "4096 8192 16384" },
		{ "net.ipv4.ip_local_port_range", "40000 40010", 0, "40000 40010" },
		{ "net.ipv4.ip_local_reserved_ports", "8080,9000-9002", 0, "8080,9000-9002" },
		{ "net.ipv4.ip_local_reserved_ports", "9-8", -ERANGE, "8080,9000-9002" },
		{ "net.ipv4.tcp_congestion_control", "reno", 0, "reno" },
		{ "net.ipv4.tcp_congestion_control", "nope", -EINVAL, "reno" },
		{ "net.ipv4.tcp_available_congestion_control", "reno", -EROFS, "reno" },
		{ "net.ipv4.tcp_tw_recycle", "1", -EOPNOTSUPP, NULL },
		{ "net.ipv4.nonsense", "1", -ENOENT, NULL },
	};
	struct fix f;

	fix_init(&f, false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char buf[64] = "";

		CHECK_EQ(rows[i].name, rill_sysctl_set(f.st, rows[i].name, rows[i].value),
			 rows[i].ret);
		rill_sysctl_get(f.st, rows[i].name, buf, sizeof(buf));
		if (rows[i].after)
			CHECK_STR(rows[i].name, buf, rows[i].after);
		else
			CHECK("a reason, or unknown", rows[i].ret == -ENOENT ||
			      rill_sysctl_refusal(rows[i].name));
	}
	fix_done(&f);
}

/* [A4] The four-tuple names a connection: many from one peer to one port. */
TEST(many_to_one_port)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	for (int i = 0; i < 500; i++) {
		f.rport = (uint16_t)(2000 + i);
		f.got_iss = false;
		fix_establish(&f, true, false);
	}
	CHECK_EQ("all there", fix_counter(&f, "pool.conns"), 501);
	f.rport = 2250;
	CHECK_EQ("each by its name", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [A21] Nobody answers our ARP: EHOSTUNREACH after three requests, not after all SYNs. */
TEST(connect_to_nobody)
{
	struct rill_stack_params par = { .now_ns = RL_SEC };
	struct rill_if_params ifp = { .name = "e0", .mtu = 1500, .mac = { 2, 0, 0, 0, 0, 1 },
				      .flags = RILL_IF_ETHER | RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000001);
	struct rill_addr to = { .ip = rl_ip4(0x0a000063), .port = 80 };
	struct rill_pkt *p;
	struct fix f;
	size_t n = sizeof(int);
	int err = 0;

	fix_init(&f, false);			/* lends its allocator */
	par.mem = f.st->mem.hooks;
	rill_stack_destroy(f.st);
	CHECK_EQ("stack", rill_stack_create(&par, &f.st), 0);
	f.ifindex = rill_if_add(f.st, &ifp);
	CHECK_EQ("address", rill_if_addr_add(f.st, f.ifindex, &ip, 24), 0);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &to, 0), -EINPROGRESS);
	f.now_ns = RL_SEC;
	for (int i = 0; i < 6; i++) {
		while (rill_stack_output(f.st, 0, &p, 1) == 1)
			rill_pkt_put(f.st, p);
		fix_advance_ms(&f, 1000);
	}
	CHECK("over", rill_tcp_poll(f.st, f.fd) & RILL_ERR);
	CHECK_EQ("SO_ERROR", rill_stack_getsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_ERROR, &err, &n), 0);
	CHECK_EQ("why", err, EHOSTUNREACH);
	fix_done(&f);
}
