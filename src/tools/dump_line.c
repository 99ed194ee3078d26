/* SPDX-License-Identifier: MIT */
/*
 * A packet as one line in tcpdump's notation: time of day, interface and direction
 * when the link tells them, the packet by wire/fmt.h with relative numbers.
 *
 * Numbers count as tcpdump's do: the first segment of a connection with an ACK, and
 * each SYN+ACK, stand with absolute ones, from which the others count; so do segments
 * without an ACK.  The bases
 * of the last few thousand connections are kept; one that was pushed out begins anew.
 */
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/dump.h"
#include "wire/fmt.h"

#define SETS	4096
#define WAYS	4

struct base {
	struct rill_ip	src, dst;	/* of its first segment */
	uint16_t	sport, dport;
	bool		used;
	uint32_t	seq, ack;	/* bases of that direction and of the other */
};

static struct base *table;		/* SETS times WAYS */
static uint8_t next_way[SETS];

static unsigned set_of(const struct look_seg *s)
{
	uint32_t h = (uint32_t)(s->sport ^ s->dport) * 2654435761u;

	for (int i = 0; i < 16; i += 4)
		h = (h ^ get32(s->src.b + i) ^ get32(s->dst.b + i)) * 2246822519u;
	return h >> 20 & (SETS - 1);
}

static bool is_base(const struct base *b, const struct look_seg *s, bool *rev)
{
	if (!b->used)
		return false;
	*rev = false;
	if (b->sport == s->sport && b->dport == s->dport && rl_ip_eq(&b->src, &s->src) &&
	    rl_ip_eq(&b->dst, &s->dst))
		return true;
	*rev = true;
	return b->sport == s->dport && b->dport == s->sport && rl_ip_eq(&b->src, &s->dst) &&
	       rl_ip_eq(&b->dst, &s->src);
}

static struct base *find(const struct look_seg *s, bool *rev, bool *known)
{
	unsigned set = set_of(s);
	struct base *way = table + set * WAYS;

	*known = true;
	for (int i = 0; i < WAYS; i++)
		if (is_base(&way[i], s, rev))
			return &way[i];
	*known = *rev = false;
	way += next_way[set]++ % WAYS;
	*way = (struct base){ s->src, s->dst, s->sport, s->dport, true, 0, 0 };
	return way;
}

static void relative(struct rl_fmt_how *how, const struct look_seg *s)
{
	bool rev, known;
	struct base *b;

	if (!(s->flags & TH_ACK))
		return;
	if (!table)
		table = calloc(SETS * WAYS, sizeof(*table));
	if (!table)
		return;			/* absolute numbers are right, too */
	b = find(s, &rev, &known);
	if (!known || (s->flags & TH_SYN)) {
		*(rev ? &b->ack : &b->seq) = s->seq.v;
		*(rev ? &b->seq : &b->ack) = s->ack.v - 1;
		return;
	}
	how->seq0 = rev ? b->ack : b->seq;
	how->ack0 = rev ? b->seq : b->ack;
}

static const char *service(uint16_t port, bool tcp)
{
	const struct servent *s = getservbyport(htons(port), tcp ? "tcp" : "udp");

	return s ? s->s_name : NULL;
}

static void put_time(int64_t at_ns, FILE *out)
{
	time_t sec = (time_t)(at_ns / 1000000000);
	struct tm tm;

	if (localtime_r(&sec, &tm))
		fprintf(out, "%02d:%02d:%02d.%06d ", tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(at_ns % 1000000000 / 1000));
}

static void put_interface(const struct look_frame *f, FILE *out)
{
	static const char *const kinds[] = { "In", "B", "M", "P", "Out" };
	char name[IF_NAMESIZE];

	fprintf(out, "%-5s %-3s ", if_indextoname(f->ifindex, name) ? name : "?",
		f->pkttype < ARRAY_LEN(kinds) ? kinds[f->pkttype] : "?");
}

void dump_line(const struct line_conf *conf, const struct packet *p, FILE *out)
{
	struct rl_fmt_how how = { .quiet = conf->quiet,
				  .port = conf->numeric ? NULL : service };
	char line[RL_FMT_MAX];
	struct look_frame f;
	struct look_seg s;
	uint32_t at;

	put_time(p->at_ns, out);
	if (!look_frame(&f, conf->link, p->data, p->n)) {
		fputs("[|link]\n", out);
		return;
	}
	if (conf->link == LOOK_SLL2)
		put_interface(&f, out);
	if (!conf->absolute &&
	    look_seg(&s, conf->link, p->data, p->n, p->len) == LOOK_TCP)
		relative(&how, &s);
	/* what is neither IP nor ARP shows its Ethernet header */
	how.ether = conf->link == LOOK_ETHER && f.ethertype != 0x0800 &&
		    f.ethertype != 0x86dd && f.ethertype != 0x0806;
	how.ethertype = f.ethertype;
	at = how.ether ? 0 : f.ip_at;
	rl_fmt_frame_how(line, sizeof(line), p->data + at, p->n - at, &how);
	fputs(line, out);
}
