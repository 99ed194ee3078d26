/* SPDX-License-Identifier: MIT */
/*
 * The counters of a running stack under Linux's names.  The names come from the last
 * column of obs/counters.def, the same list that the stack counts by; rillmap.def has
 * the few others.  What Linux has no name for keeps Rill's, behind "rill.".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "look/ctlc.h"
#include "look/netstat.h"

static const struct {
	const char *rill, *linux_name;
} names[] = {
#define CTR(module, name, unit, help, mib)	{ #module "." #name, mib },
#include "obs/counters.def"
#undef CTR
#define MAP(rill, mib)				{ rill, mib },
#include "look/rillmap.def"
#undef MAP
};

const char *netstat_of_rill(const char *name, char *buf, size_t n)
{
	const char *mib = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].rill, name))
			mib = names[i].linux_name;
	if (*mib) {
		size_t group = strcspn(mib, ":");

		snprintf(buf, n, "%s", mib);
		if (group < n && buf[group] == ':')	/* counters.def writes Tcp:InSegs */
			buf[group] = '.';
	} else {
		snprintf(buf, n, "rill.%s", name);
	}
	return buf;
}

static int take_counters(struct netstat *s, const json_t *list)
{
	int r = 0;

	for (size_t i = 0; r != -ENOMEM && i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		char name[NETSTAT_NAME + 1];

		netstat_of_rill(ctlc_str(c, "name"), name, sizeof(name));
		r = netstat_add(s, ctlc_int(c, "value"), "%s", name);
		if (r == -ENAMETOOLONG)
			s->skipped++;
	}
	return r == -ENOMEM ? r : 0;
}

static int64_t of_families(const json_t *reply, const char *proto)
{
	const json_t *p = json_object_get(reply, proto);

	return ctlc_int(p, "ipv4") + ctlc_int(p, "ipv6") + ctlc_int(p, "both");
}

/* Linux counts neither TIME-WAIT nor half-open peers as sockets in use. */
static int take_summary(struct netstat *s, const json_t *reply)
{
	const json_t *st = json_object_get(reply, "states");
	int64_t udp = of_families(reply, "udp");
	int64_t tcp = of_families(reply, "tcp") - ctlc_int(reply, "half_open") -
		      ctlc_int(st, "TIME-WAIT");
	int r;

	r = netstat_add(s, ctlc_int(st, "ESTABLISHED") + ctlc_int(st, "CLOSE-WAIT"),
			"Tcp.CurrEstab");
	if (!r)
		r = netstat_add(s, tcp, "sockstat.TCP.inuse");
	if (!r)
		r = netstat_add(s, udp, "sockstat.UDP.inuse");
	if (!r)
		r = netstat_add(s, tcp + udp, "sockstat.sockets.used");
	return r;
}

int netstat_read_stack(struct netstat *s, struct ctl_stack *st)
{
	struct timespec ts;
	json_t *stats, *sum = NULL;
	int r = -EIO;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	s->at_ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	s->n = s->unread = s->skipped = 0;
	stats = ctlc_ask(st, json_pack("{s:s}", "cmd", "stats"));
	if (stats)
		sum = ctlc_ask(st, json_pack("{s:s}", "cmd", "summary"));
	if (sum)
		r = take_counters(s, json_object_get(stats, "counters"));
	if (!r)
		r = take_summary(s, sum);
	json_decref(stats);
	json_decref(sum);
	return r;
}
