/* SPDX-License-Identifier: MIT */
/*
 * Frames into a stack with live connections, time passing, calls between, memory
 * running out.  The input is a program for the small machine below: one byte
 * chooses the operation, the bytes that follow are its operands.  Segments are
 * built relative to what the connections sent last, with right checksums, so
 * that they get past the first checks.
 *
 * Judged beside the sanitizers: every frame that leaves is well-formed, no larger
 * than the MTU and right in its checksums; SYN and FIN never leave together [A17];
 * after rill_stack_advance() nothing is overdue; all memory comes back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rill/stack.h"
#include "wire.h"

enum { MTU = 1500, MAX_IDS = 12, MAX_FLOWS = 8, MAX_OPS = 400 };

struct flow {			/* a four-tuple, as the peer sees it */
	bool		v6;
	uint16_t	port, rill_port;
	uint32_t	snd_nxt;	/* what the peer says next */
	uint32_t	rcv_nxt;	/* behind the last byte from Rill */
	uint32_t	ts_val;		/* last timestamp from Rill */
};

struct world {
	const uint8_t		*in;
	size_t			left;
	struct rill_stack	*st;
	int64_t			now;
	int			ifindex;
	rill_id			ids[MAX_IDS];
	bool			is_udp[MAX_IDS];
	unsigned		n_ids;
	struct flow		flow[MAX_FLOWS];
	unsigned		n_flows;
	uint8_t			last[128];	/* head of the last packet out */
	size_t			last_len;
	bool			hold_output;
};

static long live_bytes;			/* allocated and not yet given back */
static long fail_in;			/* the N-th allocation from here fails; 0: none */

static void *get_mem(void *ctx, size_t n)
{
	(void)ctx;
	if (fail_in && --fail_in == 0)
		return NULL;
	live_bytes += (long)n;
	return malloc(n);
}

static void put_mem(void *ctx, void *p, size_t n)
{
	(void)ctx;
	live_bytes -= (long)n;
	free(p);
}

__attribute__((noreturn)) static void wrong(const char *what)
{
	fprintf(stderr, "ERROR: frames: %s\n", what);
	abort();
}

static uint8_t u8(struct world *w)
{
	if (w->left == 0)
		return 0;
	w->left--;
	return *w->in++;
}

static uint16_t u16(struct world *w)
{
	return (uint16_t)(u8(w) << 8 | u8(w));
}

static uint32_t u32(struct world *w)
{
	return (uint32_t)u16(w) << 16 | u16(w);
}

/** Small numbers often, large ones sometimes, both signs. */
static uint32_t near(struct world *w)
{
	uint8_t how = u8(w);
	uint32_t v = how & 0x40 ? u32(w) >> (how & 15) : how & 0x20 ? u16(w) : how & 7;

	return how & 0x80 ? 0 - v : v;
}

static void take(struct world *w, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = u8(w);
}

static struct rill_addr peer_addr(bool v6, uint16_t port)
{
	struct rill_addr a = { .port = port };

	if (v6)
		memcpy(a.ip.b, peer_ip6, 16);
	else {
		a.ip.b[10] = a.ip.b[11] = 0xff;
		memcpy(a.ip.b + 12, peer_ip4, 4);
	}
	return a;
}

/* ---- what leaves ---- */

static struct flow *flow_of(struct world *w, bool v6, uint16_t rill_port, uint16_t port)
{
	struct flow *f;

	for (unsigned i = 0; i < w->n_flows; i++) {
		f = &w->flow[i];
		if (f->v6 == v6 && f->rill_port == rill_port && f->port == port)
			return f;
	}
	if (w->n_flows == MAX_FLOWS)
		return NULL;
	f = &w->flow[w->n_flows++];
	*f = (struct flow){ v6, port, rill_port, 0x1000, 0, 0 };
	return f;
}

static void judge_options(const uint8_t *o, size_t n, struct flow *f)
{
	size_t i = 0;

	while (i < n && o[i] != 0) {
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || o[i + 1] < 2 || i + o[i + 1] > n)
			wrong("TCP option cut off");
		if (o[i] == 8 && o[i + 1] == 10 && f)
			f->ts_val = r32(o + i + 2);
		i += o[i + 1];
	}
}

