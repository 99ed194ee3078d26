/* SPDX-License-Identifier: MIT */
/*
 * flow.c and packet_out.c over packets that this test makes up itself: it stands
 * in the place of run.c (time, failures, what has left), so that a stack can be
 * imitated that does what Rill does not.  The linker takes these and leaves run.c in
 * its archive, as long as everything is here that the files in question use of it.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>

#include "drill/packet.h"
#include "rl_test.h"

/* ---- in the place of run.c ---- */

static struct drill_live *queue;
static char failure[4096];
static unsigned notes;

int64_t rl_drill_now_us(const struct drill_run *r)
{
	(void)r;
	return 3000000;
}

int rl_drill_fail(struct drill_run *r, const char *fmt, ...)
{
	va_list ap;

	r->failed = true;
	va_start(ap, fmt);
	vsnprintf(failure, sizeof(failure), fmt, ap);
	va_end(ap);
	return -1;
}

int rl_drill_skip(struct drill_run *run, const char *fmt, ...)
{
	(void)run;
	(void)fmt;
	abort();
}

int64_t rl_drill_tolerance_us(const struct drill_run *r, int64_t span_us)
{
	(void)span_us;
	return r->cfg.tolerance_us;
}

int rl_drill_check_time(struct drill_run *r, int64_t actual_us, const char *what)
{
	return actual_us >= 1000000 ? rl_drill_fail(r, "%s late", what) : 0;
}

struct drill_live *rl_drill_next_live(struct drill_run *r)
{
	struct drill_live *l = queue;

	(void)r;
	if (l)
		queue = l->next;
	return l;
}

void rl_drill_note_packet(struct drill_run *r, const char *text)
{
	snprintf(r->history[r->nhistory++ % DRILL_HISTORY], sizeof(r->history[0]), "%s", text);
	notes++;
}

/* ---- helpers ---- */

#define LOCAL_ISN	0xfffffff0u	/* numbers wrap soon */

static struct drill_run r;
static struct drill_result result;

static struct rill_addr local(uint16_t port)
{
	return (struct rill_addr){ .ip = r.cfg.local_ip, .port = port };
}

static struct rill_addr remote(uint16_t port)
{
	return (struct rill_addr){ .ip = r.cfg.remote_ip, .port = port };
}

static void open_run(void)
{
	r = (struct drill_run){ .res = &result };
	failure[0] = '\0';
	rl_drill_config_init(&r.cfg);
	r.cfg.local_ip = rl_ip4(0xc0a80001);
	r.cfg.remote_ip = rl_ip4(0xc0000201);
	r.cfg.bind_port = r.cfg.connect_port = 8080;
	if (rl_drill_flow_open(&r))
		abort();
}

static void close_run(void)
{
	struct drill_live *l;

	while ((l = rl_drill_next_live(&r)))
		free(l);
	rl_drill_flow_close(&r);
}

static struct drill_script script;

static const struct drill_packet *line(const char *text)
{
	char full[600], why[200] = "";

	snprintf(full, sizeof(full), "0 %s\n", text);
	rl_drill_script_free(&script);
	memset(&script, 0, sizeof(script));
	if (!CHECK(rl_label("%s: parses", text),
		   !rl_drill_parse(&script, "t.pkt", full, strlen(full), NULL, false, why,
				   sizeof(why))))
		abort();
	return script.events->packet;
}

/* A packet as a stack sends it, between live ends; numbers are live too. */
static struct drill_live *live(const char *text, const struct rill_addr *src,
			       const struct rill_addr *dst, uint32_t seq_add, int64_t at_us)
{
	const struct drill_packet *p = line(text);
	struct drill_wire w = {
		.src = *src, .dst = *dst, .quoted_src = *dst, .quoted_dst = *src,
		.seq = p->tcp.seq + seq_add, .ack = p->tcp.ack,
	};
	static uint8_t buf[DRILL_PACKET_MAX];
	struct drill_live *l;
	size_t n;

	for (const struct drill_opt *o = p->tcp.opts; o; o = o->next)
		w.nopts += rl_drill_opt_write(o, w.opts + w.nopts, sizeof(w.opts) - w.nopts);
	n = rl_drill_build(p, &w, buf, sizeof(buf));
	l = calloc(1, sizeof(*l) + n);
	if (!l)
		abort();
	l->len = (uint32_t)n;
	l->at_ns = at_us * 1000;
	memcpy(l->bytes, buf, n);
	return l;
}

