// SPDX-License-Identifier: MIT
/*
 * The interpreter and the plug-in check each other: the same script is run by
 * `rill drill`'s machinery and, by the small runner below, through the table of
 * librill-packetdrill.so as the original tool would do it.  Both write captures,
 * in which every packet must be the same, at the same time to the nanosecond.
 *
 * The runner understands what the scripts below use: absolute times, TCP, and a
 * few calls.  What it takes from the interpreter is the parser alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/types.h"
#include "drill/call.h"
#include "plug_tool.h"
#include "rl_test.h"

#define FRAMES_MAX	256
#define FDS		16
#define TS_MAX		32
#define SEEDS		8
#define SYN		0x02
#define ACK		0x10

/* ---- captures ---- */

struct frame {
	int64_t		at_ns;		/* since the first */
	bool		out;
	struct seg	s;		/* numbers less the ISN, of TS the first value */
};

struct capture {
	struct frame	f[FRAMES_MAX];
	unsigned	n;
	uint16_t	first_port;	/* source port of the first */
};

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* What the option of this kind holds, its length in @len; or NULL. */
static uint8_t *find_opt(struct seg *s, uint8_t kind, size_t *len)
{
	for (size_t i = 0; i + 1 < s->nopts && s->opts[i]; ) {
		size_t n = s->opts[i] == 1 ? 1 : s->opts[i + 1] > 1 ? s->opts[i + 1] : 40;

		*len = n - 2;
		if (s->opts[i] == kind && i + n <= s->nopts)
			return s->opts + i + 2;
		i += n;
	}
	return NULL;
}

static uint8_t *ts_opt(struct seg *s)
{
	size_t len;
	uint8_t *p = find_opt(s, 8, &len);

	return p && len == 8 ? p : NULL;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* An enhanced packet block. */
static void add_frame(struct capture *c, const uint8_t *b, int64_t *first_ns)
{
	int64_t at_ns = (int64_t)((uint64_t)word(b + 12) << 32 | word(b + 16));
	uint32_t len = word(b + 20), flags = word(b + 28 + (len + 3) / 4 * 4 + 4);
	struct frame *f = &c->f[c->n];

	if (!CHECK("room for the capture", c->n < FRAMES_MAX))
		return;
	CHECK("a packet as it should be", seg_parse(b + 28, len, &f->s));
	*first_ns = c->n ? *first_ns : at_ns;
	f->at_ns = at_ns - *first_ns;
	f->out = flags == 2;
	c->n++;
}

static void less(uint8_t *p, uint32_t v)
{
	put_be32(p, be32(p) - v);
}

/* Numbers of the stack's side become relative to its first ones. */
static void relate(struct frame *f, uint32_t isn, uint32_t ts)
{
	struct seg *s = &f->s;
	uint8_t *opt = ts_opt(s), *sack;
	size_t n;

	if (f->out) {
		s->seq -= isn;
		if (opt)
			less(opt, ts);
	} else if (s->flags & ACK) {
		s->ack -= isn;
		if (opt)
			less(opt + 4, ts);
		sack = find_opt(s, 5, &n);
		for (size_t i = 0; sack && i + 4 <= n; i += 4)
			less(sack + i, isn);
	}
}

static void normalize(struct capture *c)
{
	uint32_t isn = 0, ts = 0;
	bool have_isn = false, have_ts = false;

	for (unsigned i = 0; i < c->n; i++) {
		struct seg *s = &c->f[i].s;
		uint8_t *opt = ts_opt(s);

		if (c->f[i].out && !have_isn && s->flags & SYN) {
			isn = s->seq;
			have_isn = true;
		}
		if (c->f[i].out && !have_ts && opt) {
			ts = be32(opt);
			have_ts = true;
		}
		relate(&c->f[i], isn, ts);
	}
}

static bool load_capture(const char *path, struct capture *c)
{
	static uint8_t b[1 << 20];
	int64_t first_ns = 0;
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof(b));

	close(fd);
	*c = (struct capture){ 0 };
	for (ssize_t at = 0; at + 12 <= n; at += word(b + at + 4)) {
		if (word(b + at + 4) < 12)
			return false;
		if (word(b + at) == 6)
			add_frame(c, b + at, &first_ns);
	}
	c->first_port = c->f[0].s.sport;
	normalize(c);
	return c->n > 0;
}

/* ---- the small runner ---- */

struct mini {
	struct tool	t;
	const char	*name;
	int		fd[FDS];		/* script's number -> live */
	uint32_t	isn_out, isn_in;	/* live */
	bool		active;
	struct { uint32_t script, live; } ts[TS_MAX];
	unsigned	nts;
	struct tool_call call;			/* on the second thread */
	const struct drill_event *pending;
};