static void judge_tcp(struct world *w, bool v6, const uint8_t *t, size_t n)
{
	struct flow *f;
	size_t hl;
	uint32_t end;

	if (n < 20 || (hl = (size_t)(t[12] >> 4) * 4) < 20 || hl > n)
		wrong("TCP header cut off");
	if ((t[13] & 3) == 3)
		wrong("SYN and FIN together");
	f = flow_of(w, v6, r16(t), r16(t + 2));
	judge_options(t + 20, hl - 20, f);
	if (!f)
		return;
	end = r32(t + 4) + (uint32_t)(n - hl) + (t[13] & 1) + (t[13] >> 1 & 1);
	if ((t[13] & 2) || (int32_t)(end - f->rcv_nxt) > 0)
		f->rcv_nxt = end;
	if (t[13] & 0x10)
		f->snd_nxt = r32(t + 8);
}

static void judge_transport(struct world *w, const uint8_t *ip, unsigned proto,
			    const uint8_t *t, size_t n)
{
	bool v6 = ip[0] >> 4 == 6;

	if (proto == 17 && n >= 8 && !v6 && r16(t + 6) == 0)
		return;				/* no checksum: allowed over IPv4 */
	if (proto == 6 || proto == 17 || proto == 58) {
		if (sum_done(sum16(t, n, pseudo(ip, proto, n))) != 0)
			wrong("wrong transport checksum");
	} else if (proto == 1) {
		if (sum_done(sum16(t, n, 0)) != 0)
			wrong("wrong ICMP checksum");
	}
	if (proto == 6)
		judge_tcp(w, v6, t, n);
}

static void judge_ip4(struct world *w, const uint8_t *ip, size_t n)
{
	size_t hl = (size_t)(ip[0] & 15) * 4;

	if (n < 20 || hl < 20 || hl > n || r16(ip + 2) > n || r16(ip + 2) < hl)
		wrong("IPv4 lengths");
	if (sum_done(sum16(ip, hl, 0)) != 0)
		wrong("wrong IPv4 checksum");
	if (r16(ip + 2) > MTU)
		wrong("IPv4 packet larger than the MTU");
	if ((r16(ip + 6) & 0x3fff) == 0)
		judge_transport(w, ip, ip[9], ip + hl, r16(ip + 2) - hl);
}

static void judge_ip6(struct world *w, const uint8_t *ip, size_t n)
{
	if (n < 40 || (size_t)r16(ip + 4) + 40 > n)
		wrong("IPv6 lengths");
	if (r16(ip + 4) + 40 > MTU)
		wrong("IPv6 packet larger than the MTU");
	if (ip[6] != 44 && ip[6] != 0)		/* fragments; hop-by-hop of MLD */
		judge_transport(w, ip, ip[6], ip + 40, r16(ip + 4));
}

static void judge(struct world *w, const uint8_t *f, size_t n)
{
	if (n < ETH || n > MTU + ETH)
		wrong("frame shorter than a header or larger than the MTU");
	w->last_len = n - ETH < sizeof(w->last) ? n - ETH : sizeof(w->last);
	memcpy(w->last, f + ETH, w->last_len);
	if (r16(f + 12) == 0x0800)
		judge_ip4(w, f + ETH, n - ETH);
	else if (r16(f + 12) == 0x86dd)
		judge_ip6(w, f + ETH, n - ETH);
	else if (r16(f + 12) != 0x0806)
		wrong("EtherType");
}

static void drain(struct world *w)
{
	static uint8_t frame[FRAME_MAX];
	struct rill_pkt *pkts[32];
	struct rill_event ev;
	int n, rounds = 0;

	while ((n = rill_stack_output(w->st, 0, pkts, 32)) > 0) {
		for (int i = 0; i < n; i++) {
			judge(w, frame, rill_pkt_bytes(pkts[i], frame, sizeof(frame)));
			rill_pkt_put(w->st, pkts[i]);
		}
		if (++rounds > 20000)
			wrong("output never ends");
	}
	rounds = 0;
	while (rill_stack_event(w->st, &ev))
		if (++rounds > 20000)
			wrong("events never end");
}

/* ---- what comes in ---- */

static void input(struct world *w, const uint8_t *frame, size_t n)
{
	(void)rill_stack_input(w->st, w->now, w->ifindex, frame, n);
}