static void append(struct drill_live *l)
{
	struct drill_live **at = &queue;

	while (*at)
		at = &(*at)->next;
	*at = l;
}

static void leaves(const char *text)
{
	struct rill_addr src = local(8080), dst = r.flow->remote;

	append(live(text, &src, &dst, LOCAL_ISN, 5));
}

static bool takes(const char *want, const char *got, struct rill_addr src,
		  struct rill_addr dst, uint32_t seq_add)
{
	struct drill_live *l = live(got, &src, &dst, seq_add, 0);
	struct drill_seen s;
	char why[100];
	bool ret;

	CHECK_EQ("it can be taken apart",
		 rl_drill_seen_parse(&s, l->bytes, l->len, why, sizeof(why)), 0);
	ret = rl_drill_flow_takes(&r, line(want), &s);
	free(l);
	return ret;
}

static int in(const char *text)
{
	return rl_drill_flow_inbound(&r, line(text));
}

static int expect(const char *text)
{
	return rl_drill_flow_expect(&r, line(text));
}

static void listening(void)
{
	struct rill_addr any = { .ip = rl_ip4(0), .port = 8080 };

	rl_drill_flow_socket(&r, IPPROTO_TCP);
	rl_drill_flow_bind(&r, &any);
	rl_drill_flow_listen(&r);
}

/* A child whose SYN-ACK left with LOCAL_ISN. */
static void established(void)
{
	listening();
	CHECK_EQ("SYN", in("< S 0:0(0) win 1000"), 0);
	CHECK_EQ("SYN-ACK is expected", expect("> S. 0:0(0) ack 1"), 0);
	CHECK("SYN-ACK", takes("> S. 0:0(0) ack 1", "> S. 0:0(0) ack 1 win 1000",
			       local(8080), r.flow->remote, LOCAL_ISN));
	CHECK_EQ("ACK", in("< . 1:1(0) ack 1 win 1000"), 0);
	CHECK_EQ("state", r.flow->state, DRILL_FLOW_PASSIVE_ACKED);
}

/* ---- ports ---- */

TEST(every_child_has_another_port)
{
	static bool seen[65536];
	uint16_t first;

	open_run();
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 64512; i++) {
		listening();
		if (in("< S 0:0(0) win 1000") || r.flow->remote.port < 1024 ||
		    seen[r.flow->remote.port]) {
			CHECK_EQ("a fresh port after", i, 64512);
			break;
		}
		seen[r.flow->remote.port] = true;
	}
	CHECK("an end", seen[1024] && seen[65535]);
	close_run();
	open_run();
	listening();
	in("< S 0:0(0) win 1000");
	first = r.flow->remote.port;
	close_run();
	open_run();
	rl_drill_flow_close(&r);
	r.cfg.seed++;
	rl_drill_flow_open(&r);
	listening();
	in("< S 0:0(0) win 1000");
	CHECK("another seed, other ports", r.flow->remote.port != first);
	close_run();
}

/* ---- whose packet ---- */

