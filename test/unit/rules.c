/* SPDX-License-Identifier: MIT */
/*
 * Tests of look/rules*.c on made-up facts: each cause, and beside it the case that
 * looks like it and is another, or none.  [C1] to [C13]
 */
#include <stdio.h>
#include <stdlib.h>

#include "rl_test.h"
#include "look/lang.h"
#include "look/rules.h"

#define SOCKS	4096

/* A host, made up. */
static struct host {
	struct rill_sock	sock[SOCKS];
	struct rill_owner	owner[4];
	struct rl_program	program[4];
	struct rl_neighbour	neigh[2];
	struct rl_device	device;
	struct rl_probe		probe[64];
	struct rl_past		past[4 * SOCKS];
	struct rl_facts		f;
} h;

static struct rl_findings found;
static struct rl_limits limits;

static void fresh(enum rill_source source)
{
	memset(&h, 0, sizeof(h));
	h.f = (struct rl_facts){ .source = source, .stack = source == RILL_SRC_RILL ? "web" : "",
				 .pid = source == RILL_SRC_RILL ? 77 : 0, .sock = h.sock,
				 .program = h.program, .neigh = h.neigh, .device = &h.device,
				 .probe = h.probe };
	h.f.sysctl[FS_PORT_FIRST] = 40000;
	h.f.sysctl[FS_PORT_LAST] = 40999;
	h.f.sysctl[FS_SOMAXCONN] = 4096;
	h.owner[0] = (struct rill_owner){ 10, 5, "server" };
	h.program[0] = (struct rl_program){ .pid = 10, .comm = "server", .exe = "/usr/sbin/server",
					    .nfd = 50, .fd_limit = 1024 };
	h.f.nprogram = 1;
	rl_limits_default(&limits);
}

static void at(struct rill_addr *a, unsigned net, unsigned host, unsigned port)
{
	memset(a, 0, sizeof(*a));
	a->ip.b[10] = a->ip.b[11] = 0xff;
	a->ip.b[12] = (uint8_t)net;
	a->ip.b[13] = net ? 1 : 0;
	a->ip.b[14] = (uint8_t)(host >> 8);
	a->ip.b[15] = (uint8_t)host;
	a->port = (uint16_t)port;
}

static struct rill_sock *add(int state, unsigned lport, unsigned peer, unsigned pport)
{
	struct rill_sock *s = &h.sock[h.f.n++];

	s->source = (uint8_t)h.f.source;
	s->stack = h.f.stack;
	s->pid = h.f.pid;
	s->proto = 6;
	s->state = (uint8_t)state;
	s->age_ms = 5000;
	s->age_least = true;
	s->keepalive = s->user_timeout_ms = -1;
	s->accept_overflows = -1;
	s->cookie = h.f.n;
	s->has_info = true;
	s->info.last_ack_recv = 5000;
	s->info.snd_wnd = s->info.rcv_wnd = 65535;
	s->owners = h.owner;
	s->nowners = h.f.source == RILL_SRC_KERNEL;
	at(&s->local, 10, 1, lport);
	at(&s->peer, 10, peer, pport);
	return s;
}

static struct rill_sock *listener(unsigned port, unsigned waiting, unsigned backlog)
{
	struct rill_sock *s = add(RILL_LISTEN, port, 0, 0);

	at(&s->local, 0, 0, port);
	at(&s->peer, 0, 0, 0);
	s->recv_q = waiting;
	s->send_q = backlog;
	return s;
}

static void half_open(unsigned n, unsigned peers, unsigned tries)
{
	for (unsigned i = 0; i < n; i++) {
		struct rill_sock *s = add(RILL_SYN_RECV, 80, 1000 + i % peers, 1024 + i);

		s->half_open = true;
		s->tries = tries;
		s->nowners = 0;
		s->has_info = false;
	}
}

/* What is there now was so already when the watch began. */
static void watch(void)
{
	h.f.watched_ms = 1000;
	h.f.npast = sizeof(h.past) / sizeof(h.past[0]);
	h.f.past = h.past;
	memset(h.past, 0, sizeof(h.past));
	for (size_t i = 0; i < h.f.n; i++)
		rl_facts_remember(h.past, h.f.npast, &h.sock[i]);
}

static void judge(void)
{
	rl_findings_free(&found);
	if (!rl_findings_init(&found) || rl_diagnose(&h.f, &limits, NULL, &found) < 0)
		abort();
	rl_findings_sort(&found);
}