static void op_raw(struct world *w)
{
	uint8_t f[1700];
	size_t n = u16(w) % sizeof(f);

	if (n > w->left)
		n = w->left;
	take(w, f, n);
	input(w, f, n);
}

static size_t put_tcp_options(struct world *w, uint8_t *o, const struct flow *f)
{
	uint8_t how = u8(w);
	size_t n = 0;

	if (how & 1) {
		o[n] = o[n + 1] = 1;
		o[n + 2] = 8;
		o[n + 3] = 10;
		w32(o + n + 4, (uint32_t)(w->now / 1000000) + near(w));
		w32(o + n + 8, f->ts_val + (how & 2 ? near(w) : 0));
		n += 12;
	}
	if (how & 4) {
		w32(o + n, 0x01010500 | 10);
		w32(o + n + 4, f->rcv_nxt + near(w));
		w32(o + n + 8, f->rcv_nxt + near(w));
		n += 12;
	}
	if (how & 8) {
		w32(o + n, 0x02040000 | u16(w));
		w32(o + n + 4, 0x01030300 | u8(w));
		w32(o + n + 8, 0x04020101);
		n += 12;
	}
	if (how & 16) {
		take(w, o + n, 4);
		n += 4;
	}
	return n;
}

static void tcp_segment(struct world *w, const struct flow *f, unsigned flags,
			uint32_t seq, uint32_t ack, unsigned wnd, size_t len, bool opts)
{
	uint8_t frame[2048];
	uint8_t *t = frame + header_len(f->v6);
	size_t ol = opts ? put_tcp_options(w, t + 20, f) : 0;

	w16(t, f->port);
	w16(t + 2, f->rill_port);
	w32(t + 4, seq);
	w32(t + 8, ack);
	t[12] = (uint8_t)((20 + ol) / 4 << 4);
	t[13] = (uint8_t)flags;
	w16(t + 14, wnd);
	w16(t + 18, flags & 0x20 ? u16(w) : 0);
	memset(t + 20 + ol, 'x', len);
	put_headers(frame, f->v6, 6, 20 + ol + len, 0x4000, 64);
	put_checksum(frame, f->v6, 6, 16, 20 + ol + len);
	input(w, frame, header_len(f->v6) + 20 + ol + len);
}

static void op_segment(struct world *w)
{
	static const uint16_t lens[] = { 0, 0, 1, 10, 536, 1000, 1400, 1200 };
	uint8_t how = u8(w), flags = u8(w);
	struct flow *f = &w->flow[how % (w->n_flows ? w->n_flows : 1)];
	uint32_t seq = f->snd_nxt + (how & 0x40 ? near(w) : 0);
	uint32_t ack = f->rcv_nxt + (how & 0x80 ? near(w) : 0);

	if (w->n_flows == 0)
		return;
	tcp_segment(w, f, flags, seq, ack, u16(w), lens[u8(w) & 7], how & 0x20);
}

/* A whole handshake from outside, so that something is there to be hit. */
static void passive_open(struct world *w, bool v6, uint16_t port)
{
	struct flow *f = flow_of(w, v6, 80, port);

	if (!f)
		return;
	tcp_segment(w, f, 0x02, 0x0fff, 0, 65535, 0, true);
	drain(w);
	tcp_segment(w, f, 0x10, 0x1000, f->rcv_nxt, 65535, 0, false);
	drain(w);
}

static void op_datagram(struct world *w)
{
	static const uint8_t protos[] = { 1, 2, 6, 17, 58, 44, 0, 60, 43, 59, 17, 58 };
	static const uint8_t csum_at[] = { [1] = 2, [6] = 16, [17] = 6, [58] = 2 };
	uint8_t f[2048], how = u8(w);
	bool v6 = how & 1;
	unsigned proto = protos[(how >> 1) % sizeof(protos)];
	size_t at = header_len(v6), n = u16(w) % 1480;
	unsigned frag = how & 0x80 ? u16(w) : 0;

	memset(f + at, 0, n);
	take(w, f + at, n < 96 ? n : 96);
	put_headers(f, v6, proto, n, frag, how & 0x40 ? 255 : 64);
	if (proto < sizeof(csum_at) && csum_at[proto] && n >= csum_at[proto] + 2u && !frag) {
		if (proto == 17)
			w16(f + at + 4, (unsigned)n);
		put_checksum(f, v6, proto, csum_at[proto], n);
	}
	input(w, f, at + n);
}

