/* SPDX-License-Identifier: MIT */
/* The TCP fixtures: see tcp_fix.h.  Everything is virtual time and memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcp_fix.h"
#include "tcp_check.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "wire/cksum.h"

static struct rill_ip local_ip(bool v6)
{
	struct rill_ip ip = { .b = { 0xfd, [15] = 1 } };

	return v6 ? ip : rl_ip4(0x0a000001);
}

static struct rill_ip peer_ip(bool v6)
{
	struct rill_ip ip = { .b = { 0xfd, [15] = 2 } };

	return v6 ? ip : rl_ip4(0x0a000002);
}

static void *counted_alloc(void *ctx, size_t n)
{
	struct fix *f = ctx;

	if (++f->alloc_n == f->alloc_fail_at || f->alloc_dead)
		return NULL;
	f->live_bytes += n;
	return malloc(n);
}

static void counted_free(void *ctx, void *p, size_t n)
{
	struct fix *f = ctx;

	f->live_bytes -= n;
	free(p);
}

void fix_init_at(struct fix *f, bool v6, unsigned mtu, int64_t now_ns)
{
	struct rill_stack_params par = {
		.mem = { counted_alloc, counted_free, f }, .now_ns = now_ns,
		.seed = { 1, 2, 3 }, .trace_events = 256,
	};
	struct rill_if_params ifp = { .name = "t0", .mtu = mtu, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = local_ip(v6);

	memset(f, 0, sizeof(*f));
	f->v6 = v6;
	f->mtu = (uint16_t)mtu;
	f->now_ns = par.now_ns;
	f->lport = FIX_PORT;
	f->rport = FIX_PEER_PORT;
	f->irs = 0xfffffff0;		/* numbers wrap soon [RFC9293:lc-6] */
	CHECK_EQ("stack", rill_stack_create(&par, &f->st), 0);
	f->ifindex = rill_if_add(f->st, &ifp);
	CHECK("interface", f->ifindex > 0);
	CHECK_EQ("address", rill_if_addr_add(f->st, f->ifindex, &ip, v6 ? 64 : 24), 0);
	while (fix_out(f).there)	/* announcements */
		;
}

void fix_init_mtu(struct fix *f, bool v6, unsigned mtu)
{
	fix_init_at(f, v6, mtu, 1000 * RL_SEC);
}

void fix_init(struct fix *f, bool v6)
{
	fix_init_mtu(f, v6, 1500);
}

void fix_done(struct fix *f)
{
	tcp_check(f->st);
	rill_stack_destroy(f->st);
	CHECK_EQ("memory given back", f->live_bytes, 0);
}

void fix_sysctl(struct fix *f, const char *name, const char *value)
{
	CHECK_EQ(name, rill_sysctl_set(f->st, name, value), 0);
}

void fix_advance_ms(struct fix *f, int64_t ms)
{
	int64_t end = f->now_ns + ms * RL_MS;

	for (int i = 0; i < 100000; i++) {
		int64_t at = rill_stack_deadline(f->st);

		if (at > end)
			break;
		f->now_ns = RL_MAX(at, f->now_ns);
		rill_stack_advance(f->st, f->now_ns);
		/* output is what the next fix_out() asks for */
	}
	f->now_ns = end;
	rill_stack_advance(f->st, f->now_ns);
	tcp_check(f->st);
}

static uint8_t flag_bits(const char *s)
{
	static const char names[] = "FSRP.UEW";
	uint8_t bits = 0;

	for (; *s; s++) {
		const char *p = strchr(names, *s);

		if (p)
			bits |= (uint8_t)(1u << (p - names));
	}
	return bits;
}