TEST(passive_states)
{
	struct rill_addr peer;

	open_run();
	CHECK_EQ("nobody could send", expect("> S. 0:0(0) ack 1"), -1);
	CHECK_STR("and says so", failure, "there is no TCP socket that could send this packet");
	listening();
	CHECK_EQ("a listener sends nothing", expect("> S. 0:0(0) ack 1"), -1);
	CHECK_EQ("another protocol", in("< udp (3)"), -1);
	CHECK_STR("and says so", failure,
		  "there is no UDP socket that this packet could belong to");
	CHECK_EQ("SYN", in("< S 7:7(0) win 1000"), 0);
	CHECK_EQ("a child", r.flow->state, DRILL_FLOW_PASSIVE_RECEIVED);
	CHECK("its address is known", rl_ip_eq(&r.flow->local.ip, &r.cfg.local_ip));
	CHECK_EQ("its port too", r.flow->local.port, 8080);
	peer = r.flow->remote;
	CHECK_EQ("a second SYN", in("< S 9:9(0) win 1000"), 0);
	CHECK_EQ("goes to the same", r.flow->remote.port, peer.port);
	CHECK_UEQ("the first SYN counts", r.flow->live_remote_isn, 7);
	CHECK("ports of another", !takes("> S. 0:0(0) ack 8", "> S. 0:0(0) ack 8 win 1",
					 local(8081), peer, 0));
	CHECK("a peer of another", !takes("> S. 0:0(0) ack 8", "> S. 0:0(0) ack 8 win 1",
					  local(8080), remote(1), 0));
	CHECK_EQ("SYN-ACK is expected", expect("> S. 3:3(0) ack 8"), 0);
	CHECK_EQ("state", r.flow->state, DRILL_FLOW_PASSIVE_SYNACK_SENT);
	CHECK("SYN-ACK", takes("> S. 3:3(0) ack 8", "> S. 0:0(0) ack 8 win 1", local(8080),
			       peer, 1000));
	CHECK_UEQ("teaches the ISN", r.flow->live_local_isn, 1000);
	CHECK_UEQ("and the script's", r.flow->script_local_isn, 3);
	CHECK("again", takes("> S. 3:3(0) ack 8", "> S. 0:0(0) ack 8 win 1", local(8080),
			     peer, 2000));
	CHECK_UEQ("teaches nothing more", r.flow->live_local_isn, 1000);
	CHECK_EQ("no ACK", in("< P 8:9(1) win 1000"), 0);
	CHECK_EQ("state stays", r.flow->state, DRILL_FLOW_PASSIVE_SYNACK_SENT);
	CHECK_EQ("ACK", in("< . 8:8(0) ack 4 win 1000"), 0);
	CHECK_EQ("state", r.flow->state, DRILL_FLOW_PASSIVE_ACKED);
	close_run();
}

TEST(numbers_of_both_sides)
{
	struct drill_flow f = {
		.script_local_isn = 3, .live_local_isn = 1000,
		.script_remote_isn = 7, .live_remote_isn = 7,
	};

	CHECK_UEQ("remote, SYN", rl_drill_live_remote(&f, 8, true), 8);
	CHECK_UEQ("remote", rl_drill_live_remote(&f, 8, false), 15);
	CHECK_UEQ("local, SYN", rl_drill_live_local(&f, 4, true), 1001);
	CHECK_UEQ("local", rl_drill_live_local(&f, 4, false), 1004);
	for (int syn = 0; syn < 2; syn++) {
		CHECK_UEQ("remote and back", rl_drill_script_remote(&f,
			  rl_drill_live_remote(&f, 4294967295, syn), syn), 4294967295);
		CHECK_UEQ("local and back", rl_drill_script_local(&f,
			  rl_drill_live_local(&f, 4294967295, syn), syn), 4294967295);
	}
}

TEST(active_states)
{
	struct rill_addr server;

	open_run();
	server = remote(8080);
	rl_drill_flow_socket(&r, IPPROTO_TCP);
	CHECK_EQ("not connected", expect("> S 0:0(0)"), -1);
	rl_drill_flow_connect(&r, &server);
	CHECK_EQ("not yet", expect("> . 1:1(0) ack 1"), -1);
	CHECK_EQ("nobody answers before", in("< S. 0:0(0) ack 1 win 9"), -1);
	CHECK_EQ("SYN is expected", expect("> S 5:5(0)"), 0);
	CHECK_EQ("state", r.flow->state, DRILL_FLOW_SYN_SENT);
	CHECK("to another host", !takes("> S 5:5(0)", "> S 0:0(0) win 1", local(4000),
					local(8080), 1000));
	CHECK("not a SYN", !takes("> S 5:5(0)", "> . 0:0(0) ack 0 win 1", local(4000),
				  server, 1000));
	CHECK("SYN", takes("> S 5:5(0)", "> S 0:0(0) win 1", local(4000), server, 1000));
	CHECK_EQ("teaches the port", r.flow->local.port, 4000);
	CHECK_UEQ("and the ISN", r.flow->live_local_isn, 1000);
	CHECK_UEQ("and the script's", r.flow->script_local_isn, 5);
	CHECK("again", takes("> S 5:5(0)", "> S 0:0(0) win 1", local(4000), server, 2000));
	CHECK_UEQ("teaches nothing more", r.flow->live_local_isn, 1000);
	CHECK_EQ("SYN alone", in("< S 77:77(0) win 9"), 0);
	CHECK_EQ("changes nothing", r.flow->state, DRILL_FLOW_SYN_SENT);
	CHECK_UEQ("nor the ISN", r.flow->live_remote_isn, 0);
	CHECK_EQ("SYN-ACK", in("< S. 88:88(0) ack 6 win 9"), 0);
	CHECK_EQ("state", r.flow->state, DRILL_FLOW_SYN_ACKED);
	CHECK_UEQ("ISN", r.flow->live_remote_isn, 88);
	CHECK("data", takes("> . 1:2(1) ack 1", "> . 1:2(1) ack 1 win 1", local(4000), server,
			    1000));
	close_run();
}