static int64_t num(const struct drill_expr *e)
{
	int64_t v = 0;

	if (e->kind == DRILL_E_OR || e->kind == DRILL_E_LIST) {
		for (const struct drill_expr *x = e->list; x; x = x->next)
			v |= num(x);
		return v;
	}
	if (e->kind == DRILL_E_SYMBOL)
		CHECK(rl_label("symbol %s", e->text), rl_drill_symbol(e->text, &v));
	return e->kind == DRILL_E_INT ? e->num : v;
}

static const struct drill_expr *arg(const struct drill_call *c, unsigned i)
{
	const struct drill_expr *e = c->args;

	while (i-- && e)
		e = e->next;
	return e;
}

static int arg_num(const struct drill_call *c, unsigned i)
{
	const struct drill_expr *e = arg(c, i);

	return e ? (int)num(e) : 0;
}

static ssize_t do_socket(struct mini *m, const struct drill_call *c)
{
	return CALL(&m->t, socket, AF_INET, arg_num(c, 1), arg_num(c, 2));
}

static ssize_t with_addr(struct mini *m, const struct drill_call *c, bool remote)
{
	struct sockaddr_storage a;
	socklen_t n = tool_addr(&m->t, AF_INET, remote, &a);
	int fd = m->fd[arg_num(c, 0)];

	if (remote)
		return CALL(&m->t, connect, fd, (struct sockaddr *)&a, n);
	return CALL(&m->t, bind, fd, (struct sockaddr *)&a, n);
}

/* A call of the script; on either thread. */
static ssize_t make_call(struct mini *m, const struct drill_call *c)
{
	static uint8_t bytes[1 << 17];
	struct tool *t = &m->t;
	int fd = c->args && strcmp(c->name, "socket") ? m->fd[arg_num(c, 0)] : 0;
	int val;

	if (!strcmp(c->name, "socket"))
		return do_socket(m, c);
	if (!strcmp(c->name, "bind") || !strcmp(c->name, "connect"))
		return with_addr(m, c, c->name[0] == 'c');
	if (!strcmp(c->name, "listen"))
		return CALL(t, listen, fd, arg_num(c, 1));
	if (!strcmp(c->name, "accept"))
		return CALL(t, accept, fd, NULL, NULL);
	if (!strcmp(c->name, "read"))
		return CALL(t, read, fd, bytes, (size_t)arg_num(c, 2));
	if (!strcmp(c->name, "write")) {
		memset(bytes, 0, (size_t)arg_num(c, 2));
		return CALL(t, write, fd, bytes, (size_t)arg_num(c, 2));
	}
	if (!strcmp(c->name, "close"))
		return CALL(t, close, fd);
	if (!strcmp(c->name, "shutdown"))
		return CALL(t, shutdown, fd, arg_num(c, 1));
	if (!strcmp(c->name, "fcntl"))
		return CALL(t, fcntl, fd, arg_num(c, 1), arg_num(c, 2));
	val = arg_num(c, 3);
	if (!strcmp(c->name, "setsockopt"))
		return CALL(t, setsockopt, fd, arg_num(c, 1), arg_num(c, 2), &val,
			    sizeof(val));
	CHECK(rl_label("the small runner knows %s", c->name), false);
	return -1;
}

static void judge(struct mini *m, const struct drill_event *ev, ssize_t r, int err)
{
	const struct drill_call *c = ev->call;
	const char *label = rl_label("%s:%d: %s", m->name, ev->line, c->name);

	if (!strcmp(c->name, "socket") || !strcmp(c->name, "accept")) {
		CHECK(label, r >= 0 && c->result >= 0 && c->result < FDS);
		m->fd[c->result] = (int)r;
		return;
	}
	CHECK_EQ(label, r, c->result);
	if (r < 0 && c->err_name)
		CHECK_STR(label, rl_drill_errno_name(err), c->err_name);
}

static struct mini *blocking;		/* for the second thread */

static ssize_t on_thread(struct tool_call *c)
{
	(void)c;
	return make_call(blocking, blocking->pending->call);
}

static void finish_blocking(struct mini *m)
{
	const struct drill_event *ev = m->pending;

	if (!ev)
		return;
	tool_join(&m->call);
	judge(m, ev, m->call.result, m->call.err);
	CHECK_EQ(rl_label("%s:%d: ends", m->name, ev->line), m->call.end_us,
		 ev->call->end_us + 1);
	m->pending = NULL;
}