/* An ICMP error that quotes what Rill sent last. */
static void op_icmp_error(struct world *w)
{
	uint8_t f[512];
	bool v6;
	size_t at, n = w->last_len;

	if (n < 20)
		return;
	v6 = w->last[0] >> 4 == 6;
	at = header_len(v6);
	f[at] = v6 ? u8(w) % 6 : u8(w) % 16;
	f[at + 1] = u8(w) % 8;
	w32(f + at + 4, near(w));
	memcpy(f + at + 8, w->last, n);
	if (u8(w) & 1)
		f[at + 8 + u8(w) % n] ^= u8(w);
	put_headers(f, v6, v6 ? 58 : 1, n + 8, 0, 64);
	put_checksum(f, v6, v6 ? 58 : 1, 2, n + 8);
	input(w, f, at + 8 + n);
}

static void op_arp(struct world *w)
{
	uint8_t f[ETH + 28];

	memcpy(f, rill_mac, 6);
	memcpy(f + 6, peer_mac, 6);
	w16(f + 12, 0x0806);
	w32(f + ETH, 0x00010800);
	w32(f + ETH + 4, 0x06040000 | (u8(w) & 3));
	memcpy(f + ETH + 8, peer_mac, 6);
	memcpy(f + ETH + 14, peer_ip4, 4);
	memcpy(f + ETH + 18, rill_mac, 6);
	memcpy(f + ETH + 24, rill_ip4, 4);
	f[ETH + u8(w) % 28] ^= u8(w);
	input(w, f, sizeof(f) - (u8(w) & 1) * 4u);
}

/* ---- calls ---- */

static void add_id(struct world *w, rill_id id, bool udp)
{
	if (w->n_ids == MAX_IDS) {
		if (udp)
			(void)rill_udp_close(w->st, id);
		else
			(void)rill_tcp_close(w->st, id);
		return;
	}
	w->ids[w->n_ids] = id;
	w->is_udp[w->n_ids++] = udp;
}

/* Also stale ids: they must find nothing. */
static unsigned pick(struct world *w)
{
	return w->n_ids ? u8(w) % w->n_ids : 0;
}

static void op_send(struct world *w)
{
	static const uint8_t zeros[65536];
	unsigned i = pick(w);
	uint8_t how = u8(w);
	struct rill_iov iov = { (void *)(uintptr_t)zeros, (size_t)u16(w) >> (how & 15) };
	struct rill_addr to = peer_addr(how & 0x10, 53);

	if (w->is_udp[i])
		(void)rill_udp_send(w->st, w->ids[i], &iov, 1, how & 0x20 ? NULL : &to, 0);
	else
		(void)rill_tcp_send(w->st, w->ids[i], &iov, 1,
				    (how & 0x40 ? RILL_MSG_MORE : 0) |
				    (how & 0x80 ? RILL_MSG_OOB : 0));
}

static void op_recv(struct world *w)
{
	static uint8_t buf[65536];
	unsigned i = pick(w);
	uint8_t how = u8(w);
	struct rill_iov iov = { buf, (size_t)u16(w) >> (how & 15) };
	unsigned flags = (how & 0x40 ? RILL_MSG_PEEK : 0) | (how & 0x80 ? RILL_MSG_OOB : 0);
	struct rill_udp_meta meta;
	int64_t n;

	if (w->is_udp[i])
		n = rill_udp_recv(w->st, w->ids[i], &iov, 1, &meta, flags);
	else
		n = rill_tcp_recv(w->st, w->ids[i], &iov, 1, flags);
	if (n > (int64_t)iov.len)
		wrong("recv gave more than fits");
}

static void op_close(struct world *w)
{
	unsigned i = pick(w);
	uint8_t how = u8(w) % 8;

	if (w->is_udp[i])
		(void)(how < 3 ? rill_udp_shutdown(w->st, w->ids[i], (enum rill_shut)how)
			       : rill_udp_close(w->st, w->ids[i]));
	else if (how < 3)
		(void)rill_tcp_shutdown(w->st, w->ids[i], (enum rill_shut)how);
	else if (how < 6)
		(void)rill_tcp_close(w->st, w->ids[i]);
	else
		(void)rill_tcp_abort(w->st, w->ids[i]);
	if (how >= 3 && how & 1 && w->n_ids > 1) {
		w->ids[i] = w->ids[--w->n_ids];
		w->is_udp[i] = w->is_udp[w->n_ids];
	}
}

