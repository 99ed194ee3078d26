/* SPDX-License-Identifier: MIT */
/*
 * rill track - the TCP connections that pass by: on an interface, in a capture file,
 * on standard input.  Reads packets, hands the segments to look/track.c, prints what
 * comes out as soon as it is over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "tools/capture.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/track.h"

#define MAX_CONNS	65536

enum { T_IFACE = 1, T_READ, T_JSON, T_DETAILS, T_MAX, T_GRAPH, T_SNAP };

static const struct opt opts[] = {
	{ T_IFACE, 'i', "interface", "IF", "watch this interface, or \"any\" (the default)" },
	{ T_READ, 'r', "read", "FILE", "read a pcap or pcapng file; - is standard input" },
	{ T_JSON, 'j', "json", NULL, "a line of JSON for each connection" },
	{ T_DETAILS, 'v', "verbose", NULL, "segments, bytes and round-trip times of both ends" },
	{ T_GRAPH, 0, "graph", "CONN FILE", "draw connection CONN (its number, or ADDR:PORT of an "
	  "end): time and sequence numbers, as SVG" },
	{ T_MAX, 0, "max", "N", "keep at most N connections at a time; default 65536" },
	{ T_SNAP, 's', "snaplen", "BYTES", "capture only the first bytes of each packet; "
	  "default 262144" },
	{ 0, 0, NULL, NULL, NULL },
};

struct tracking {
	struct capture_conf conf;
	struct capture	cap;
	struct track	*track;
	struct track_print print;
	struct track_graph *graph;
	const char	*graph_which, *graph_file;
	uint64_t	max_conns, others, cut, fragments;
	bool		no_memory;
};

static bool parse_number(const char *name, const char *arg, uint64_t max, uint64_t *v)
{
	if (parse_u64(arg, 1, max, v))
		return true;
	complain("track: --%s %s: give a number from 1 to %" PRIu64, name, arg, max);
	return false;
}

/* Option --graph has a second word. */
static bool take_graph(struct tracking *t, struct optwalk *w)
{
	t->graph_which = w->arg;
	if (w->at == w->argc) {
		complain("track: --graph %s: say into which file, e.g. --graph %s conn.svg", w->arg,
			 w->arg);
		return false;
	}
	t->graph_file = w->argv[w->at++];
	return true;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct tracking *t)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	bool ok = true;
	uint64_t v;
	int id;

	while (ok && (id = opt_next(&w)) != OPTW_END) {
		switch (id) {
		case T_IFACE:
			t->conf.iface = w.arg;
			break;
		case T_READ:
			t->conf.file = w.arg;
			break;
		case T_JSON:
			t->print.json = true;
			break;
		case T_DETAILS:
			t->print.details = true;
			break;
		case T_GRAPH:
			ok = take_graph(t, &w);
			break;
		case T_MAX:
			ok = parse_number("max", w.arg, 1u << 24, &t->max_conns);
			break;
		case T_SNAP:
			ok = parse_number("snaplen", w.arg, 262144, &v);
			if (ok)
				t->conf.snaplen = (int)v;
			break;
		case OPTW_OPERAND:
			ok = capture_filter(&t->conf, w.arg);
			if (!ok)
				complain("track: the filter is too long");
			break;
		default:
			return opt_status(id);
		}
	}
	if (ok && t->conf.iface && t->conf.file) {
		complain("track: either -i or -r, not both");
		ok = false;
	}
	return ok ? -1 : EXIT_MISUSE;
}

static void on_conn(void *ctx, const struct track_conn *c)
{
	struct tracking *t = ctx;

	track_put(&t->print, c);
	if (t->graph)
		graph_conn(t->graph, c);
}

static void on_segment(void *ctx, const struct track_conn *c, const struct look_seg *s, int from,
		       unsigned marks)
{
	graph_segment(((struct tracking *)ctx)->graph, c, s, from, marks);
}

