/* SPDX-License-Identifier: MIT */
/*
 * rill mtr - loss and delay of all hops of a path, live on a terminal until q, or as
 * a report after some rounds.  The screen is redrawn in place; nothing of it stays.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tools/out.h"
#include "tools/probe.h"

#define DRAW_NS		INT64_C(250000000)

static const struct opt opts[] = {
	{ P_REPORT, 'r', "report", NULL, "no screen: print once, after -c rounds" },
	{ P_COUNT, 'c', "report-cycles", "N", "stop after N rounds; with -r: 10 unless given" },
	{ P_INTERVAL, 'i', "interval", "SEC", "time for one round of all hops; default 1" },
	{ P_WAIT, 'W', "wait", "SEC", "time to wait for an answer; default 3" },
	{ P_UDP, 'u', "udp", NULL, "UDP instead of ICMP echo requests" },
	{ P_TCP, 'T', "tcp", NULL, "TCP SYNs instead; port 80 unless -P" },
	{ P_PORT, 'P', "port", "PORT", "destination port; UDP: 33434, TCP: 80" },
	{ P_MAX, 'm', "max-ttl", "N", "look no further; default 30, at most 64" },
	{ P_FIRST, 'f', "first-ttl", "N", "begin with that hop" },
	{ P_SIZE, 's', "psize", "BYTES", "payload; default 56" },
	{ P_SOURCE, 'a', "address", "ADDR", "send from that address" },
	{ P_NUMERIC, 'n', "no-dns", NULL, "no names of routers" },
	{ P_JSON, 'j', "json", NULL, "JSON, once at the end; as -r" },
	{ P_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ P_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ 0, 0, NULL, NULL, NULL },
};

/* ---- a table of hops ---- */

static void put_numbers(const struct probe_stat *s, const char *end)
{
	double ms = 1e-6;

	printf("%5.1f%% %5" PRIu64, (double)probe_loss_ppm(s) / 10000, s->sent);
	if (s->recv)
		printf(" %6.1f %6.1f %6.1f %6.1f %5.1f %5.1f%s", (double)s->last_ns * ms,
		       (double)probe_stat_avg_ns(s) * ms, (double)s->min_ns * ms,
		       (double)s->max_ns * ms, (double)probe_stat_mdev_ns(s) * ms,
		       (double)probe_stat_jitter_ns(s) * ms, end);
	else
		printf(" %6s %6s %6s %6s %5s %5s%s", "-", "-", "-", "-", "-", "-", end);
}

static void hop_label(const struct probing *p, unsigned ttl, char *buf, size_t n)
{
	const struct probe_hop *h = &p->run->hop[ttl];

	snprintf(buf, n, "???");
	if (h->naddrs)
		probing_name(p, &h->addr[0], buf, n);
}

static void put_report(struct probing *p)
{
	char host[256] = "", label[400];

	gethostname(host, sizeof(host) - 1);
	printf("HOST: %-34.34s %6s %5s %6s %6s %6s %6s %5s %5s\n", host, "Loss%", "Snt", "Last",
	       "Avg", "Best", "Wrst", "StDev", "Jttr");
	for (unsigned t = p->run->plan.first; t <= p->run->end; t++) {
		hop_label(p, t, label, sizeof(label));
		printf("%3u.|-- %-32.200s ", t, label);
		put_numbers(&p->run->hop[t].stat, "\n");
	}
	probing_put_verdict(p);
}

/* ---- the screen ---- */

static struct termios before;
static struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
static int64_t drawn_ns;
static bool quit;

static void screen_on(void)
{
	struct termios raw;

	tcgetattr(STDIN_FILENO, &before);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
}

static void screen_off(void)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void screen_size(unsigned *rows, unsigned *cols)
{
	struct winsize w;

	*rows = 24;
	*cols = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row && w.ws_col) {
		*rows = w.ws_row;
		*cols = w.ws_col;
	}
}

static void draw_hop(struct probing *p, unsigned ttl, int width)
{
	char label[400];

	hop_label(p, ttl, label, sizeof(label));
	printf("%2u. %-*.*s ", ttl, width, width, label);
	put_numbers(&p->run->hop[ttl].stat, "\033[K\n");
}