TEST(connecting_again)
{
	struct rill_addr server;

	open_run();
	server = remote(8080);
	rl_drill_flow_socket(&r, IPPROTO_TCP);
	rl_drill_flow_connect(&r, &server);
	expect("> S 0:0(0)");
	takes("> S 0:0(0)", "> S 0:0(0) win 1", local(4000), server, 1000);
	rl_drill_flow_connect(&r, &server);
	CHECK("refused, again", takes("> S 9:9(0)", "> S 0:0(0) win 1", local(4000), server,
				      2000));
	CHECK_UEQ("another ISN", r.flow->live_local_isn, 2000);
	CHECK_UEQ("and the script's", r.flow->script_local_isn, 9);
	CHECK("from another port", takes("> S 9:9(0)", "> S 0:0(0) win 1", local(4001), server,
					 3000));
	CHECK_UEQ("another ISN", r.flow->live_local_isn, 3000);
	in("< S. 88:88(0) ack 10 win 9");
	rl_drill_flow_disconnect(&r);
	CHECK_EQ("new", r.flow->state, DRILL_FLOW_NEW);
	CHECK("not its packet any more", !takes("> S 0:0(0)", "> . 1:1(0) ack 1 win 1",
						local(4001), server, 3000));
	rl_drill_flow_connect(&r, &server);
	CHECK_UEQ("nothing is known", r.flow->live_remote_isn, 0);
	CHECK_EQ("SYN is expected", expect("> S 0:0(0)"), 0);
	rl_drill_flow_socket(&r, IPPROTO_TCP);
	CHECK("a new socket", !r.flow->has_local && !r.flow->has_remote);
	close_run();
}

TEST(bound_only)
{
	struct rill_addr addr;
	uint16_t port;

	open_run();
	addr = local(8080);
	rl_drill_flow_socket(&r, IPPROTO_TCP);
	CHECK_EQ("not bound", in("< . 0:0(0) ack 1 win 9"), -1);
	rl_drill_flow_bind(&r, &addr);
	CHECK_EQ("bound", in("< S 5:5(0) win 9"), 0);
	port = r.flow->remote.port;
	CHECK_EQ("is not a child", r.flow->state, DRILL_FLOW_NEW);
	CHECK_EQ("another", in("< S 6:6(0) win 9"), 0);
	CHECK_EQ("from the same", r.flow->remote.port, port);
	CHECK("reset", takes("> R. 0:0(0) ack 6", "> R. 0:0(0) ack 6 win 0", addr,
			     remote(port), 0));
	addr = remote(8080);
	rl_drill_flow_connect(&r, &addr);
	CHECK_EQ("may connect", r.flow->state, DRILL_FLOW_CONNECTING);
	rl_drill_flow_disconnect(&r);
	in("< S 5:5(0) win 9");
	rl_drill_flow_listen(&r);
	CHECK_EQ("listens", in("< S 6:6(0) win 9"), 0);
	CHECK_EQ("a child", r.flow->state, DRILL_FLOW_PASSIVE_RECEIVED);
	CHECK_UEQ("of its own", r.flow->live_remote_isn, 6);
	close_run();
}