static size_t put_ip(const struct fix *f, uint8_t *p, size_t l4_len, const struct in_opts *x)
{
	struct rill_ip src = x->src ? *x->src : peer_ip(f->v6);
	struct rill_ip dst = x->dst ? *x->dst : local_ip(f->v6);
	uint16_t sum;

	if (f->v6) {
		memset(p, 0, 40);
		put32(p, 0x60000000 | (uint32_t)x->tos << 20);
		put16(p + 4, (uint16_t)l4_len);
		p[6] = 6;
		p[7] = x->ttl ? x->ttl : 64;
		memcpy(p + 8, src.b, 16);
		memcpy(p + 24, dst.b, 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = x->tos;
	put16(p + 2, (uint16_t)(20 + l4_len));
	put16(p + 6, 0x4000);
	p[8] = x->ttl ? x->ttl : 64;
	p[9] = 6;
	memcpy(p + 12, src.b + 12, 4);
	memcpy(p + 16, dst.b + 12, 4);
	sum = rl_sum_finish(rl_sum(p, 20, 0));
	memcpy(p + 10, &sum, 2);
	return 20;
}

static size_t put_opts(struct fix *f, uint8_t *p, uint8_t flags, const struct in_opts *x)
{
	struct tcp_opts ts = { .has_ts = true,
			       .ts_val = x->ts_set ? x->ts_val : f->ts_val,
			       .ts_ecr = x->ts_ecr ? x->ts_ecr :
					 flags & TH_ACK ? f->ts_ecr : 0 };

	if (x->n) {
		memcpy(p, x->bytes, x->n);
		memset(p + x->n, 0, (4 - x->n % 4) % 4);
		return (x->n + 3) / 4 * 4;
	}
	if (!f->peer_ts || x->no_ts)
		return 0;
	return rl_tcp_opts_write(&ts, p);
}

void fix_in_opts(struct fix *f, const char *flags, uint32_t seq, uint32_t len,
		 uint32_t ack, uint16_t win, const struct in_opts *x)
{
	static uint8_t pkt[66000];
	struct rill_ip src = x->src ? *x->src : peer_ip(f->v6);
	struct rill_ip dst = x->dst ? *x->dst : local_ip(f->v6);
	size_t ip_len = f->v6 ? 40 : 20;
	uint8_t *t = pkt + ip_len;
	struct tcp_hdr h = {
		.sport = f->rport, .dport = f->lport, .flags = flag_bits(flags),
		.seq = seq_make(f->irs + seq), .win = win, .urg = x->urg,
	};
	uint16_t sum;
	size_t n;
	int err;

	f->ts_val = 1000 + (uint32_t)(f->now_ns / RL_MS);
	if (h.flags & TH_ACK)
		h.ack = seq_make(f->iss + ack);
	h.hdr_len = (uint8_t)(20 + put_opts(f, t + 20, h.flags, x));
	rl_tcp_hdr_write(&h, t);
	if (x->data_off_set)
		t[12] = (uint8_t)(x->data_off << 4);
	n = h.hdr_len + len - x->cut;
	for (uint32_t i = 0; i < len; i++)	/* a byte tells its number */
		t[h.hdr_len + i] = (uint8_t)(seq + i);
	sum = rl_sum_finish(rl_sum(t, n, rl_sum_pseudo(&src, &dst, 6, (uint32_t)n)));
	memcpy(t + 16, &sum, 2);
	if (x->bad_csum)
		t[16] ^= 0x55;
	put_ip(f, pkt, n, x);
	err = rill_stack_input(f->st, f->now_ns, f->ifindex, pkt, ip_len + n);
	if (!f->may_fail)
		CHECK_EQ("input", err, 0);
	tcp_check(f->st);
}

static uint16_t icmp_sum(const struct fix *f, const uint8_t *m, size_t n)
{
	struct rill_ip src = peer_ip(f->v6), dst = local_ip(f->v6);

	return rl_sum_finish(rl_sum(m, n, f->v6 ? rl_sum_pseudo(&src, &dst, 58, (uint32_t)n) : 0));
}

void fix_icmp(struct fix *f, uint8_t type, uint8_t code, uint32_t seq, uint32_t mtu)
{
	struct rill_ip us = local_ip(f->v6), peer = peer_ip(f->v6);
	size_t ip_len = f->v6 ? 40 : 20, n = 8 + ip_len + 20;
	struct in_opts out = { .src = &us, .dst = &peer };
	struct tcp_hdr h = { .sport = f->lport, .dport = f->rport, .hdr_len = 20,
			     .flags = TH_ACK, .seq = seq_make(f->iss + seq) };
	uint8_t pkt[160] = { 0 }, *m = pkt + ip_len;
	uint16_t sum;

	m[0] = type;
	m[1] = code;
	put32(m + 4, mtu);
	put_ip(f, m + 8, 20, &out);
	rl_tcp_hdr_write(&h, m + 8 + ip_len);
	sum = icmp_sum(f, m, n);
	memcpy(m + 2, &sum, 2);
	put_ip(f, pkt, n, &(struct in_opts){ 0 });
	if (f->v6) {
		pkt[6] = 58;
	} else {
		pkt[9] = 1;
		pkt[10] = pkt[11] = 0;
		sum = rl_sum_finish(rl_sum(pkt, 20, 0));
		memcpy(pkt + 10, &sum, 2);
	}
	CHECK_EQ("icmp", rill_stack_input(f->st, f->now_ns, f->ifindex, pkt, ip_len + n), 0);
}

void fix_in(struct fix *f, const char *flags, uint32_t seq, uint32_t len, uint32_t ack,
	    uint16_t win)
{
	struct in_opts none = { 0 };

	fix_in_opts(f, flags, seq, len, ack, win, &none);
}

static void parse_out(struct fix *f, const uint8_t *p, size_t n, struct out_seg *o)
{
	bool v6 = p[0] >> 4 == 6;
	size_t ip_len = v6 ? 40 : (p[0] & 15) * 4u;
	const uint8_t *t = p + ip_len;
	struct rill_ip src = local_ip(v6), dst = peer_ip(v6);
	struct tcp_hdr h;

	o->tos = v6 ? (uint8_t)(get16(p) >> 4) : p[1];
	o->ttl = v6 ? p[7] : p[8];
	o->df = !v6 && (p[6] & 0x40);
	if (rl_tcp_hdr_parse(&h, t, n - ip_len) < 0)
		return;
	rl_tcp_opts_parse(&o->o, t + 20, h.hdr_len - 20u);
	if ((h.flags & TH_SYN) && !f->got_iss) {
		f->iss = h.seq.v;
		f->got_iss = true;
	}
	if (o->o.has_ts)
		f->ts_ecr = o->o.ts_val;
	o->there = true;
	o->flags = h.flags;
	o->seq = h.seq.v - f->iss;
	o->ack = h.ack.v - f->irs;
	o->win = h.win;
	o->urg = h.urg;
	o->sport = h.sport;
	o->dport = h.dport;
	o->len = (uint32_t)(n - ip_len - h.hdr_len);
	memcpy(o->data, t + h.hdr_len, RL_MIN((size_t)o->len, sizeof(o->data)));
	o->csum_ok = rl_sum_finish(rl_sum(t, n - ip_len,
			rl_sum_pseudo(&src, &dst, 6, (uint32_t)(n - ip_len)))) == 0;
	CHECK("checksum sent [RFC9293:MUST-2]", o->csum_ok);
}

struct out_seg fix_out(struct fix *f)
{
	static uint8_t buf[70000];
	struct out_seg o = { 0 };
	struct rill_pkt *p;

	tcp_check(f->st);
	while (rill_stack_output(f->st, 0, &p, 1) == 1) {
		size_t n = rill_pkt_bytes(p, buf, sizeof(buf));
		uint8_t proto = buf[0] >> 4 == 6 ? buf[6] : buf[9];

		rill_pkt_put(f->st, p);
		if (proto != 6)
			continue;	/* MLD, IGMP and such are not ours here */
		parse_out(f, buf, n, &o);
		return o;
	}
	return o;
}

void fix_expect(struct fix *f, const char *label, const char *flags, uint32_t seq,
		uint32_t len, uint32_t ack)
{
	struct out_seg o = fix_out(f);
	uint8_t want = flag_bits(flags);

	if (!CHECK(label, o.there))
		return;
	CHECK_EQ(label, o.flags, want);
	CHECK_EQ(label, o.seq, seq);
	if (len != UINT32_MAX)
		CHECK_EQ(label, o.len, len);
	if (want & TH_ACK)
		CHECK_EQ(label, o.ack, ack);
}

void fix_expect_none(struct fix *f, const char *label)
{
	struct out_seg o = fix_out(f);

	CHECK_EQ(label, o.there, false);
}

int fix_drain(struct fix *f)
{
	int n = 0;

	while (fix_out(f).there)
		n++;
	return n;
}

void fix_listen(struct fix *f)
{
	struct rill_addr a = { .port = FIX_PORT };

	CHECK_EQ("open", rill_tcp_open(f->st, 0, &f->listener), 0);
	fix_setopt(f, -1, 0, 0);
	CHECK_EQ("bind", rill_tcp_bind(f->st, f->listener, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f->st, f->listener, 8), 0);
}

void fix_establish_opts(struct fix *f, const uint8_t *opts, size_t n)
{
	struct in_opts x = { .bytes = opts, .n = n };
	struct rill_addr peer;

	if (!f->listener)
		fix_listen(f);
	fix_in_opts(f, "S", 0, 0, 0, 65535, &x);
	fix_expect(f, "SYN+ACK", "S.", 0, 0, 1);
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f->st, f->listener, 7, &f->fd, &peer), 0);
	CHECK_EQ("state", fix_state(f), RILL_ESTABLISHED);
}