static void draw(struct probing *p)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];
	unsigned rows, cols, line = 4;
	int width;

	screen_size(&rows, &cols);
	width = cols > 70 ? (int)cols - 58 : 12;
	printf("\033[Hrill mtr to %s (%s): %s\033[K\nq: quit   r: begin again\033[K\n"
	       "    %-*s %6s %5s %6s %6s %6s %6s %5s %5s\033[K\n", p->host, p->dst_text,
	       p->ps->way, width, "Host", "Loss%", "Snt", "Last", "Avg", "Best", "Wrst", "StDev",
	       "Jttr");
	for (unsigned t = p->run->plan.first; t <= p->run->end && line < rows; t++, line++)
		draw_hop(p, t, width);
	probe_judge(p->run, &v);
	probe_verdict_text(p->run, &v, text);
	if (!p->run->plan.interval_ns)
		snprintf(text, sizeof(text), "finding the path ...");
	printf("%.*s\033[K\033[J", (int)cols - 1, text);
	fflush(stdout);
	drawn_ns = probe_now_ns();
}

static void read_keys(struct probing *p)
{
	char c;

	if (!(keys.revents & (POLLIN | POLLHUP)))
		return;
	if (read(STDIN_FILENO, &c, 1) != 1) {
		keys.fd = -1;			/* nobody types any more */
		return;
	}
	if (c == 'q' || c == 'Q')
		quit = true;
	if (c == 'r' || c == 'R')
		for (unsigned t = 1; t <= PROBE_TTL_MAX; t++)
			p->run->hop[t].stat = (struct probe_stat){
				.sent = p->run->hop[t].stat.sent - p->run->hop[t].stat.recv -
					p->run->hop[t].stat.lost };
}

static bool tick(struct probing *p)
{
	read_keys(p);
	if (probe_now_ns() - drawn_ns >= DRAW_NS)
		draw(p);
	return !quit;
}

static void live(struct probing *p)
{
	struct probe_plan plan;
	unsigned last;

	screen_on();
	p->also = &keys;
	p->tick = tick;
	p->tick_ms = 100;
	last = probing_discover(p);
	plan = probing_rounds(p, last);
	if (!quit && !probing_stopped())
		probing_run(p, &plan);
	probe_run_stop(p->run, false);
	screen_off();
}

/* ---- the command ---- */

static void report(struct probing *p)
{
	unsigned last = probing_discover(p);
	struct probe_plan plan = probing_rounds(p, last);

	if (!plan.rounds)
		plan.rounds = 10;
	probing_run(p, &plan);
	probe_run_stop(p->run, false);
}

static int look(struct probing *p)
{
	bool screen = !p->report && !p->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	if (screen)
		live(p);
	else
		report(p);
	if (p->json)
		probing_put_json(probing_path_json(p, true));
	else
		put_report(p);
	return quit || p->run->hop[p->run->end].reached ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct probing p;
	int status;

	probing_init(&p, cmd);
	p.plan.interval_ns = 1000000000;
	status = probing_parse(&p, argc, argv);
	if (status >= 0)
		return status;
	status = probing_open(&p);
	if (status == EXIT_DONE)
		status = look(&p);
	probing_close(&p);
	return out_finish(status);
}

const struct cmd cmd_mtr = {
	.name = "mtr",
	.args = "HOST",
	.help = "loss and delay of each hop, live",
	.about = "Shows all hops on the way to a host with loss, delay (last, average, best,\n"
		 "worst, standard deviation) and jitter, and below them at which hop loss begins,\n"
		 "until q is typed; r begins the counts again.  What was seen last stays on the\n"
		 "terminal.  With -r, -j, or when it is not on a terminal, it prints once after\n"
		 "the rounds of -c.  How hops and loss are judged: `rill pathping --help`.\n"
		 "\n"
		 "Exit status: 0 when the host was reached or q was typed, 1 when not.",
	.example = "  rill mtr -r -n -c 5 127.0.0.1",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