TEST(explicit_ports)
{
	open_run();
	listening();
	CHECK_EQ("to nobody", in("< 5000 > 81 S 0:0(0) win 9"), 0);
	CHECK_EQ("the listener is left alone", r.flow->state, DRILL_FLOW_LISTENING);
	CHECK_EQ("an answer", expect("> 81 > 5000 R. 0:0(0) ack 1"), 0);
	CHECK("from there", takes("> 81 > 5000 R. 0:0(0) ack 1", "> R. 0:0(0) ack 1 win 0",
				  local(81), remote(5000), 0));
	CHECK("not from elsewhere", !takes("> 81 > 5000 R. 0:0(0) ack 1",
					   "> R. 0:0(0) ack 1 win 0", local(82),
					   remote(5000), 0));
	CHECK("nor to elsewhere", !takes("> 81 > 5000 R. 0:0(0) ack 1",
					 "> R. 0:0(0) ack 1 win 0", local(81), remote(5001),
					 0));
	CHECK("nor to another host", !takes("> 81 > 5000 R. 0:0(0) ack 1",
					    "> R. 0:0(0) ack 1 win 0", local(81), local(5000),
					    0));
	CHECK("nor of another protocol", !takes("> 81 > 5000 R. 0:0(0) ack 1", "> udp (4)",
						local(81), remote(5000), 0));
	CHECK_EQ("to the listener", in("< 5000 > 8080 S 0:0(0) win 9"), 0);
	CHECK_EQ("a child", r.flow->state, DRILL_FLOW_PASSIVE_RECEIVED);
	CHECK_EQ("with this port", r.flow->remote.port, 5000);
	CHECK("its packets", takes("> S. 0:0(0) ack 1", "> S. 0:0(0) ack 1 win 0", local(8080),
				   remote(5000), 0));
	in("< 5001 > 81 S 0:0(0) win 9");
	CHECK("not now", !takes("> 81 > 5001 R. 0:0(0) ack 1", "> S. 0:0(0) ack 1 win 0",
				local(8080), remote(5000), 0));
	CHECK("nor by other ports", !takes("> 1 > 2 S. 0:0(0) ack 1",
					   "> S. 0:0(0) ack 1 win 0", local(8080),
					   remote(5000), 0));
	CHECK("and those of the line", takes("> 1 > 2 S. 0:0(0) ack 1",
					     "> S. 0:0(0) ack 1 win 0", local(1), remote(2), 0));
	close_run();
}

TEST(datagrams)
{
	struct rill_addr addr;

	open_run();
	addr = remote(8080);
	rl_drill_flow_socket(&r, IPPROTO_UDP);
	CHECK_EQ("no peer", expect("> udp (1)"), -1);
	rl_drill_flow_connect(&r, &addr);
	CHECK_EQ("connected", expect("> udp (1)"), 0);
	CHECK("no TCP", !takes("> udp (1)", "> S 0:0(0) win 1", local(4000), addr, 0));
	CHECK("sent", takes("> udp (1)", "> udp (1)", local(4000), addr, 0));
	CHECK_EQ("port", r.flow->local.port, 4000);
	CHECK_EQ("answered", in("< udp (1)"), 0);
	rl_drill_flow_socket(&r, IPPROTO_UDP);
	addr = local(8080);
	rl_drill_flow_bind(&r, &addr);
	CHECK_EQ("bound", in("< udp (1)"), 0);
	CHECK_EQ("from where it would send to", r.flow->remote.port, 8080);
	CHECK_EQ("chosen ports", in("< udp 5000 > 53 (1)"), 0);
	CHECK_EQ("are not its own", r.flow->local.port, 8080);
	close_run();
}

TEST(icmp_and_fragments)
{
	struct drill_live *l;
	struct rill_addr src, dst;

	open_run();
	src = local(0);
	dst = remote(0);
	CHECK("no socket: to a line for it", takes("> icmp echo_reply [raw (4)]",
						   "> icmp echo_reply [raw (4)]", src, dst, 0));
	CHECK("to another line", !takes("> S 0:0(0)", "> icmp echo_reply [raw (4)]", src, dst, 0));
	CHECK("of another host", !takes("> icmp echo_reply [raw (4)]",
					"> icmp echo_reply [raw (4)]", dst, dst, 0));
	CHECK("to another host", !takes("> icmp echo_reply [raw (4)]",
					"> icmp echo_reply [raw (4)]", src, src, 0));
	r.cfg.anyip = true;
	CHECK("any address is ours", takes("> icmp echo_reply [raw (4)]",
					   "> icmp echo_reply [raw (4)]", dst, dst, 0));
	r.cfg.anyip = false;
	rl_drill_flow_socket(&r, IPPROTO_ICMP);
	CHECK("a ping socket's", takes("> S 0:0(0)", "> icmp echo_reply [raw (4)]", src, dst, 0));
	l = live("> udp (4)", &src, &dst, 0, 0);
	CHECK("a stranger's", !rl_drill_is_ours(&r, l));
	l->bytes[6] = 0x20;
	CHECK("its fragment is anybody's", rl_drill_is_ours(&r, l));
	l->bytes[6] = 0;
	l->bytes[9] = 99;
	CHECK("another protocol", !rl_drill_is_ours(&r, l));
	l->bytes[0] = 0x41;
	CHECK("nothing malformed may leave", rl_drill_is_ours(&r, l));
	free(l);
	established();
	r.cfg.anyip = true;
	src = dst;
	src.port = 8080;
	CHECK("any address", takes("> . 1:1(0) ack 1", "> . 1:1(0) ack 1 win 1", src,
				   r.flow->remote, 0));
	src.port = 8081;
	CHECK("not any port", !takes("> . 1:1(0) ack 1", "> . 1:1(0) ack 1 win 1", src,
				     r.flow->remote, 0));
	close_run();
}