static size_t syn_opts(struct fix *f, bool sack, bool ts, uint8_t *p)
{
	struct tcp_opts o = { .mss = 1000, .sack_ok = sack, .has_ts = ts,
			      .ts_val = 1000 + (uint32_t)(f->now_ns / RL_MS),
			      .ts_ecr = f->ts_ecr };

	f->peer_ts = ts;
	return rl_tcp_opts_write(&o, p);
}

void fix_establish(struct fix *f, bool sack, bool ts)
{
	uint8_t opts[40];
	size_t n = syn_opts(f, sack, ts, opts);

	fix_establish_opts(f, opts, n);
}

void fix_connect(struct fix *f, bool sack, bool ts)
{
	struct rill_addr peer = { .ip = peer_ip(f->v6), .port = FIX_PEER_PORT };
	struct in_opts x = { 0 };
	struct out_seg o;
	uint8_t opts[40];

	CHECK_EQ("open", rill_tcp_open(f->st, 7, &f->fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f->st, f->fd, &peer, 0), -EINPROGRESS);
	f->got_iss = false;
	o = fix_out(f);
	CHECK("SYN", o.there && o.flags == TH_SYN);
	f->lport = o.sport;
	x.bytes = opts;
	x.n = syn_opts(f, sack, ts, opts);
	fix_in_opts(f, "S.", 0, 0, 1, 65535, &x);
	fix_expect(f, "ACK", ".", 1, 0, 1);
	CHECK_EQ("state", fix_state(f), RILL_ESTABLISHED);
}