static void op_accept(struct world *w)
{
	struct rill_addr peer;
	rill_id id;

	if (rill_tcp_accept(w->st, w->ids[pick(w)], 7, &id, &peer) == 0)
		add_id(w, id, false);
}

static void op_open(struct world *w)
{
	uint8_t how = u8(w);
	bool udp = how & 1;
	struct rill_addr local = { .port = (uint16_t)(how & 0x40 ? u16(w) : 80 + (how >> 1 & 3)) };
	struct rill_addr to = peer_addr(how & 8, (uint16_t)(9000 + (how >> 1 & 3)));
	unsigned i = pick(w);
	rill_id id = w->ids[i];

	if (how & 0x10) {
		if ((udp ? rill_udp_open(w->st, 1, &id) : rill_tcp_open(w->st, 1, &id)) != 0)
			return;
		add_id(w, id, udp);
	} else {
		udp = w->is_udp[i];
	}
	if (how & 0x20)
		(void)(udp ? rill_udp_bind(w->st, id, &local, how >> 6)
			   : rill_tcp_bind(w->st, id, &local, how >> 6));
	if (udp)
		(void)rill_udp_connect(w->st, id, &to, 0);
	else if (how & 0x80)
		(void)rill_tcp_listen(w->st, id, u8(w) & 7);
	else
		(void)rill_tcp_connect(w->st, id, &to, 0);
}

static void op_option(struct world *w)
{
	static const uint8_t levels[] = { 0, 1, 6, 17, 41, 6, 1, 6 };
	uint8_t val[128];
	unsigned i = pick(w);
	int level = levels[u8(w) & 7], name = u8(w) & 0x7f;
	size_t n = u8(w) % (sizeof(val) / 4 + 1);

	memset(val, 0, sizeof(val));
	take(w, val, n < 8 ? n : 8);
	(void)rill_stack_setsockopt(w->st, w->ids[i], level, name, val, n);
	n = sizeof(val);
	(void)rill_stack_getsockopt(w->st, w->ids[i], level, name, val, &n);
}

static void op_sysctl(struct world *w)
{
	const struct rill_sysctl_desc *d;
	unsigned i = u8(w), n = 0;
	char text[64], got[64];
	int64_t v;

	while (rill_sysctl_desc(n))
		n++;
	if (n == 0)
		return;
	d = rill_sysctl_desc(i % n);
	v = d->min + (int64_t)(u32(w) % (uint32_t)((int64_t)d->max - d->min + 1));
	snprintf(text, sizeof(text), "%lld", (long long)(u8(w) & 1 ? v : d->min));
	(void)rill_sysctl_set(w->st, d->name, text);
	(void)rill_sysctl_get(w->st, d->name, got, sizeof(got));
}

static void op_look(struct world *w)
{
	struct rill_conn conns[4];
	struct rill_named_u64 c;
	uint64_t cursor = 0;
	uint32_t counts[RILL_TCP_STATES];
	int rounds = 0, val;
	unsigned i = pick(w);
	struct rill_addr a;

	while (rill_stack_conns(w->st, &cursor, conns, 4) > 0)
		if (++rounds > 4096)
			wrong("the walk over connections never ends");
	for (unsigned n = 0; rill_stack_counter(w->st, n, &c); n++)
		if (!c.name || n > 4096)
			wrong("counters");
	rill_stack_state_counts(w->st, counts);
	(void)rill_tcp_poll(w->st, w->ids[i]);
	(void)rill_udp_poll(w->st, w->ids[i]);
	(void)rill_tcp_peer(w->st, w->ids[i], &a);
	(void)rill_tcp_local(w->st, w->ids[i], &a);
	(void)rill_ioctl_int(w->st, w->ids[i], 0x541b, &val);
	(void)rill_ioctl_int(w->st, w->ids[i], 0x5411, &val);
}

static void op_time(struct world *w)
{
	uint8_t how = u8(w);

	w->now += INT64_C(1) << (how % 38);	/* 1 ns to 137 s */
	rill_stack_advance(w->st, w->now);
	if (rill_stack_deadline(w->st) < w->now)
		wrong("something is overdue after rill_stack_advance()");
}