/* ---- timestamps ---- */

static void learn(uint32_t script_val, uint32_t live_val)
{
	struct drill_opt a = { .kind = DRILL_OPT_TS, .value = script_val };
	struct drill_opt b = { .kind = DRILL_OPT_TS, .value = live_val };
	struct drill_packet p = { .tcp = { .opts_kind = DRILL_OPTS_LIST, .opts = &a } };
	struct drill_seen s = { .p.tcp = { .opts_kind = DRILL_OPTS_LIST, .opts = &b } };

	rl_drill_flow_learn_ts(r.flow, &p, &s);
}

TEST(timestamps)
{
	uint32_t v = 0;

	open_run();
	CHECK("nothing is known", !rl_drill_flow_ecr(&r, 100, &v));
	r.cfg.ts_ecr_scaled = true;
	CHECK("nothing to scale by", !rl_drill_flow_ecr(&r, 100, &v));
	for (uint32_t i = 0; i <= DRILL_TS_MAP; i++)
		learn(100 + i, 5000 + 3 * i);
	CHECK("scaled", rl_drill_flow_ecr(&r, 1000, &v));
	CHECK_UEQ("by the first", v, 5900);
	r.cfg.ts_ecr_scaled = false;
	CHECK("unknown", !rl_drill_flow_ecr(&r, 1000, &v));
	CHECK("known", rl_drill_flow_ecr(&r, 110, &v));
	CHECK_UEQ("its live one", v, 5030);
	CHECK("the last", rl_drill_flow_ecr(&r, 100 + DRILL_TS_MAP, &v));
	CHECK_UEQ("its live one", v, 5000 + 3 * DRILL_TS_MAP);
	CHECK("the oldest went", !rl_drill_flow_ecr(&r, 100, &v));
	learn(110, 77);
	CHECK("learned again", rl_drill_flow_ecr(&r, 110, &v));
	CHECK_UEQ("the last counts", v, 77);
	listening();
	in("< S 0:0(0) win 9");
	CHECK("another connection", !rl_drill_flow_ecr(&r, 110, &v));
	close_run();
}

/* ---- aggregation (7.5) ---- */

struct merge {
	const char *name, *want;
	const char *got[4];
	const char *why;		/* NULL: it passes */
};

#define LINE	"> . 1:301(300) ack 1 win 9"