void fix_peer(struct fix *f, uint16_t port)
{
	f->rport = port;
	f->got_iss = false;
}

bool fix_knock(struct fix *f, uint16_t port, bool complete)
{
	fix_peer(f, port);
	fix_in(f, "S", 0, 0, 0, 65535);
	fix_drain(f);
	if (f->got_iss && complete)
		fix_in(f, ".", 1, 0, 1, 65535);
	return f->got_iss;
}

rill_id fix_accept(struct fix *f)
{
	rill_id id = 0;

	return rill_tcp_accept(f->st, f->listener, 7, &id, NULL) == 0 ? id : 0;
}

uint32_t fix_ack_all(struct fix *f, uint32_t seq, uint16_t win)
{
	uint32_t nxt = 0, seen = 1;

	for (int i = 0; i < 1000 && seen != nxt; i++) {
		struct out_seg o;

		seen = nxt;
		while ((o = fix_out(f)).there)
			nxt = RL_MAX(nxt, o.seq + o.len);
		if (nxt != seen)
			fix_in(f, ".", seq, 0, nxt, win);
	}
	return nxt;
}

void fix_sack(struct fix *f, uint32_t ack, int n, const uint32_t *lo_hi)
{
	struct tcp_opts o = { .nsack = (uint8_t)n };
	struct in_opts x = { 0 };
	uint8_t buf[40];

	for (int i = 0; i < n; i++)
		o.sack[i] = (struct tcp_sack){ seq_make(f->iss + lo_hi[2 * i]),
					       seq_make(f->iss + lo_hi[2 * i + 1]) };
	x.n = rl_tcp_opts_write(&o, buf);
	x.bytes = buf;
	fix_in_opts(f, ".", 1, 0, ack, 65535, &x);
}