static void run_call(struct mini *m, const struct drill_event *ev)
{
	ssize_t r;

	finish_blocking(m);
	if (ev->call->blocks) {
		m->pending = ev;
		blocking = m;
		m->call = (struct tool_call){ .fn = on_thread };
		CHECK(rl_label("%s:%d: it blocks", m->name, ev->line),
		      tool_block(&m->t, &m->call));
		return;
	}
	r = make_call(m, ev->call);
	judge(m, ev, r, errno);
}

static uint32_t live_ts(const struct mini *m, uint32_t script)
{
	for (unsigned i = m->nts; i--; )
		if (m->ts[i].script == script)
			return m->ts[i].live;
	return script;
}

static size_t put_opt(const struct mini *m, const struct drill_opt *o, bool syn, uint8_t *b)
{
	switch (o->kind) {
	case DRILL_OPT_MSS:
		b[0] = 2;
		b[1] = 4;
		b[2] = (uint8_t)(o->value >> 8);
		b[3] = (uint8_t)o->value;
		return 4;
	case DRILL_OPT_WSCALE:
		b[0] = 3;
		b[1] = 3;
		b[2] = (uint8_t)o->value;
		return 3;
	case DRILL_OPT_SACKOK:
		b[0] = 4;
		b[1] = 2;
		return 2;
	case DRILL_OPT_SACK:
		b[0] = 5;
		b[1] = (uint8_t)(2 + 8 * o->nsacks);
		for (unsigned i = 0; i < o->nsacks; i++) {
			put_be32(b + 2 + 8 * i, m->isn_out + o->sack[i].from);
			put_be32(b + 6 + 8 * i, m->isn_out + o->sack[i].to);
		}
		return b[1];
	case DRILL_OPT_TS:
		b[0] = 8;
		b[1] = 10;
		put_be32(b + 2, o->value);
		put_be32(b + 6, syn && !m->active ? o->ecr : live_ts(m, o->ecr));
		return 10;
	default:
		b[0] = 1;
		CHECK("an option that the small runner knows", o->kind == DRILL_OPT_NOP);
		return 1;
	}
}

static void run_in(struct mini *m, const struct drill_tcp *p)
{
	bool syn = p->flags & SYN;
	struct seg s = {
		.flags = (uint8_t)p->flags, .win = p->win, .len = p->len,
		.seq = syn ? p->seq : p->seq + m->isn_in,
		.ack = p->flags & ACK ? p->ack + m->isn_out : 0,
	};

	if (syn)
		m->isn_in = p->seq;
	for (const struct drill_opt *o = p->opts; o; o = o->next)
		s.nopts += put_opt(m, o, syn, s.opts + s.nopts);
	CHECK_EQ("it enters", tool_in(&m->t, &s), 0);
}

/* What the packet teaches; that it is right is seen in the captures. */
static void run_out(struct mini *m, const struct drill_event *ev)
{
	const struct drill_tcp *p = &ev->packet->tcp;
	const char *label = rl_label("%s:%d: a packet leaves", m->name, ev->line);
	struct seg s;
	uint8_t *opt;
	size_t got = 0;

	do {
		if (!CHECK(label, tool_out(&m->t, &s)))
			return;
		got += s.len;
	} while (got < p->len);
	if (p->flags & SYN)
		m->isn_out = s.seq;
	if (p->flags == SYN) {
		m->active = true;
		m->t.lport = s.sport;
		m->t.rport = TOOL_PORT;
	}
	opt = ts_opt(&s);
	for (const struct drill_opt *o = p->opts; o && opt; o = o->next)
		if (o->kind == DRILL_OPT_TS && m->nts < TS_MAX) {
			m->ts[m->nts].script = o->value;
			m->ts[m->nts++].live = be32(opt);
		}
}

static void run_events(struct mini *m, const struct drill_script *s)
{
	for (const struct drill_event *ev = s->events; ev; ev = ev->next) {
		if (ev->kind == DRILL_PACKET && !ev->packet->in) {
			run_out(m, ev);
			continue;
		}
		CHECK_EQ("absolute times", ev->time.kind, DRILL_AT);
		tool_until(&m->t, ev->time.us);
		if (ev->kind == DRILL_CALL)
			run_call(m, ev);
		else
			run_in(m, &ev->packet->tcp);
	}
	finish_blocking(m);
}

/* ---- both, and what they wrote ---- */