static const struct merge merges[] = {
	{ "one", LINE, { "> . 1:301(300) ack 1 win 9" }, NULL },
	{ "three", LINE, { "> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9",
	  "> . 201:301(100) ack 1 win 9" }, NULL },
	{ "two, the last smaller", LINE, { "> . 1:201(200) ack 1 win 9",
	  "> . 201:301(100) ack 1 win 9" }, NULL },
	{ "two, the last larger", LINE, { "> . 1:101(100) ack 1 win 9",
	  "> . 101:301(200) ack 1 win 9" }, NULL },
	{ "the last one's FIN and PSH", "> FP. 1:201(200) ack 1 win 9",
	  { "> P. 1:101(100) ack 1 win 9", "> FP. 101:201(100) ack 1 win 9" }, NULL },
	{ "not the first one's PSH", "> P. 1:201(200) ack 1 win 9",
	  { "> P. 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9" },
	  "PSH flag: expected set, got clear" },
	{ "the first one's CWR", "> W. 1:201(200) ack 1 win 9",
	  { "> W. 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9" }, NULL },
	{ "not the last one's CWR", "> . 1:201(200) ack 1 win 9",
	  { "> . 1:101(100) ack 1 win 9", "> W. 101:201(100) ack 1 win 9" }, NULL },
	{ "the middle one smaller", LINE, { "> . 1:101(100) ack 1 win 9",
	  "> . 101:151(50) ack 1 win 9", "> . 151:301(150) ack 1 win 9" },
	  "150 of 300 bytes came, and the packet behind them does not continue them: "
	  "only the last may differ in size" },
	{ "too much", LINE, { "> . 1:201(200) ack 1 win 9", "> . 201:401(200) ack 1 win 9" },
	  "payload length: expected 300, got 400 (2 packets taken as one)" },
	{ "too little", LINE, { "> . 1:201(200) ack 1 win 9" },
	  "only 200 of 300 bytes came until 3.000000 (waited for: > . 1:301(300) ack 1 win 9)" },
	{ "a gap", LINE, { "> . 1:201(200) ack 1 win 9", "> . 202:302(100) ack 1 win 9" },
	  "sequence number" },
	{ "another ack", LINE, { "> . 1:201(200) ack 1 win 9", "> . 201:301(100) ack 2 win 9" },
	  "acknowledgment number" },
	{ "another window", LINE, { "> . 1:201(200) ack 1 win 9",
	  "> . 201:301(100) ack 1 win 8" }, "does not continue them: window" },
	{ "other flags", LINE, { "> . 1:201(200) ack 1 win 9", "> E. 201:301(100) ack 1 win 9" },
	  "does not continue them: flags" },
	{ "other options", LINE, { "> . 1:201(200) ack 1 win 9",
	  "> . 201:301(100) ack 1 win 9 <mss 1>" }, "does not continue them: header length" },
	{ "urgent", LINE, { "> . 1:201(200) ack 1 win 9", "> . 201:301(100) ack 1 win 9 urg 1" },
	  "does not continue them: urgent pointer" },
	{ "ToS", LINE, { "> . 1:201(200) ack 1 win 9",
	  "> [ect0] . 201:301(100) ack 1 win 9" }, "does not continue them: ToS" },
	{ "TTL", LINE, { "> . 1:201(200) ack 1 win 9",
	  "> [ttl 9] . 201:301(100) ack 1 win 9" }, "does not continue them: TTL" },
	{ "no data", LINE, { "> . 1:201(200) ack 1 win 9", "> . 201:201(0) ack 1 win 9" },
	  "does not continue them: no data" },
	{ "ICMP", LINE, { "> . 1:201(200) ack 1 win 9", "> icmp echo_reply [raw (4)]" },
	  "only 200 of 300 bytes" },
	{ "nothing to begin with", LINE, { "> . 1:1(0) ack 1 win 9",
	  "> . 1:301(300) ack 1 win 9" }, "payload length: expected 300, got 0" },
	{ "a wrong beginning", LINE, { "> . 1:101(100) ack 5 win 9" },
	  "acknowledgment number: expected 1, got 5" },
	{ "nothing", LINE, { NULL }, "no packet came until 3.000000 (waited for: > . 1:301(300) "
	  "ack 1 win 9)\nthe last packets:" },
};

TEST(aggregation)
{
	for (size_t i = 0; i < ARRAY_LEN(merges); i++) {
		const struct merge *m = &merges[i];
		int err;

		open_run();
		established();
		rl_drill_note_packet(&r, "an earlier one");
		for (int k = 0; k < 4 && m->got[k]; k++)
			leaves(m->got[k]);
		err = rl_drill_packet_out(&r, line(m->want));
		CHECK_EQ(rl_label("%s: %s", m->name, failure), err, m->why ? -1 : 0);
		if (m->why)
			CHECK(rl_label("%s: says so: %s", m->name, failure),
			      strstr(failure, m->why));
		CHECK_EQ(rl_label("%s: history is shown", m->name),
			 strstr(failure, "the last packets:\n  an earlier one") != NULL,
			 m->why != NULL);
		close_run();
	}
}