static const char *first(void)
{
	return found.n ? rl_cause_name(found.list[0].cause) : "nothing";
}

/* ---- one function a case ---- */

static void exposed(void) { listener(6379, 0, 511); }
static void ordinary(void) { listener(443, 0, 511); listener(22, 0, 128); }

static void exposed_locally(void)
{
	at(&listener(6379, 0, 511)->local, 127, 1, 6379);
}

static void from_tmp(void)
{
	listener(4444, 0, 1);
	strcpy(h.program[0].exe, "/tmp/x");
	h.program[0].foreign = true;
}

static void upgraded(void)
{
	listener(4444, 0, 1);
	h.program[0].deleted = true;
}

static void dead(void)
{
	for (unsigned i = 0; i < 30; i++)
		add(RILL_SYN_SENT, 40000 + i, 9, 80)->tries = 2;
}

static void dead_neighbour(void)
{
	dead();
	h.neigh[0] = (struct rl_neighbour){ h.sock[0].peer.ip, RL_NEIGH_DEAD };
	h.f.nneigh = 1;
}

static void service(void)
{
	dead();
	add(RILL_ESTABLISHED, 41000, 9, 22);
}

static void service_by_neighbour(void)
{
	dead_neighbour();
	h.neigh[0].state = RL_NEIGH_ALIVE;
}

static void scan(void)
{
	for (unsigned i = 0; i < 100; i++)
		add(RILL_SYN_SENT, 40000 + i, 100 + i, 22);
}

static void few_syns(void)
{
	for (unsigned i = 0; i < 9; i++)
		add(RILL_SYN_SENT, 40000 + i, 9, 80);
}

static void filtered_here(void)
{
	dead();
	h.f.grown[FC_RETRANS_FAIL] = h.f.ctr[FC_RETRANS_FAIL] = 30;
}

static void filtered_there(void)
{
	service();
	h.f.grown[FC_UNREACHS] = h.f.ctr[FC_UNREACHS] = 10;
}

/* ICMP of another time says nothing of these. */
static void long_up(void)
{
	dead();
	h.f.ctr[FC_UNREACHS] = h.f.ctr[FC_RETRANS_FAIL] = 500;
	h.f.ctr[FC_ACTIVE_OPENS] = h.f.ctr[FC_SYN_RETRANS] = 100000;
}

static void few_answers(void)
{
	dead();
	h.f.ctr[FC_UNREACHS] = 7;		/* ICMP is rationed */
	h.f.ctr[FC_ACTIVE_OPENS] = h.f.ctr[FC_SYN_RETRANS] = 30;
}

static void flood(void) { listener(80, 0, 128); half_open(200, 200, 1); }
static void flood_of_few_nets(void) { listener(80, 0, 4096); half_open(1000, 250, 1); }
static void lost(void) { listener(80, 0, 128); half_open(60, 3, 2); }
static void slow(void) { listener(80, 129, 128); half_open(40, 40, 1); }
static void backlog(void) { listener(80, 9, 8); half_open(4, 4, 1); }
static void usual(void) { listener(80, 0, 128); half_open(15, 15, 1); }
static void busy(void) { listener(80, 3, 4096); half_open(300, 300, 0); }

static void established(unsigned n, bool idle)
{
	listener(80, 0, 4096);
	for (unsigned i = 0; i < n; i++) {
		struct rill_sock *s = add(RILL_ESTABLISHED, 80, 2000 + i % 50, 1024 + i);

		s->info.bytes_received = idle ? 0 : 1000;
		s->info.data_segs_in = !idle;
		if (!idle)
			s->cookie += SOCKS;	/* not there before: it moves */
	}
}

static void load(void) { established(700, false); }
static void not_many(void) { established(599, false); }

static void ask(bool answered)
{
	for (unsigned i = 0; i < 20; i++)
		h.probe[i] = (struct rl_probe){ h.sock[i + 1].cookie, answered };
	h.f.nprobe = 20;
}

static void gone(void) { established(20, true); ask(false); }

static void quiet(void)
{
	established(20, true);
	ask(true);
	for (unsigned i = 0; i < 20; i++)
		h.sock[i + 1].info.last_ack_recv = 3600 * 1000;
}

static void kept_alive(void)
{
	quiet();
	h.f.nprobe = 0;
	for (unsigned i = 0; i < 20; i++)
		h.sock[i + 1].timer = RILL_TMR_KEEP;
}