static bool run_drill(const char *name, const char *text, const char *pcap, uint64_t seed)
{
	static struct drill_result res;
	struct drill_config cfg;

	rl_drill_config_init(&cfg);
	cfg.pcap = pcap;
	cfg.seed = seed;
	cfg.local_ip = rl_ip4(0xc0a80001);
	cfg.remote_ip = rl_ip4(0xc0000201);
	rl_drill_run_text(name, text, strlen(text), &cfg, NULL, NULL, &res);
	return CHECK(rl_label("%s: rill drill: %s", name, res.why),
		     res.verdict == DRILL_PASSED);
}

static void run_mini(const char *name, const char *text, const char *pcap, uint64_t seed,
		     uint16_t port, int64_t *last_us)
{
	struct mini m = { .name = name };
	struct drill_script s;
	char why[200], flags[200];

	snprintf(flags, sizeof(flags), "seed=%" PRIu64 ",pcap=%s", seed, pcap);
	REQUIRE("it parses", rl_drill_parse(&s, name, text, strlen(text), NULL, false, why,
					    sizeof(why)) == 0);
	REQUIRE("the plug-in loads", tool_begin(&m.t, flags));
	m.t.rport = port;
	/* a whole millisecond of the stack's clock, as in the interpreter */
	m.t.start_us = (m.t.start_us / 1000 + 1) * 1000;
	run_events(&m, &s);
	for (const struct drill_event *ev = s.events; ev; ev = ev->next)
		*last_us = ev->time.us;
	tool_end(&m.t);
	rl_drill_script_free(&s);
}

static void compare(const char *name, const struct capture *a, const struct capture *b,
		    int64_t cut_ns)
{
	unsigned i;

	for (i = 0; i < a->n && a->f[i].at_ns < cut_ns; i++) {
		const struct frame *x = &a->f[i], *y = &b->f[i];
		const struct seg *s = &x->s, *t = &y->s;

		if (!CHECK(rl_label("%s: packet %u is there", name, i), i < b->n))
			return;
		CHECK_EQ(rl_label("%s: packet %u: time", name, i), y->at_ns, x->at_ns);
		CHECK_EQ(rl_label("%s: packet %u: direction", name, i), y->out, x->out);
		CHECK_EQ(rl_label("%s: packet %u: source port", name, i), t->sport, s->sport);
		CHECK_EQ(rl_label("%s: packet %u: to port", name, i), t->dport, s->dport);
		CHECK_EQ(rl_label("%s: packet %u: flags", name, i), t->flags, s->flags);
		CHECK_UEQ(rl_label("%s: packet %u: seq", name, i), t->seq, s->seq);
		CHECK_UEQ(rl_label("%s: packet %u: ack", name, i), t->ack, s->ack);
		CHECK_EQ(rl_label("%s: packet %u: window", name, i), t->win, s->win);
		CHECK_EQ(rl_label("%s: packet %u: length", name, i), t->len, s->len);
		CHECK_EQ(rl_label("%s: packet %u: options", name, i), t->nopts, s->nopts);
		CHECK_MEM(rl_label("%s: packet %u: options", name, i), t->opts, s->opts,
			  s->nopts);
	}
	CHECK(rl_label("%s: packets were compared", name), i > 2);
	CHECK(rl_label("%s: no packet more", name), i >= b->n || b->f[i].at_ns >= cut_ns);
}

/* Up to the last event, which every script keeps away from its packets. */
static void cross_with(uint64_t seed, const char *name, const char *text, int64_t first_us)
{
	static struct capture a, b;
	char pa[] = "/tmp/rill-cross-a.XXXXXX", pb[] = "/tmp/rill-cross-b.XXXXXX";
	int64_t last_us = 0;
	bool ok;

	close(mkstemp(pa));
	close(mkstemp(pb));
	ok = run_drill(name, text, pa, seed) && CHECK(name, load_capture(pa, &a));
	if (ok) {
		run_mini(name, text, pb, seed, a.first_port, &last_us);
		ok = CHECK(name, load_capture(pb, &b));
	}
	if (ok)
		compare(name, &a, &b, (last_us - first_us) * 1000);
	unlink(pa);
	unlink(pb);
}

static void cross(const char *name, const char *text, int64_t first_us)
{
	char label[64];

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		snprintf(label, sizeof(label), "%s, seed %u", name, seed);
		cross_with(seed, label, text, first_us);
	}
}

#define PASSIVE								\
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"			\
	"0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n"	\
	"0 bind(3, ..., ...) = 0\n"					\
	"0 listen(3, 1) = 0\n"