int fix_state(struct fix *f)
{
	struct rill_conn c[64];
	uint64_t cursor = 0;
	int n, state = RILL_CLOSE;

	while ((n = rill_stack_conns(f->st, &cursor, c, 64)) > 0)
		for (int i = 0; i < n; i++)
			if (c[i].proto == 6 && c[i].peer.port == f->rport &&
			    c[i].local.port == f->lport && c[i].state != RILL_CLOSE)
				state = c[i].state;
	return state;
}

bool fix_conn(struct fix *f, struct rill_conn *out)
{
	struct rill_conn c[64];
	uint64_t cursor = 0;
	int n;

	while ((n = rill_stack_conns(f->st, &cursor, c, 64)) > 0)
		for (int i = 0; i < n; i++)
			if (c[i].proto == 6 && c[i].peer.port == f->rport &&
			    c[i].local.port == f->lport && c[i].state != RILL_CLOSE) {
				*out = c[i];
				return true;
			}
	return false;
}

static void reach_syn_sent(struct fix *f)
{
	struct rill_addr peer = { .ip = peer_ip(f->v6), .port = FIX_PEER_PORT };
	struct out_seg o;

	CHECK_EQ("open", rill_tcp_open(f->st, 7, &f->fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f->st, f->fd, &peer, 0), -EINPROGRESS);
	f->got_iss = false;
	o = fix_out(f);
	CHECK("SYN", o.there && o.flags == TH_SYN);
	f->lport = o.sport;
	f->snd_una = f->rcv_nxt = 0;
	f->snd_nxt = 1;
}

static void reach_half_open(struct fix *f)
{
	static const uint8_t mss[] = { 2, 4, 1000 >> 8, 1000 & 255 };
	struct in_opts x = { .bytes = mss, .n = sizeof(mss) };

	fix_in_opts(f, "S", 0, 0, 0, 65535, &x);
	fix_expect(f, "SYN+ACK", "S.", 0, 0, 1);
	f->snd_una = 0;
	f->snd_nxt = f->rcv_nxt = 1;
}

static void peer_fin(struct fix *f)
{
	fix_in(f, "F.", f->rcv_nxt++, 0, f->snd_una, 65535);
	fix_expect(f, "ACK of FIN", ".", f->snd_nxt, 0, f->rcv_nxt);
}

static void our_fin(struct fix *f)
{
	CHECK_EQ("shutdown", rill_tcp_shutdown(f->st, f->fd, RILL_SHUT_WR), 0);
	fix_expect(f, "FIN", "F.", f->snd_nxt++, 0, f->rcv_nxt);
}

static void reach_from_established(struct fix *f, int state)
{
	fix_establish(f, false, false);
	f->snd_una = f->snd_nxt = f->rcv_nxt = 1;
	if (state == RILL_CLOSE_WAIT || state == RILL_LAST_ACK)
		peer_fin(f);
	if (state != RILL_ESTABLISHED && state != RILL_CLOSE_WAIT)
		our_fin(f);
	if (state == RILL_FIN_WAIT2 || state == RILL_TIME_WAIT)
		fix_in(f, ".", 1, 0, f->snd_una = 2, 65535);
	if (state == RILL_CLOSING || state == RILL_TIME_WAIT)
		peer_fin(f);
}

