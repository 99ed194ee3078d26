/* SPDX-License-Identifier: MIT */
/*
 * rill dump - packets as they pass, in tcpdump's notation: on an interface, in a
 * capture file, or at the device of a running stack; saved as pcapng with the owning
 * program of each; or drawn as a ladder between two ends with their states.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/dump.h"
#include "tools/out.h"

enum {
	D_IFACE = 1, D_READ, D_WRITE, D_COUNT, D_NUMERIC, D_SNAP, D_QUIET, D_ABSOLUTE, D_STACK,
	D_WHO, D_LADDER, D_SVG,
};

static const struct opt opts[] = {
	{ D_IFACE, 'i', "interface", "IF", "capture on this interface, or \"any\" (the default)" },
	{ D_READ, 'r', "read", "FILE", "read a pcap or pcapng file; - is standard input" },
	{ D_STACK, 0, "stack", "NAME", "what passes the device of this running stack, with the "
	  "state, window and drop reason it has for each segment" },
	{ D_WRITE, 'w', "write", "FILE", "write pcapng instead of text; - is standard output" },
	{ D_COUNT, 'c', "count", "N", "end after N packets" },
	{ D_NUMERIC, 'n', "numeric", NULL, "ports as numbers; addresses always are" },
	{ D_QUIET, 'q', "quiet", NULL, "protocol and length only" },
	{ D_ABSOLUTE, 'S', "absolute", NULL, "sequence numbers as they are in the header" },
	{ D_SNAP, 's', "snaplen", "BYTES", "the first bytes of each packet only; default 262144" },
	{ D_WHO, 0, "who", NULL, "behind each segment its program here, of Rill's sockets state "
	  "and window too" },
	{ D_LADDER, 0, "ladder", NULL, "TCP as a ladder: arrows between both ends, their states" },
	{ D_SVG, 0, "svg", "FILE", "the ladder of the first connection as a picture" },
	{ 0, 0, NULL, NULL, NULL },
};

struct dump {
	struct capture_conf conf;
	struct capture	cap;
	struct line_conf line;
	const char	*write, *svg, *stack;
	bool		who, ladder, live;
	uint64_t	count, packets;
	struct pcapng	*out;
	struct track	*track;		/* for the ladder */
	struct ladder	lad;
	const char	*note;		/* of the packet at hand */
	bool		failed, out_failed;
};

static bool number(const char *name, const char *arg, uint64_t max, uint64_t *v)
{
	if (parse_u64(arg, 1, max, v))
		return true;
	complain("dump: --%s %s: give a number from 1 to %" PRIu64, name, arg, max);
	return false;
}

/* Options without a value of their own. */
static bool flag(struct dump *d, int id)
{
	bool *const flags[] = {
		[D_NUMERIC] = &d->line.numeric, [D_QUIET] = &d->line.quiet,
		[D_ABSOLUTE] = &d->line.absolute, [D_WHO] = &d->who, [D_LADDER] = &d->ladder,
	};

	if (id < 0 || id >= (int)ARRAY_LEN(flags) || !flags[id])
		return false;
	*flags[id] = true;
	return true;
}

static bool word(struct dump *d, int id, const char *arg)
{
	const char **const words[] = {
		[D_IFACE] = &d->conf.iface, [D_READ] = &d->conf.file, [D_WRITE] = &d->write,
		[D_STACK] = &d->stack, [D_SVG] = &d->svg,
	};

	if (id < 0 || id >= (int)ARRAY_LEN(words) || !words[id])
		return false;
	*words[id] = arg;
	return true;
}

/* Return: what speaks against the combination, or NULL. */
static const char *contradiction(const struct dump *d)
{
	if ((d->conf.iface != NULL) + (d->conf.file != NULL) + (d->stack != NULL) > 1)
		return "give one of -i, -r and --stack";
	if (d->stack && *d->conf.filter)
		return "a filter goes with -i or -r, a stack's stream has none";
	if (d->stack && d->conf.snaplen)
		return "-s goes with -i or -r, a stack's stream has the headers only";
	if (d->write && (d->ladder || d->svg))
		return "-w writes packets, --ladder and --svg draw them: give one";
	if (d->who && (d->conf.file || d->stack))
		return "--who needs -i: whose packets those of a file were is not known, and a "
		       "stack's are its own";
	return NULL;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct dump *d)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	const char *why;
	uint64_t v = 0;
	int id;

	while ((id = opt_next(&w)) != OPTW_END) {
		bool ok = true;

		if (id == OPTW_OPERAND) {
			ok = capture_filter(&d->conf, w.arg);
			if (!ok)
				complain("dump: the filter is too long");
		} else if (id == D_COUNT) {
			ok = number("count", w.arg, INT64_MAX, &d->count);
		} else if (id == D_SNAP) {
			ok = number("snaplen", w.arg, 262144, &v);
			d->conf.snaplen = (int)v;
		} else if (!flag(d, id) && !word(d, id, w.arg)) {
			return opt_status(id);
		}
		if (!ok)
			return EXIT_MISUSE;
	}
	why = contradiction(d);
	if (why)
		complain("dump: %s", why);
	return why ? EXIT_MISUSE : -1;
}

/* ---- packets ---- */

static void put_line(struct dump *d, const struct packet *p, const struct packet_note *note)
{
	dump_line(&d->line, p, stdout);
	if (*note->text)
		printf("  [%s]", note->text);
	putchar('\n');
}