static void gone_by_keepalive(void)
{
	kept_alive();
	for (unsigned i = 0; i < 20; i++)
		h.sock[i + 1].tries = 3;
}

static void stay(int state, unsigned n, unsigned tries, int timer)
{
	listener(80, 0, 128);
	for (unsigned i = 0; i < n; i++) {
		struct rill_sock *s = add(state, 80, 3000 + i % 7, 1024 + i);

		s->tries = tries;
		s->timer = (uint8_t)timer;
		s->send_q = state == RILL_FIN_WAIT1 ? 1000 : 0;
	}
}

static void close_wait(void) { stay(RILL_CLOSE_WAIT, 50, 0, RILL_TMR_NONE); }
static void few_close_wait(void) { stay(RILL_CLOSE_WAIT, 9, 0, RILL_TMR_NONE); }

static void passing_close_wait(void)
{
	close_wait();
	for (unsigned i = 1; i < h.f.n; i++) {
		h.sock[i].cookie += SOCKS;
		h.sock[i].age_ms = 5;
	}
}

static void fw1_gone(void) { stay(RILL_FIN_WAIT1, 20, 2, RILL_TMR_RTX); }

static void fw1_window(void)
{
	stay(RILL_FIN_WAIT1, 20, 2, RILL_TMR_PERSIST);
}

static void fw2(void) { stay(RILL_FIN_WAIT2, 60, 0, RILL_TMR_NONE); }
static void last_ack(void) { stay(RILL_LAST_ACK, 20, 3, RILL_TMR_RTX); }
static void closing(void) { stay(RILL_CLOSING, 20, 3, RILL_TMR_RTX); }

static void time_wait(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		add(RILL_TIME_WAIT, 40000 + i, 9, 5432)->nowners = 0;
		h.sock[i].age_least = false;
	}
}

static void ports(void) { time_wait(1000); }
static void ports_left(void) { time_wait(700); }
static void ports_reused(void) { time_wait(1000); h.f.sysctl[FS_TW_REUSE] = 1; }

static void servers_time_wait(void)
{
	listener(80, 0, 128);
	for (unsigned i = 0; i < 3000; i++)
		add(RILL_TIME_WAIT, 80, 9, 1024 + i)->nowners = 0;
}

static void no_route(void) { h.f.grown[FC_NO_ROUTES] = h.f.ctr[FC_NO_ROUTES] = 5; }
static void old_no_route(void) { h.f.ctr[FC_NO_ROUTES] = 5; }

static void refused(void)
{
	h.f.ctr[FC_ATTEMPT_FAILS] = h.f.grown[FC_ATTEMPT_FAILS] = 20;
	h.f.grown[FC_ACTIVE_OPENS] = 20;
}

static void some_fail(void)
{
	refused();
	h.f.grown[FC_ACTIVE_OPENS] = 1000;
}

static void descriptors(void) { listener(80, 3, 128); h.program[0].nfd = 1024; }
static void nearly_half(void) { listener(80, 3, 128); h.program[0].nfd = 500; }

static void overload(void)
{
	h.device = (struct rl_device){ "eth0", 5000, 500, 8000, false };
	h.f.ndevice = 1;
}

static void dropped_once(void)
{
	overload();
	h.device.grown = 0;
}

static void sending(int timer, unsigned tries, unsigned window)
{
	for (unsigned i = 0; i < 3; i++) {
		struct rill_sock *s = add(RILL_ESTABLISHED, 41000 + i, 9, 9000);

		s->send_q = 50000;
		s->timer = (uint8_t)timer;
		s->tries = tries;
		s->info.snd_wnd = window;
		s->info.data_segs_out = 1000;
	}
}

static void zero_window(void) { sending(RILL_TMR_PERSIST, 1, 0); }
static void sends_to_nobody(void) { sending(RILL_TMR_RTX, 5, 65535); }
static void just_sent(void) { sending(RILL_TMR_RTX, 0, 65535); }

static void unread(void)
{
	listener(80, 0, 128);
	for (unsigned i = 0; i < 5; i++) {
		struct rill_sock *s = add(RILL_ESTABLISHED, 80, 9, 2000 + i);

		s->recv_q = 200000;
		s->info.bytes_received = 200000;
	}
}

static void little_unread(void)
{
	unread();
	for (unsigned i = 1; i < h.f.n; i++)
		h.sock[i].recv_q = 100;
}