void fix_reach(struct fix *f, int state)
{
	switch (state) {
	case RILL_CLOSE:
		CHECK_EQ("open", rill_tcp_open(f->st, 7, &f->fd), 0);
		break;
	case RILL_LISTEN:
		fix_listen(f);
		break;
	case RILL_SYN_SENT:
		reach_syn_sent(f);
		break;
	case RILL_SYN_RECV:
		reach_syn_sent(f);
		reach_half_open(f);
		break;
	case FIX_SYN_RECV_PASSIVE:
		fix_listen(f);
		reach_half_open(f);
		break;
	default:
		reach_from_established(f, state);
	}
	if (state != RILL_CLOSE && state != RILL_LISTEN)
		CHECK_EQ("reached", fix_state(f), state == FIX_SYN_RECV_PASSIVE
						      ? RILL_SYN_RECV : state);
	fix_expect_none(f, "nothing waits");
}

const char *fix_arrows(struct fix *f)
{
	static char buf[1000];
	struct rill_trace t;
	size_t n = 0;

	buf[0] = 0;
	while (rill_stack_trace(f->st, &t))
		if (t.kind == RILL_TR_STATE && n < sizeof(buf))
			n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%s>%s", n ? " " : "",
					      rill_state_name(t.a), rill_state_name(t.b));
	return buf;
}

uint32_t fix_event(struct fix *f)
{
	struct rill_event ev;
	uint32_t bits = 0;

	while (rill_stack_event(f->st, &ev))
		if (ev.id == f->fd)
			bits |= ev.bits;
	return bits;
}

struct rill_tcp_info fix_info(struct fix *f)
{
	struct rill_tcp_info i = { 0 };
	size_t n = sizeof(i);

	CHECK_EQ("TCP_INFO", rill_stack_getsockopt(f->st, f->fd, RL_SOL_TCP, RL_TCP_INFO,
						   &i, &n), 0);
	return i;
}

int64_t fix_send_flags(struct fix *f, size_t n, unsigned flags)
{
	static uint8_t zeros[1 << 20];
	struct rill_iov iov = { zeros, RL_MIN(n, sizeof(zeros)) };

	return rill_tcp_send(f->st, f->fd, &iov, 1, flags);
}

int64_t fix_send(struct fix *f, size_t n)
{
	return fix_send_flags(f, n, 0);
}

int64_t fix_recv(struct fix *f, void *buf, size_t n)
{
	struct rill_iov iov = { buf, n };

	return rill_tcp_recv(f->st, f->fd, &iov, 1, 0);
}

uint64_t fix_counter(struct fix *f, const char *name)
{
	struct rill_named_u64 v;

	for (unsigned i = 0; rill_stack_counter(f->st, i, &v); i++)
		if (!strcmp(v.name, name))
			return v.value;
	CHECK(name, false);
	return UINT64_MAX;
}

int fix_setopt(struct fix *f, int level, int name, int value)
{
	if (level < 0)			/* the listener may be opened again at once */
		return rill_stack_setsockopt(f->st, f->listener, RL_SOL_SOCKET, RL_SO_REUSEADDR,
				       &(int){ 1 }, sizeof(int));
	return rill_stack_setsockopt(f->st, f->fd, level, name, &value, sizeof(value));
}

int fix_getopt(struct fix *f, int level, int name)
{
	int v = -1;
	size_t n = sizeof(v);
	int err = rill_stack_getsockopt(f->st, f->fd, level, name, &v, &n);

	return err < 0 ? err : v;
}

/* ---- two stacks ---- */

struct duo_pkt {
	struct duo_pkt	*next;
	int64_t		at_ns;
	size_t		len;
	uint8_t		bytes[];
};

static void *plain_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void plain_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

struct rill_addr duo_addr(int i, bool v6, uint16_t port)
{
	return (struct rill_addr){ .ip = i ? peer_ip(v6) : local_ip(v6), .port = port };
}