TEST(passive_open_data_and_close)
{
	cross("passive", PASSIVE
	      "0.1 < S 0:0(0) win 32792 <mss 1000,nop,nop,sackOK,nop,wscale 7>\n"
	      "0.1 > S. 0:0(0) ack 1 <...>\n"
	      "0.2 < . 1:1(0) ack 1 win 257\n"
	      "0.2 accept(3, ..., ...) = 4\n"
	      "0.3 < P. 1:501(500) ack 1 win 257\n"
	      "0.3 > . 1:1(0) ack 501\n"
	      "0.4 read(4, ..., 1000) = 500\n"
	      "0.5 write(4, ..., 3500) = 3500\n"
	      "0.5 > P. 1:3501(3500) ack 501\n"
	      "0.6 < . 501:501(0) ack 3501 win 257\n"
	      "0.7 < F. 501:501(0) ack 3501 win 257\n"
	      "0.7 > . 3501:3501(0) ack 502\n"
	      "0.8 read(4, ..., 1000) = 0\n"
	      "0.9 close(4) = 0\n"
	      "0.9 > F. 3501:3501(0) ack 502\n"
	      "1.0 < . 502:502(0) ack 3502 win 257\n"
	      "3.0 close(3) = 0\n", 100000);
}

TEST(active_open_and_timeouts)
{
	cross("timeouts",
	      "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	      "0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
	      "0.1 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
	      "0.1 > S 0:0(0) <...>\n"
	      "1.1 > S 0:0(0) <...>\n"
	      "1.2 < S. 0:0(0) ack 1 win 32792 <mss 1000>\n"
	      "1.2 > . 1:1(0) ack 1\n"
	      "2.0 write(3, ..., 500) = 500\n"
	      "2.0 > P. 1:501(500) ack 1\n"
	      "* > P. 1:501(500) ack 1\n"
	      "* > P. 1:501(500) ack 1\n"
	      "* > P. 1:501(500) ack 1\n"
	      "30 read(3, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)\n", 100000);
}

TEST(loss_with_sack_and_timestamps)
{
	cross("loss", PASSIVE
	      "0.1 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 200 ecr 0>\n"
	      "0.1 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 200>\n"
	      "0.2 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 210 ecr 100>\n"
	      "0.2 accept(3, ..., ...) = 4\n"
	      "0.3 write(4, ..., 6000) = 6000\n"
	      "0.3 > P. 1:6001(6000) ack 1 <nop,nop,TS val 200 ecr 210>\n"
	      "0.35 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 220 ecr 200,nop,nop,sack 989:1977>\n"
	      "0.351 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 220 ecr 200,nop,nop,sack 989:2965>\n"
	      "0.352 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 220 ecr 200,nop,nop,sack 989:3953>\n"
	      "* > . 1:989(988) ack 1 <...>\n"
	      "0.45 < . 1:1(0) ack 6001 win 65535 <nop,nop,TS val 230 ecr 200>\n"
	      "5 close(3) = 0\n", 100000);
}

TEST(calls_that_block)
{
	cross("blocking", PASSIVE
	      "0...0.2 accept(3, ..., ...) = 4\n"
	      "0.1 < S 0:0(0) win 65535 <mss 1000>\n"
	      "0.1 > S. 0:0(0) ack 1 <...>\n"
	      "0.2 < . 1:1(0) ack 1 win 65535\n"
	      "0.3...0.5 read(4, ..., 1000) = 100\n"
	      "0.5 < P. 1:101(100) ack 1 win 65535\n"
	      "0.5 > . 1:1(0) ack 101\n"
	      "0.6...1.0 read(4, ..., 1000) = -1 ECONNRESET (Connection reset by peer)\n"
	      "1.0 < R. 101:101(0) ack 1 win 0\n"
	      "5 close(3) = 0\n", 100000);
}

TEST(zero_window_and_reordered_input)
{
	cross("window", PASSIVE
	      "0.1 < S 0:0(0) win 2000 <mss 1000,sackOK,nop,nop>\n"
	      "0.1 > S. 0:0(0) ack 1 <...>\n"
	      "0.2 < . 1:1(0) ack 1 win 0\n"
	      "0.2 accept(3, ..., ...) = 4\n"
	      "0.3 write(4, ..., 100) = 100\n"
	      "0.4 < . 1001:2001(1000) ack 1 win 0\n"
	      "0.4 > . 1:1(0) ack 1 <...>\n"
	      "0.5 < . 1:1001(1000) ack 1 win 0\n"
	      "0.5 > . 1:1(0) ack 2001 <...>\n"
	      "0.6 shutdown(4, SHUT_WR) = 0\n"
	      "20 close(3) = 0\n", 100000);
}