/* To the next deadline exactly, as an engine does it. */
static void op_deadline(struct world *w)
{
	int64_t d = rill_stack_deadline(w->st);

	if (d == INT64_MAX)
		return;
	if (d > w->now)
		w->now = d;
	rill_stack_advance(w->st, w->now);
}

static void op_memory(struct world *w)
{
	fail_in = 1 + u8(w);
}

static void op_hold(struct world *w)
{
	w->hold_output = !w->hold_output;
}

static void (*const ops[])(struct world *) = {
	op_segment, op_time, op_send, op_recv, op_close, op_accept, op_open, op_segment,
	op_datagram, op_icmp_error, op_arp, op_raw, op_option, op_sysctl, op_look,
	op_memory, op_hold, op_deadline, op_segment, op_segment,
};

static bool begin(struct world *w)
{
	struct rill_stack_params par = {
		.mem = { get_mem, put_mem, NULL },
		.mem_max = 32 << 20,
		.seed = { 1, 2, 3 },
		.now_ns = 1000000000,
		.trace_events = 64,
	};
	struct rill_if_params dev = {
		.name = "fuzz0", .mtu = MTU, .flags = RILL_IF_ETHER | RILL_IF_NO_DAD,
	};
	struct rill_addr any = { .port = 80 }, dns = { .port = 53 };
	struct rill_addr me4 = peer_addr(false, 0), me6 = peer_addr(true, 0);
	struct rill_addr p4 = me4, p6 = me6;
	rill_id id;

	w->now = par.now_ns;
	if (rill_stack_create(&par, &w->st) != 0)
		return false;
	memcpy(dev.mac, rill_mac, 6);
	memcpy(me4.ip.b + 12, rill_ip4, 4);
	memcpy(me6.ip.b, rill_ip6, 16);
	w->ifindex = rill_if_add(w->st, &dev);
	if (w->ifindex <= 0 || rill_if_addr_add(w->st, w->ifindex, &me4.ip, 24) != 0 ||
	    rill_if_addr_add(w->st, w->ifindex, &me6.ip, 64) != 0 ||
	    rill_neigh_add(w->st, w->ifindex, &p4.ip, peer_mac) != 0 ||
	    rill_neigh_add(w->st, w->ifindex, &p6.ip, peer_mac) != 0)
		wrong("the interface could not be set up");
	if (rill_tcp_open(w->st, 1, &id) != 0 || rill_tcp_bind(w->st, id, &any, 0) != 0 ||
	    rill_tcp_listen(w->st, id, 8) != 0)
		wrong("no listener");
	add_id(w, id, false);
	if (rill_udp_open(w->st, 1, &id) != 0 || rill_udp_bind(w->st, id, &dns, 0) != 0)
		wrong("no UDP endpoint");
	add_id(w, id, true);
	drain(w);
	return true;
}

/* Two connections from outside, one from inside, all established. */
static void connect_all(struct world *w)
{
	struct rill_addr to = peer_addr(false, 9000), peer;
	rill_id id;

	passive_open(w, false, 4000);
	passive_open(w, true, 4001);
	while (rill_tcp_accept(w->st, w->ids[0], 2, &id, &peer) == 0)
		add_id(w, id, false);
	if (rill_tcp_open(w->st, 3, &id) != 0)
		return;
	add_id(w, id, false);
	(void)rill_tcp_connect(w->st, id, &to, 0);
	drain(w);
	for (unsigned i = 0; i < w->n_flows; i++) {
		struct flow *f = &w->flow[i];

		if (f->port != 9000)
			continue;
		tcp_segment(w, f, 0x12, 0x0fff, f->rcv_nxt, 65535, 0, true);
		drain(w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .in = data, .left = size };

	live_bytes = 0;
	fail_in = 0;
	if (!begin(&w))
		wrong("no stack");
	connect_all(&w);
	for (int n = 0; w.left > 0 && n < MAX_OPS; n++) {
		ops[u8(&w) % (sizeof(ops) / sizeof(ops[0]))](&w);
		if (!w.hold_output)
			drain(&w);
	}
	fail_in = 0;
	drain(&w);
	rill_stack_destroy(w.st);
	if (live_bytes != 0)
		wrong("memory was not given back");
	return 0;
}