static const struct {
	const char *name;
	void (*make)(void);
	const char *cause;
	unsigned count;
} rows[] = {
	{ "Redis on all addresses", exposed, "listen-open", 1 },
	{ "ordinary servers", ordinary, "nothing", 0 },
	{ "Redis for this host", exposed_locally, "nothing", 0 },
	{ "a program from /tmp", from_tmp, "listen-open", 1 },
	{ "its file was replaced", upgraded, "nothing", 0 },
	{ "no answer", dead, "destination-dead", 30 },
	{ "no neighbour", dead_neighbour, "destination-dead", 30 },
	{ "another port answers", service, "service-dead", 30 },
	{ "its link answers", service_by_neighbour, "service-dead", 30 },
	{ "100 addresses", scan, "scan", 100 },
	{ "9 SYNs", few_syns, "nothing", 0 },
	{ "cannot leave", filtered_here, "filtered", 30 },
	{ "ICMP comes back", filtered_there, "filtered", 30 },
	{ "no answer, and ICMP long ago", long_up, "destination-dead", 30 },
	{ "ICMP comes back now and then", few_answers, "filtered", 30 },
	{ "200 sources", flood, "syn-flood", 200 },
	{ "250 sources, 1000 peers", flood_of_few_nets, "syn-flood", 1000 },
	{ "3 sources, 60 peers", lost, "synack-lost", 60 },
	{ "full accept queue, 40 half open", slow, "slow-accept", 40 },
	{ "full accept queue, 4 half open", backlog, "backlog-full", 9 },
	{ "15 half open are usual", usual, "nothing", 0 },
	{ "300 that are answered at once", busy, "nothing", 0 },
	{ "700 in use", load, "load", 700 },
	{ "599 in use", not_many, "nothing", 0 },
	{ "asked and silent", gone, "half-open", 20 },
	{ "keepalive unanswered", gone_by_keepalive, "half-open", 20 },
	{ "asked and there", quiet, "no-keepalive", 20 },
	{ "idle with keepalive", kept_alive, "nothing", 0 },
	{ "CLOSE_WAIT that stay", close_wait, "close-wait-leak", 50 },
	{ "9 CLOSE_WAIT", few_close_wait, "nothing", 0 },
	{ "CLOSE_WAIT that pass", passing_close_wait, "nothing", 0 },
	{ "FIN unanswered", fw1_gone, "fin-wait-1-gone", 20 },
	{ "FIN behind a closed window", fw1_window, "fin-wait-1-window", 20 },
	{ "FIN_WAIT_2", fw2, "fin-wait-2", 60 },
	{ "LAST_ACK", last_ack, "last-ack", 20 },
	{ "CLOSING", closing, "closing", 20 },
	{ "all ports in TIME_WAIT", ports, "time-wait-ports", 1000 },
	{ "70% of them", ports_left, "nothing", 0 },
	{ "they may be taken again", ports_reused, "nothing", 0 },
	{ "a server's TIME_WAIT", servers_time_wait, "nothing", 0 },
	{ "no route", no_route, "no-route", 5 },
	{ "no route, long ago", old_no_route, "nothing", 0 },
	{ "all tries fail at once", refused, "refused", 20 },
	{ "few tries fail", some_fail, "nothing", 0 },
	{ "no descriptors left", descriptors, "no-descriptors", 1024 },
	{ "half of them left", nearly_half, "nothing", 0 },
	{ "a queue drops", overload, "device-overload", 500 },
	{ "a queue dropped", dropped_once, "nothing", 0 },
	{ "window probes", zero_window, "zero-window", 3 },
	{ "5 retransmissions", sends_to_nobody, "half-open-sending", 3 },
	{ "just sent", just_sent, "nothing", 0 },
	{ "200 kB unread", unread, "not-reading", 5 },
	{ "100 bytes unread", little_unread, "nothing", 0 },
};

static void moving(void)
{
	for (size_t i = 0; i < h.f.n; i++)	/* those are new ones */
		if (h.sock[i].cookie > SOCKS)
			for (size_t k = 0; k < h.f.npast; k++)
				if (h.past[k].cookie == h.sock[i].cookie)
					h.past[k].bytes = h.past[k].state = 99;
}

