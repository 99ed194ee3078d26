/* SPDX-License-Identifier: MIT */
/*
 * Capturing through libpcap: opening an interface, "any", a file or standard input
 * with times in nanoseconds, compiling the filter, the loop.  Shared by `rill dump`
 * and `rill track`.
 */
#include "tools/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "look/seg.h"
#include "tools/cmd.h"
#include "tools/out.h"

#define SNAP_ALL	262144
#define BATCH		256
#define IDLE_MS		100

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

int64_t capture_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool capture_filter(struct capture_conf *conf, const char *word)
{
	size_t have = strlen(conf->filter);
	int n = snprintf(conf->filter + have, sizeof(conf->filter) - have, "%s%s",
			 have ? " " : "", word);

	return n >= 0 && (size_t)n < sizeof(conf->filter) - have;
}

static bool open_file(struct capture *c)
{
	char why[PCAP_ERRBUF_SIZE];
	const char *file = c->conf->file;

	c->p = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!c->p)
		complain("%s: %s%s%s", c->conf->cmd, strcmp(file, "-") ? "" : "standard input: ",
			 why, strstr(why, file) ? "" : "; give a pcap or pcapng file");
	return c->p != NULL;
}

static bool activate(struct capture *c, const char *iface)
{
	int r = pcap_activate(c->p);
	const char *detail = pcap_geterr(c->p);

	if (r >= 0)
		return true;
	if (r == PCAP_ERROR_PERM_DENIED)
		complain("%s: %s: capturing needs CAP_NET_RAW; run it as root, or read a file "
			 "with -r", c->conf->cmd, iface);
	else if (r == PCAP_ERROR_NO_SUCH_DEVICE || r == PCAP_ERROR_IFACE_NOT_UP)
		complain("%s: %s: %s; `ip link` lists the interfaces", c->conf->cmd, iface,
			 pcap_statustostr(r));
	else
		complain("%s: %s: %s", c->conf->cmd, iface,
			 *detail ? detail : pcap_statustostr(r));
	return false;
}

static bool open_live(struct capture *c)
{
	const char *iface = c->conf->iface ? c->conf->iface : "any";
	char why[PCAP_ERRBUF_SIZE] = "";

	c->p = pcap_create(iface, why);
	if (!c->p) {
		complain("%s: %s: %s", c->conf->cmd, iface, why);
		return false;
	}
	c->live = true;
	pcap_set_snaplen(c->p, c->conf->snaplen ? c->conf->snaplen : SNAP_ALL);
	pcap_set_promisc(c->p, strcmp(iface, "any") != 0);
	pcap_set_timeout(c->p, IDLE_MS);
	pcap_set_immediate_mode(c->p, c->conf->at_once);
	pcap_set_tstamp_precision(c->p, PCAP_TSTAMP_PRECISION_NANO);
	pcap_set_buffer_size(c->p, 8 << 20);
	if (!activate(c, iface))
		return false;
	if (!strcmp(iface, "any"))
		pcap_set_datalink(c->p, LOOK_SLL2);	/* else the older cooked link */
	return pcap_setnonblock(c->p, 1, why) == 0;
}

static bool set_filter(struct capture *c)
{
	struct bpf_program prog;
	bool ok;

	if (!*c->conf->filter)
		return true;
	ok = pcap_compile(c->p, &prog, c->conf->filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (ok) {
		ok = pcap_setfilter(c->p, &prog) == 0;
		pcap_freecode(&prog);
	}
	if (!ok)
		complain("%s: filter \"%s\": %s; see pcap-filter(7)", c->conf->cmd,
			 c->conf->filter, pcap_geterr(c->p));
	return ok;
}

int capture_open(struct capture *c, const struct capture_conf *conf)
{
	int status = EXIT_FAILED;

	*c = (struct capture){ .conf = conf };
	if (conf->file ? open_file(c) : open_live(c)) {
		c->link = pcap_datalink(c->p);
		if (!look_link_known(c->link))
			complain("%s: link type %d (%s) is not supported; Ethernet, Linux cooked, "
				 "raw IP and loopback are", conf->cmd, c->link,
				 pcap_datalink_val_to_name(c->link) ?
				 pcap_datalink_val_to_name(c->link) : "unknown");
		else
			status = set_filter(c) ? EXIT_DONE : EXIT_MISUSE;
	}
	if (status)
		capture_close(c);
	return status;
}

/* ---- the loop ---- */

struct loop {
	struct capture	*c;
	void		(*packet)(void *ctx, const struct packet *p);
	void		*ctx;
};

static void on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct loop *l = (void *)user;
	uint32_t snap = (uint32_t)l->c->conf->snaplen;
	struct packet p = {
		/* opened with nanoseconds: they stand in tv_usec */
		.at_ns = (int64_t)((uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec),
		.data = data,
		.n = snap && h->caplen > snap ? snap : h->caplen,
		.len = h->len,
	};

	if (l->c->stop)
		return;
	l->c->packets++;
	l->packet(l->ctx, &p);
}

static void wait_packets(struct capture *c)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(c->p), .events = POLLIN };

	poll(&fd, fd.fd >= 0, IDLE_MS);
}

int capture_run(struct capture *c, void (*packet)(void *ctx, const struct packet *p),
		void (*idle)(void *ctx), void *ctx)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct loop l = { c, packet, ctx };
	int r = 0;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted && !c->stop && !out_closed()) {
		r = pcap_dispatch(c->p, BATCH, on_packet, (u_char *)&l);
		if (r < 0 || (!r && !c->live))
			break;
		if (idle && c->live)
			idle(ctx);
		if (!r)
			wait_packets(c);
	}
	if (r >= 0 || interrupted)	/* a read that was interrupted is an error, too */
		return EXIT_DONE;
	complain("%s: %s", c->conf->cmd, pcap_geterr(c->p));
	return EXIT_FAILED;
}

uint64_t capture_lost(struct capture *c)
{
	struct pcap_stat st;

	if (!c->live || pcap_stats(c->p, &st) < 0)
		return 0;
	return st.ps_drop;
}

void capture_close(struct capture *c)
{
	if (c->p)
		pcap_close(c->p);
	c->p = NULL;
}
