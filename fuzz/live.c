/* SPDX-License-Identifier: MIT */
/*
 * A stack with live connections: the input is a program of segments near the
 * numbers of a connection, raw frames, calls, and time that passes.  After each
 * step the invariants of the control block must hold.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rl_test.h"
#include "tcp/conn.h"
#include "tcp_check.h"
#include "wire/cksum.h"
#include "rill/stack.h"
#include "stack/sockopt_nums.h"

#define N_FD	8
#define MAX_OPS	400

struct run {
	const uint8_t	*p, *end;
	struct rill_stack *st;
	int64_t		now_ns;
	int		ifindex;
	rill_id		fd[N_FD], lst, udp;
};

static uint8_t u8(struct run *r)
{
	return r->p < r->end ? *r->p++ : 0;
}

static uint16_t u16(struct run *r)
{
	return (uint16_t)(u8(r) << 8 | u8(r));
}

static void *fz_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void fz_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static void require_at(bool ok, int line)
{
	if (!ok) {
		fprintf(stderr, "fuzz/live.c:%d: an invariant is broken\n", line);
		abort();
	}
}

#define require(cond)	require_at((cond), __LINE__)

/* tcp_check() reports what it finds broken here: that is a finding. */
bool rl_check(const char *file, int line, const char *label, bool ok, const char *expr)
{
	if (!ok) {
		fprintf(stderr, "%s:%d: %s: %s\n", file, line, label, expr);
		abort();
	}
	return ok;
}

static void check(struct run *r)
{
	require(tcp_check(r->st));
	for (uint32_t i = 0; i < rl_slab_end(&r->st->conns); i++) {
		const struct tcp_conn *c = rl_slab_live(&r->st->conns, i);

		/* on this link, whatever the peer asks for */
		if (c && c->hashed && c->state != RILL_SYN_SENT)
			require(c->mss >= 20);
	}
}

static void take_output(struct run *r)
{
	struct rill_pkt *pk[16];
	struct rill_event ev;
	int n;

	for (int round = 0; round < 64; round++) {
		n = rill_stack_output(r->st, 0, pk, 16);
		for (int i = 0; i < n; i++)
			rill_pkt_put(r->st, pk[i]);
		if (!n)
			break;
	}
	while (rill_stack_event(r->st, &ev))
		;
}

static const struct tcp_conn *some_conn(struct run *r)
{
	uint32_t n = rl_slab_end(&r->st->conns);

	for (uint32_t k = u8(r), i = 0; n && i < 32; i++) {
		const struct tcp_conn *c = rl_slab_live(&r->st->conns, (k + i) % n);

		if (c && c->hashed)
			return c;
	}
	return NULL;
}

static size_t ip_header(struct run *r, uint8_t *p, size_t l4, bool v6)
{
	uint16_t sum;

	(void)r;
	if (v6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		put16(p + 4, (uint16_t)l4);
		p[6] = 6;
		p[7] = 64;
		p[8] = p[24] = 0xfd;
		p[23] = 2;
		p[39] = 1;
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, (uint16_t)(20 + l4));
	p[8] = 64;
	p[9] = 6;
	put32(p + 12, 0x0a000002);
	put32(p + 16, 0x0a000001);
	sum = rl_sum_finish(rl_sum(p, 20, 0));
	memcpy(p + 10, &sum, 2);
	return 20;
}

/* A number close to @base, or anywhere. */
static uint32_t near(struct run *r, uint32_t base)
{
	uint8_t how = u8(r);

	if (how < 128)
		return base + (how & 1 ? how / 2 : 0);
	if (how < 192)
		return base + u16(r);
	if (how < 240)
		return base - u16(r);
	return (uint32_t)u16(r) << 16 | u16(r);
}

static void segment(struct run *r)
{
	static uint8_t pkt[70000];
	const struct tcp_conn *c = some_conn(r);
	bool v6 = c ? !rl_tcp_is4(c) : u8(r) & 1;
	uint8_t *t = pkt + (v6 ? 40 : 20), nopt;
	struct rill_ip src = rl_ip4(0x0a000002), dst = rl_ip4(0x0a000001);
	struct tcp_hdr h = {
		.sport = c ? c->rport : (uint16_t)(1000 + u8(r)), .dport = c ? c->lport : 80,
		.flags = u8(r), .win = u16(r),
	};
	size_t n, len;
	uint16_t sum;

	if (c && u8(r) < 200)			/* mostly as an honest peer would */
		h.flags = (uint8_t)((h.flags & (TH_FIN | TH_PSH)) | TH_ACK);
	h.seq = seq_make(near(r, c ? c->rcv_nxt.v : 0));
	h.ack = seq_make(near(r, c ? c->snd_nxt.v : 0));
	if (h.flags & TH_URG)
		h.urg = u16(r);
	nopt = u8(r) % 11;
	for (int i = 0; i < nopt * 4; i++)
		t[20 + i] = u8(r);
	h.hdr_len = (uint8_t)(20 + nopt * 4);
	len = u8(r) < 200 ? u8(r) : u16(r) % 3000;
	for (size_t i = 0; i < len; i++)
		t[h.hdr_len + i] = (uint8_t)i;
	rl_tcp_hdr_write(&h, t);
	n = h.hdr_len + len;
	if (v6) {
		src = dst = (struct rill_ip){ .b = { 0xfd } };
		src.b[15] = 2;
		dst.b[15] = 1;
	}
	sum = rl_sum_finish(rl_sum(t, n, rl_sum_pseudo(&src, &dst, 6, (uint32_t)n)));
	memcpy(t + 16, &sum, 2);
	ip_header(r, pkt, n, v6);
	require(rill_stack_input(r->st, r->now_ns, r->ifindex, pkt, (size_t)(t - pkt) + n) <= 0);
}