static void all_rows(enum rill_source source)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool kernel_only = rows[i].make == from_tmp || rows[i].make == overload ||
				   rows[i].make == ports_reused || rows[i].make == descriptors;

		if (source == RILL_SRC_RILL && kernel_only)
			continue;
		fresh(source);
		rows[i].make();
		watch();
		moving();
		judge();
		CHECK_STR(rows[i].name, first(), rows[i].cause);
		if (!rows[i].count || !found.n)
			continue;
		CHECK_UEQ(rows[i].name, found.list[0].count, rows[i].count);
		CHECK(rows[i].name, found.list[0].nevidence && found.list[0].nadvice);
		CHECK(rows[i].name, *found.list[0].summary);
	}
}

TEST(causes_of_the_kernel) { all_rows(RILL_SRC_KERNEL); }
TEST(causes_of_a_stack) { all_rows(RILL_SRC_RILL); }

TEST(who_and_how_much)
{
	struct rl_finding *f = NULL;

	fresh(RILL_SRC_KERNEL);
	close_wait();
	for (unsigned i = 1; i < h.f.n; i++)
		h.sock[i].recv_q = 101;		/* with the FIN */
	h.sock[3].age_ms = 60000;
	watch();
	judge();
	REQUIRE("found", found.n > 0);
	f = &found.list[0];
	CHECK_EQ("program", f->pid, 10);
	CHECK_STR("its name", f->program, "server");
	CHECK_EQ("port", f->port, 80);
	CHECK_EQ("critical", f->severity, RL_CRITICAL);
	CHECK("unread", strstr(f->evidence[4], "5000 bytes"));
	CHECK("the oldest", strstr(f->evidence[3], "at least 60.0 s"));
}

static bool says(const struct rl_finding *f, const char *text)
{
	bool any = strstr(f->summary, text) != NULL;

	for (unsigned i = 0; i < f->nevidence; i++)
		any |= strstr(f->evidence[i], text) != NULL;
	return any;
}

TEST(descriptors_are_in_order_and_short)
{
	struct rl_tally_row r = { .n = 9, .nfd = 9,
				  .fd = { 37, 7, 34, 36, 21, 35, 8, 9, 22 } };
	char text[RL_WHO];

	CHECK_STR("ranges", rl_fd_text(&r, text), "7-9, 21, 22, 34-37");
	r.n = 10;
	CHECK_STR("not all were kept", rl_fd_text(&r, text), "7-9, 21, 22, 34-37, ...");
	for (r.nfd = 0; r.nfd < RL_TALLY_FDS; r.nfd++)
		r.fd[r.nfd] = 2000000000 - 2 * (int)r.nfd;
	r.n = r.nfd;
	rl_fd_text(&r, text);
	CHECK("too many to say", strlen(text) < RL_WHO && strstr(text, ", ...") &&
	      !strncmp(text, "1999999874, 1999999876, ", 24));
	r.nfd = 0;
	CHECK_STR("none", rl_fd_text(&r, text), "");
}

TEST(the_lowest_descriptors_are_kept)
{
	struct rl_tally *t = rl_tally_new();
	struct rl_key key = { .pid = 10 };
	struct rl_tally_row *r = NULL;
	char text[RL_WHO];

	fresh(RILL_SRC_KERNEL);
	close_wait();
	REQUIRE("a tally", t);
	for (unsigned i = 0; i < 200; i++) {
		struct rill_owner o = { 10, (int)(3 + i * 77 % 200), "server" };
		struct rill_sock s = h.sock[0];

		s.owners = &o;
		r = rl_tally_add(t, &h.f, &key, &s);
		REQUIRE("counted", r);
	}
	CHECK_STR("in a row", rl_fd_text(r, text), "3-66, ...");
	rl_tally_free(t);
}

TEST(who_waits_needs_no_keepalive)
{
	fresh(RILL_SRC_KERNEL);
	quiet();
	for (unsigned i = 0; i < h.f.n; i++)
		h.sock[i].nowners = 0;
	watch();
	judge();
	CHECK_EQ("not yet the program's", found.n, 0);
	for (unsigned i = 0; i < h.f.n; i++)
		h.sock[i].inode = 1000 + i;
	judge();
	CHECK_EQ("another user's", found.n, 1);
}

TEST(who_without_a_program)
{
	struct rl_finding *f = NULL;

	fresh(RILL_SRC_KERNEL);
	close_wait();
	for (unsigned i = 0; i < h.f.n; i++)
		h.sock[i].nowners = 0;
	judge();
	REQUIRE("found", found.n > 0);
	f = &found.list[0];
	CHECK("in the accept queue", says(f, "before a program accepted") &&
	      says(f, "no program yet (waits to be accepted)"));
	for (unsigned i = 0; i < h.f.n; i++)
		h.sock[i].inode = 1000 + i;
	judge();
	REQUIRE("found again", found.n > 0);
	f = &found.list[0];
	CHECK("another user's", says(f, ": an unknown program does not close") &&
	      !says(f, "accepted"));
}