/* Return: false when no more are wanted. */
static bool take(struct dump *d, const struct packet *p, const struct packet_note *note,
		 const struct look_seg *s)
{
	d->packets++;
	if (d->out) {
		if (!pcapng_put(d->out, p, note))
			return false;
		if (d->live)
			pcapng_flush(d->out);
	} else if (d->track) {
		d->note = note->text;
		if (s && track_segment(d->track, s) < 0)
			d->failed = true;
	} else {
		put_line(d, p, note);
	}
	if (d->live && !d->out)
		fflush(stdout);
	return !d->failed && (!d->count || d->packets < d->count);
}

static void on_packet(void *ctx, const struct packet *p)
{
	struct dump *d = ctx;
	struct packet_note note = { .dir = 0 };
	struct look_frame f;
	struct look_seg s;
	bool tcp = look_seg(&s, d->line.link, p->data, p->n, p->len) == LOOK_TCP;

	s.at_ns = p->at_ns;
	if (look_frame(&f, d->line.link, p->data, p->n) && f.cooked)
		note.dir = f.pkttype == LOOK_OUT ? 2 : 1;
	if (tcp && d->live && (d->out || d->who))
		who_note(&s, &note);
	if (d->track && s.copy)
		return;			/* a ladder shows each segment once */
	d->cap.stop = !take(d, p, &note, tcp ? &s : NULL);
}

static bool on_stack_packet(void *ctx, const struct packet *p, const struct packet_note *note)
{
	struct dump *d = ctx;
	struct look_seg s;
	bool tcp = look_seg(&s, d->line.link, p->data, p->n, p->len) == LOOK_TCP;

	s.at_ns = p->at_ns;
	return take(d, p, note, tcp ? &s : NULL);
}

static void on_segment(void *ctx, const struct track_conn *c, const struct look_seg *s, int from,
		       unsigned marks)
{
	struct dump *d = ctx;

	ladder_segment(&d->lad, c, s, from, marks, d->note);
}

/* ---- the command ---- */

static bool start_ladder(struct dump *d)
{
	struct track_conf conf = { .max_conns = 4096, .ctx = d, .seg = on_segment };

	conf.seed[0] = (uint64_t)capture_now_ns();
	setlocale(LC_CTYPE, "");
	d->lad.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	d->lad.text = d->ladder;
	d->lad.out = stdout;
	d->track = track_new(&conf);
	return d->track && (!d->svg || ladder_want_svg(&d->lad));
}

static void on_link(void *ctx, int link)
{
	struct dump *d = ctx;

	d->line.link = link;
	if (d->write) {
		d->out = pcapng_open("dump", d->write, link,
				     d->conf.snaplen ? (uint32_t)d->conf.snaplen : 262144);
		d->out_failed = !d->out;
	}
}

static int capture(struct dump *d)
{
	int status;

	d->live = !d->conf.file;
	d->conf.at_once = true;
	status = capture_open(&d->cap, &d->conf);
	if (status)
		return status;
	on_link(d, d->cap.link);
	status = d->out_failed ? EXIT_FAILED : capture_run(&d->cap, on_packet, NULL, d);
	if (d->live)
		fprintf(stderr, "%" PRIu64 " packets, %" PRIu64 " lost by the kernel\n",
			d->packets, capture_lost(&d->cap));
	capture_close(&d->cap);
	return status;
}

static int from_stack(struct dump *d)
{
	d->live = true;
	return dump_stack(d->stack, on_link, on_stack_packet, d);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct dump d;
	int status = parse(cmd, argc, argv, &d);

	if (status >= 0)
		return status;
	d.conf.cmd = "dump";
	if ((d.ladder || d.svg) && !start_ladder(&d)) {
		complain("dump: out of memory");
		return EXIT_FAILED;
	}
	status = d.stack ? from_stack(&d) : capture(&d);
	if (d.failed || d.out_failed)
		status = EXIT_FAILED;
	if (d.out && !pcapng_close(d.out))
		status = EXIT_FAILED;
	if (d.svg && !ladder_svg(&d.lad, d.svg))
		status = EXIT_FAILED;
	free(d.lad.row);
	track_free(d.track);
	who_free();
	return out_finish(status);
}

const struct cmd cmd_dump = {
	.name = "dump",
	.args = "[FILTER]",
	.help = "packets as they pass, in tcpdump's notation; pcapng, ladders",
	.about = "Prints the packets on an interface, in a capture file, or at the device of a\n"
		 "running stack, one a line as tcpdump does, sequence numbers counted from the\n"
		 "first of each connection.  FILTER is libpcap's (pcap-filter(7)).\n"
		 "\n"
		 "With -w they are saved as pcapng.  Packets of an interface have as comment the\n"
		 "programs that own the socket here, and for Rill's sockets state and congestion\n"
		 "window; they are looked up when the packet passes, so that of a very short\n"
		 "connection it may be gone already.  With --stack the comment is what the stack\n"
		 "says of just this segment, with the reason if it was discarded.\n"
		 "\n"
		 "--ladder draws TCP segments as arrows between both ends, with the state of each\n"
		 "beside it, in Unicode, or in ASCII when the locale is not UTF-8.",
	.example = "  rill dump -i any -n tcp port 80",
	.opts = opts,
	.run = run,
};