static void raw_frame(struct run *r)
{
	uint8_t buf[256];
	size_t n = u8(r);

	for (size_t i = 0; i < n; i++)
		buf[i] = u8(r);
	require(rill_stack_input(r->st, r->now_ns, r->ifindex, buf, n) <= 0);
}

/* An ICMP error that quotes a segment of ours. */
static void icmp(struct run *r)
{
	uint8_t p[20 + 8 + 28] = { 0 }, *q = p + 28;
	const struct tcp_conn *c = some_conn(r);
	uint16_t sum;

	if (!c || !rl_tcp_is4(c))
		return;
	ip_header(r, p, sizeof(p) - 20, false);
	p[9] = 1;
	put16(p + 10, 0);
	sum = rl_sum_finish(rl_sum(p, 20, 0));
	memcpy(p + 10, &sum, 2);
	p[20] = u8(r) & 1 ? 3 : 11;
	p[21] = u8(r) % 16;
	put16(p + 26, u16(r));
	ip_header(r, q, 1000, false);
	put32(q + 12, 0x0a000001);
	put32(q + 16, 0x0a000002);
	put16(q + 20, c->lport);
	put16(q + 22, c->rport);
	put32(q + 24, near(r, c->snd_una.v));
	sum = rl_sum_finish(rl_sum(p + 20, sizeof(p) - 20, 0));
	memcpy(p + 22, &sum, 2);
	require(rill_stack_input(r->st, r->now_ns, r->ifindex, p, sizeof(p)) <= 0);
}

static void option(struct run *r, rill_id id)
{
	static const int levels[] = { RL_SOL_SOCKET, RL_SOL_TCP, RL_SOL_IP, RL_SOL_IPV6 };
	int32_t v[2] = { (int8_t)u8(r), u8(r) };
	int level = levels[u8(r) % 4], name = u8(r) % 80;
	uint8_t out[400];
	size_t n = sizeof(out);

	if (u8(r) & 1)
		v[0] *= 257;
	(void)rill_stack_setsockopt(r->st, id, level, name, v, 4 + 4 * (u8(r) & 1));
	(void)rill_stack_getsockopt(r->st, id, level, name, out, &n);
}

static void call(struct run *r)
{
	static uint8_t buf[100000];
	struct rill_iov iov = { buf, u16(r) };
	struct rill_addr peer = { .port = u16(r) % 4 + 80 }, a;
	int i = u8(r) % N_FD;
	uint64_t cursor = 0;
	struct rill_conn rows[4];
	int val;

	switch (u8(r) % 14) {
	case 0: (void)rill_tcp_send(r->st, r->fd[i], &iov, 1, u16(r)); break;
	case 1: (void)rill_tcp_recv(r->st, r->fd[i], &iov, 1, u16(r)); break;
	case 2: (void)rill_tcp_shutdown(r->st, r->fd[i], u8(r) % 3); break;
	case 3: (void)rill_tcp_close(r->st, r->fd[i]); break;
	case 4: (void)rill_tcp_abort(r->st, r->fd[i]); break;
	case 5: (void)rill_tcp_open(r->st, 1, &r->fd[i]); break;
	case 6:
		peer.ip = rl_ip4(0x0a000002 - (u8(r) < 20));
		(void)rill_tcp_connect(r->st, r->fd[i], &peer, u8(r) & 3);
		break;
	case 7: (void)rill_tcp_accept(r->st, r->lst, 1, &r->fd[i], &a); break;
	case 8: option(r, u8(r) & 1 ? r->fd[i] : r->lst); break;
	case 9: (void)rill_tcp_bind(r->st, r->fd[i], &peer, u8(r) & 3); break;
	case 10: (void)rill_tcp_listen(r->st, r->fd[i], u8(r)); break;
	case 11: (void)rill_stack_conns(r->st, &cursor, rows, 4); break;
	case 12: (void)rill_ioctl_int(r->st, r->fd[i], 0x541b, &val); break;
	case 13: (void)rill_tcp_poll(r->st, r->fd[i]); break;
	}
}

static void setup(struct run *r)
{
	struct rill_stack_params par = {
		.mem = { fz_alloc, fz_free, NULL }, .now_ns = r->now_ns, .mem_max = 64 << 20,
		.trace_events = 64,
	};
	struct rill_if_params ifp = { .name = "f0", .mtu = 1500, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip4 = rl_ip4(0x0a000001), ip6 = { .b = { 0xfd, [15] = 1 } };
	struct rill_addr any = { .port = 80 };

	require(rill_stack_create(&par, &r->st) == 0);
	r->ifindex = rill_if_add(r->st, &ifp);
	require(rill_if_addr_add(r->st, r->ifindex, &ip4, 24) == 0);
	require(rill_if_addr_add(r->st, r->ifindex, &ip6, 64) == 0);
	require(rill_tcp_open(r->st, 0, &r->lst) == 0);
	require(rill_tcp_bind(r->st, r->lst, &any, 0) == 0);
	require(rill_tcp_listen(r->st, r->lst, 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .p = data, .end = data + size, .now_ns = 1000 * RL_SEC };

	setup(&r);
	for (int i = 0; i < MAX_OPS && r.p < r.end; i++) {
		uint8_t op = u8(&r);

		if (op < 110)
			segment(&r);
		else if (op < 200)
			call(&r);
		else if (op < 210)
			raw_frame(&r);
		else if (op < 220)
			icmp(&r);
		else
			r.now_ns += (int64_t)u16(&r) * (op < 240 ? RL_MS : RL_SEC / 8);
		rill_stack_advance(r.st, r.now_ns);
		if (op & 1)
			take_output(&r);
		check(&r);
	}
	rill_stack_destroy(r.st);
	return 0;
}