static void spoil(const char *name, const char *why)
{
	int err = rl_drill_packet_out(&r, line("> . 1:201(200) ack 1 win 9 <...>"));

	CHECK_EQ(name, err, -1);
	CHECK(rl_label("%s: %s", name, failure), strstr(failure, why));
	CHECK("history", strstr(failure, "late") || strstr(failure, "\nthe last packets:"));
	close_run();
}

static void two_pieces(const char *first, const char *second)
{
	open_run();
	established();
	leaves(first);
	leaves(second);
}

TEST(every_piece_is_looked_at)
{
	two_pieces("> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9");
	queue->bytes[50] = 1;
	spoil("payload of the first", "payload: expected zeros");
	two_pieces("> . 1:101(100) ack 1 win 9 <mss 5>", "> . 101:201(100) ack 1 win 9 <mss 5>");
	queue->bytes[41] = 0;
	spoil("options of the first", "malformed options");
	two_pieces("> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9");
	queue->next->bytes[6] = 0x20;
	spoil("a fragment", "does not continue them: protocol");
	two_pieces("> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9");
	queue->next->bytes[0] = 0x41;
	spoil("bytes of the second", "malformed packet: IPv4 header");
	two_pieces("> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9");
	queue->next->at_ns = INT64_C(2000000000);
	spoil("the last one's time", "packet late");
}

/* A merged packet is shown with the options of its last piece. */
TEST(options_of_pieces)
{
	two_pieces("> . 1:101(100) ack 1 win 9 <nop,mss 5,nop,nop,nop>",
		   "> . 101:201(100) ack 1 win 9 <nop,mss 6,nop,nop,nop>");
	CHECK_EQ("the last one's count", rl_drill_packet_out(&r,
		 line("> . 1:201(200) ack 1 win 9 <nop,mss 5,nop,nop,nop>")), -1);
	CHECK(failure, strstr(failure, "option 2: expected mss 5, got mss 6"));
	CHECK(failure, strstr(failure, "options [nop,mss 6,nop,nop,nop], length 200\n"));
	close_run();
}

TEST(strangers_are_passed_over)
{
	struct rill_addr a, b;

	open_run();
	established();
	a = local(9);
	b = remote(9);
	append(live("> udp (3)", &a, &b, 0, 0));
	leaves("> . 1:2(1) ack 1 win 9");
	notes = 0;
	CHECK_EQ(failure, rl_drill_packet_out(&r, line("> . 1:2(1) ack 1")), 0);
	CHECK_EQ("and not noted", notes, 1);
	append(live("> udp (3)", &a, &b, 0, 0));
	CHECK_EQ("nothing else", rl_drill_packet_out(&r, line("> . 2:3(1) ack 1")), -1);
	CHECK(failure, strstr(failure, "); 1 of other connections did\n"));
	close_run();
}

TEST(no_merging_when_strict)
{
	two_pieces("> . 1:101(100) ack 1 win 9", "> . 101:201(100) ack 1 win 9");
	r.cfg.strict_segments = true;
	spoil("the first alone", "payload length: expected 200, got 100");
}

/* What a line awaits in vain is shown in the script's numbers too. */
TEST(untaken_packets)
{
	struct drill_live *l;
	struct rill_addr src, dst;
	char text[200];

	open_run();
	listening();
	in("< S 0:0(0) win 9");
	src = local(8080);
	l = live("> S. 0:0(0) ack 1 win 1 <mss 9>", &src, &r.flow->remote, LOCAL_ISN, 0);
	rl_drill_live_text(&r, l, text, sizeof(text));
	CHECK_STR("a child's", text, "> S. 0:0(0) ack 1 win 1 <mss 9>");
	CHECK_UEQ("learns nothing", r.flow->live_local_isn, 0);
	CHECK("is ours", rl_drill_is_ours(&r, l));
	free(l);
	rl_drill_flow_socket(&r, IPPROTO_TCP);
	dst = remote(8080);
	rl_drill_flow_connect(&r, &dst);
	l = live("> S 0:0(0) win 1", &src, &dst, LOCAL_ISN, 0);
	rl_drill_live_text(&r, l, text, sizeof(text));
	CHECK_STR("a connecting one's", text, "> S 0:0(0) win 1");
	CHECK("is ours", rl_drill_is_ours(&r, l));
	free(l);
	close_run();
}