TEST(a_limit_is_raised_only_where_it_is_in_the_way)
{
	bool raise = false;

	for (unsigned limit = 0; limit < 2; limit++) {
		fresh(RILL_SRC_KERNEL);
		listener(80, 129, 128);
		h.f.sysctl[FS_SOMAXCONN] = limit ? 128 : 4096;
		judge();
		REQUIRE("found", found.n > 0);
		raise = false;
		for (unsigned i = 0; i < found.list[0].nadvice; i++)
			raise |= strstr(found.list[0].advice[i].command, "somaxconn") != NULL;
		CHECK_EQ("somaxconn", raise, limit);
	}
}

TEST(a_watch_is_asked_for_only_where_it_helps)
{
	fresh(RILL_SRC_KERNEL);
	ordinary();
	judge();
	CHECK("nothing to see", !found.wants_watch && !found.wants_probe);
	close_wait();
	judge();
	CHECK("CLOSE_WAIT may pass", found.wants_watch);
	fresh(RILL_SRC_KERNEL);
	established(20, true);
	watch();
	judge();
	CHECK("are they still there?", found.wants_probe);
	CHECK_STR("not yet", first(), "no-keepalive");
}

TEST(limits_of_established)
{
	static const struct {
		const char *name;
		unsigned n;
		enum rl_severity sev;
	} at_limit[] = {
		{ "600", 600, RL_WARNING }, { "799", 799, RL_WARNING }, { "800", 800, RL_CRITICAL },
	};

	for (size_t i = 0; i < 3; i++) {
		fresh(RILL_SRC_KERNEL);
		established(at_limit[i].n, false);
		watch();
		moving();
		judge();
		REQUIRE(at_limit[i].name, found.n == 1);
		CHECK_EQ(at_limit[i].name, found.list[0].severity, at_limit[i].sev);
	}
}

TEST(worst_first)
{
	fresh(RILL_SRC_KERNEL);
	few_syns();
	close_wait();
	stay(RILL_CLOSING, 5, 1, RILL_TMR_RTX);
	watch();
	judge();
	REQUIRE("two", found.n == 2);
	CHECK_STR("critical first", first(), "close-wait-leak");
}

/* No advice names a setting that does harm without saying so. */
TEST(dangers_are_said)
{
	bool recycle = false, fin = false;

	fresh(RILL_SRC_KERNEL);
	ports();
	watch();
	judge();
	REQUIRE("found", found.n > 0);
	for (unsigned i = 0; i < found.list[0].nadvice; i++) {
		const struct rl_advice *a = &found.list[0].advice[i];

		CHECK("never as a command", !strstr(a->command, "tcp_tw_recycle") &&
		      !strstr(a->command, "tcp_fin_timeout"));
		recycle |= strstr(a->text, "never: net.ipv4.tcp_tw_recycle") &&
			   strstr(a->danger, "4.12") && strstr(a->danger, "NAT");
		fin |= strstr(a->text, "tcp_fin_timeout does not shorten TIME_WAIT") != NULL;
	}
	CHECK("tcp_tw_recycle", recycle);
	CHECK("tcp_fin_timeout", fin);
}

TEST(languages)
{
	CHECK("Chinese", rl_lang_set("zh_CN.UTF-8"));
	CHECK_STR("name", rl_lang_name(), "zh_CN");
	CHECK("translated", strcmp(rl_tr("nothing found"), "nothing found") != 0);
	CHECK_STR("what is in no catalogue", rl_tr("no such text"), "no such text");
	fresh(RILL_SRC_KERNEL);
	close_wait();
	watch();
	judge();
	CHECK("a finding speaks it", found.n && (found.list[0].summary[4] & 0x80));
	CHECK("unknown", !rl_lang_set("tlh"));
	CHECK_STR("and nothing changes", rl_lang_name(), "zh_CN");
	CHECK("by its short name", rl_lang_set("zh"));
	CHECK("back", rl_lang_set("C"));
	CHECK_STR("English", rl_tr("nothing found"), "nothing found");
	rl_findings_free(&found);
}