void duo_init(struct duo *d, unsigned mtu, bool v6, uint64_t seed)
{
	struct rill_if_params ifp = { .name = "t0", .mtu = mtu, .flags = RILL_IF_NO_DAD };

	memset(d, 0, sizeof(*d));
	d->now_ns = 1000 * RL_SEC;
	d->delay_ns = RL_MS;
	for (int i = 0; i < 2; i++) {
		struct rill_stack_params par = {
			.mem = { plain_alloc, plain_free, NULL }, .now_ns = d->now_ns,
		};
		struct rill_addr a = duo_addr(i, v6, 0);

		memcpy(par.seed, &seed, sizeof(seed));
		par.seed[31] = (uint8_t)i;
		CHECK_EQ("stack", rill_stack_create(&par, &d->st[i]), 0);
		d->ifindex = rill_if_add(d->st[i], &ifp);
		CHECK_EQ("address", rill_if_addr_add(d->st[i], d->ifindex, &a.ip, v6 ? 64 : 24), 0);
	}
}

/* In order of arrival. */
static void insert(struct duo *d, int from, struct duo_pkt *w)
{
	struct duo_pkt **p = &d->wire[!from];

	while (*p && (*p)->at_ns <= w->at_ns)
		p = &(*p)->next;
	w->next = *p;
	*p = w;
}

void duo_inject(struct duo *d, int from, const uint8_t *pkt, size_t len, int64_t after_ns)
{
	struct duo_pkt *w = malloc(sizeof(*w) + len);

	*w = (struct duo_pkt){ .at_ns = d->now_ns + after_ns, .len = len };
	memcpy(w->bytes, pkt, len);
	insert(d, from, w);
}

static void put_on_wire(struct duo *d, int from, struct rill_pkt *p)
{
	size_t n = rill_pkt_bytes(p, NULL, 0);
	struct duo_pkt *w = malloc(sizeof(*w) + n);
	uint64_t nth = d->sent[from]++;

	*w = (struct duo_pkt){ .at_ns = d->now_ns + d->delay_ns, .len = n };
	rill_pkt_bytes(p, w->bytes, n);
	rill_pkt_put(d->st[from], p);
	for (size_t i = 0; i < n; i++)		/* FNV-1a */
		d->digest = (d->digest ^ w->bytes[i]) * 0x100000001b3;
	d->digest ^= (uint64_t)w->at_ns;
	if (d->drop && d->drop(d, from, w->bytes, n, nth)) {
		free(w);
		return;
	}
	insert(d, from, w);
}

static void deliver(struct duo *d, int to)
{
	struct duo_pkt *w = d->wire[to];

	d->wire[to] = w->next;
	CHECK_EQ("input", rill_stack_input(d->st[to], d->now_ns, d->ifindex, w->bytes, w->len), 0);
	tcp_check(d->st[to]);
	free(w);
}

void duo_run(struct duo *d, int64_t until_ns)
{
	for (;;) {
		int64_t next = RL_NEVER;

		for (int i = 0; i < 2; i++) {
			struct rill_pkt *p;

			while (rill_stack_output(d->st[i], 0, &p, 1) == 1)
				put_on_wire(d, i, p);
		}
		for (int i = 0; i < 2; i++) {
			next = RL_MIN(next, rill_stack_deadline(d->st[i]));
			if (d->wire[i])
				next = RL_MIN(next, d->wire[i]->at_ns);
		}
		if (next > until_ns)
			break;
		d->now_ns = RL_MAX(d->now_ns, next);
		for (int i = 0; i < 2; i++) {
			while (d->wire[i] && d->wire[i]->at_ns <= d->now_ns)
				deliver(d, i);
			rill_stack_advance(d->st[i], d->now_ns);
		}
	}
	d->now_ns = until_ns;
	for (int i = 0; i < 2; i++) {
		rill_stack_advance(d->st[i], d->now_ns);
		tcp_check(d->st[i]);
	}
}

void duo_done(struct duo *d)
{
	for (int i = 0; i < 2; i++) {
		while (d->wire[i]) {
			struct duo_pkt *w = d->wire[i];

			d->wire[i] = w->next;
			free(w);
		}
		rill_stack_destroy(d->st[i]);
	}
}