static void on_packet(void *ctx, const struct packet *p)
{
	struct tracking *t = ctx;
	struct look_seg s;

	switch (look_seg(&s, t->cap.link, p->data, p->n, p->len)) {
	case LOOK_TCP:
		s.at_ns = p->at_ns;
		if (!s.copy && track_segment(t->track, &s) < 0)
			t->no_memory = t->cap.stop = true;
		break;
	case LOOK_OTHER:
		t->others++;
		break;
	case LOOK_FRAGMENT:
		t->fragments++;
		break;
	case LOOK_CUT:
		t->cut++;
		break;
	}
}

/* Connections that ended show although nothing more passes. */
static void on_idle(void *ctx)
{
	struct tracking *t = ctx;

	track_tick(t->track, capture_now_ns());
	fflush(stdout);
}

static bool start(struct tracking *t)
{
	struct track_conf conf = {
		.max_conns = (unsigned)t->max_conns, .ctx = t, .conn = on_conn,
	};

	if (getrandom(conf.seed, sizeof(conf.seed), 0) < 0)
		conf.seed[0] = (uint64_t)capture_now_ns();
	if (t->graph_which) {
		t->graph = graph_new(t->graph_which);
		conf.seg = on_segment;
		if (!t->graph)
			return false;
	}
	t->track = track_new(&conf);
	return t->track != NULL;
}

/* What was read, and what could not be seen, beside the table. */
static void put_totals(struct tracking *t)
{
	const struct track_totals *n = track_totals(t->track);
	uint64_t lost = capture_lost(&t->cap);

	fprintf(stderr, "%" PRIu64 " packets, %" PRIu64 " TCP segments, %" PRIu64 " connections",
		t->cap.packets, n->segments, n->conns);
	if (n->evicted)
		fprintf(stderr, "; %" PRIu64 " forgotten early, the table was full (--max)",
			n->evicted);
	if (n->late)
		fprintf(stderr, "; %" PRIu64 " segments after the last word", n->late);
	if (t->fragments)
		fprintf(stderr, "; %" PRIu64 " fragments not read", t->fragments);
	if (t->cut)
		fprintf(stderr, "; %" PRIu64 " packets cut too short to read", t->cut);
	if (lost)
		fprintf(stderr, "; %" PRIu64 " packets lost: the kernel's buffer was full", lost);
	fputc('\n', stderr);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct tracking t = { .max_conns = MAX_CONNS };
	int status = parse(cmd, argc, argv, &t);

	if (status >= 0)
		return status;
	t.conf.cmd = "track";
	status = capture_open(&t.cap, &t.conf);
	if (status)
		return status;
	if (start(&t)) {
		status = capture_run(&t.cap, on_packet, on_idle, &t);
		track_finish(t.track);
		if (!t.print.json)
			put_totals(&t);
	}
	if (!t.track || t.no_memory) {
		complain("track: out of memory; a smaller --max needs less");
		status = EXIT_FAILED;
	}
	if (t.graph && t.track && !graph_write(t.graph, t.graph_file))
		status = EXIT_FAILED;
	graph_free(t.graph);
	track_free(t.track);
	capture_close(&t.cap);
	return out_finish(status);
}

const struct cmd cmd_track = {
	.name = "track",
	.args = "[FILTER]",
	.help = "the TCP connections that pass by, and what happened to them",
	.about = "Follows the TCP connections on an interface or in a capture file and prints\n"
		 "a line for each when it is over: the states of both ends, who opened it, how\n"
		 "long the handshake took, round-trip time, bytes and segments sent again each\n"
		 "way, who closed first and how.  Trouble follows on lines of its own: why\n"
		 "segments were sent again, data overtaken, duplicate ACKs, closed windows, the\n"
		 "cause of a reset.\n"
		 "\n"
		 "FILTER is libpcap's (pcap-filter(7)).  States are drawn as in RFC 9293: what is\n"
		 "sent counts as arrived until it shows that it did not.  What passed twice was\n"
		 "sent again; Wireshark calls some of it out-of-order, it goes by time alone.  At\n"
		 "most --max connections are kept in memory; when there are more, the one that\n"
		 "was silent longest is printed as it stands and counted.  Connections have the\n"
		 "numbers of Wireshark's tcp.stream when nothing is filtered out.",
	.example = "  rill track -r capture.pcapng tcp port 80",
	.opts = opts,
	.run = run,
};
