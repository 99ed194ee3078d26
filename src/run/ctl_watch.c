/* SPDX-License-Identifier: MIT */
/*
 * "watch": events as lines of JSON, as they happen.  After the reply
 *
 *   {"rill":1,"ok":true,"link":1}		1 Ethernet, 101 bare IP: of "frame"
 *
 * lines follow until the client hangs up, or asks for another set of events:
 *
 *   {"event":"state","at_us":T,"id":ID,"local":A,"lport":P,"peer":A,"pport":P,
 *    "from":"ESTABLISHED","to":"CLOSE-WAIT"}
 *   {"event":"segment","at_us":T,"dir":"in"|"out","local":A,"lport":P,"peer":A,
 *    "pport":P,"flags":"P.","seq":N,"ack":N,"len":N,"win":N,"urg":N,"opts":{"sack_ok":B,
 *    "mss":N,"wscale":N,"ts":[VAL,ECR],"sack":[[LO,HI],...]},"id":ID,"state":NAME,
 *    "cwnd":N,"ssthresh":N,"unacked":N,"rtt_us":N,"drop":REASON,"frame_len":N,
 *    "frame":HEX}
 *   {"event":"frame","at_us":T,"dir":D,"drop":REASON,"frame_len":N,"frame":HEX}
 *   {"event":"drop","at_us":T,"drop":REASON,"n":N}
 *   {"event":"lost","n":N}			the reader was too slow
 *
 * Sequence numbers are those of the header, windows in segments as ss has them.  The
 * state is the one after the segment; "CLOSED" stands alone where there is no
 * connection.  "frame" has the first 128 bytes; checksums of what is sent may be left
 * to the device.  "drop" is a member only of what was discarded: with "drops" alone
 * just those come, and "drop" events for packets that are no received frame.
 *
 * A reader has WAITING_MAX bytes; what comes when they are full is counted and told
 * once there is room.  Nothing here waits for a reader.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "dev/dev.h"
#include "run/ctl_int.h"
#include "run/engine.h"

#define WAITING_MAX	(256 * 1024)
#define FLUSH_FROM	(32 * 1024)	/* don't wait for the end of the pump */

static unsigned wanted(const json_t *req)
{
	static const struct { const char *key; unsigned bit; } keys[] = {
		{ "states", RL_WATCH_STATES }, { "segments", RL_WATCH_SEGMENTS },
		{ "drops", RL_WATCH_DROPS }, { "frames", RL_WATCH_FRAMES },
	};
	unsigned bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_is_true(json_object_get(req, keys[i].key)))
			bits |= keys[i].bit;
	return bits;
}

void rl_ctl_on_watch(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const struct rl_dev *d = rl_engine_dev(e);
	unsigned bits = wanted(req);
	int r = bits ? rl_engine_watch(e, bits) : 0;	/* that of the others: see below */

	if (r < 0) {
		rl_ctl_fail(&cl->out, -r, strerror(-r));
		return;
	}
	cl->watch = bits;
	cl->lost = 0;
	rl_ctl_begin(&cl->out);
	rl_ctl_putf(&cl->out, ",\"link\":%d", d->par.flags & RILL_IF_ETHER ? 1 : 101);
	rl_ctl_end(&cl->out);
}

void rl_ctl_watchers(struct rl_ctl *c, struct rill_engine *e)
{
	unsigned bits = 0;

	for (int i = 0; i < CTL_CLIENTS; i++)
		if (c->cl[i].fd >= 0)
			bits |= c->cl[i].watch;
	rl_engine_watch(e, bits);
}

/* Text that was written already makes room. */
static void compact(struct ctl_buf *b)
{
	if (b->off < WAITING_MAX / 4)
		return;
	memmove(b->p, b->p + b->off, b->len - b->off);
	b->len -= b->off;
	b->off = 0;
}

static size_t waiting(const struct ctl_client *cl)
{
	return cl->out.len - cl->out.off;
}

static void tell_lost(struct ctl_client *cl)
{
	rl_ctl_putf(&cl->out, "{\"event\":\"lost\",\"n\":%" PRIu64 "}\n", cl->lost);
	cl->lost = 0;
}

static void flush(struct rl_ctl *c, struct ctl_client *cl)
{
	if (cl->armed)			/* it took no more: epoll tells when it does */
		return;
	if (cl->lost && cl->job == CTL_JOB_NONE && waiting(cl) < WAITING_MAX / 2)
		tell_lost(cl);
	if (!waiting(cl) && !cl->out.bad)
		return;
	cl->used = ++c->turn;
	if (!rl_ctl_write(cl))
		cl->out.bad = true;		/* epoll tells; rl_ctl_run() drops it */
	if (cl->out.bad || cl->out.off < cl->out.len)
		rl_ctl_arm(c, cl, true);
	compact(&cl->out);
}

void rl_ctl_flush(struct rl_ctl *c)
{
	for (int i = 0; i < CTL_CLIENTS; i++)
		if (c->cl[i].fd >= 0 && c->cl[i].watch)
			flush(c, &c->cl[i]);
}

/* Also while a reply is made piece by piece: a line may not stand inside of it. */
static bool has_room(const struct ctl_client *cl, size_t n)
{
	return cl->job == CTL_JOB_NONE && waiting(cl) + n <= WAITING_MAX;
}

void rl_ctl_emit(struct rl_ctl *c, unsigned kinds, const char *line, size_t n)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_client *cl = &c->cl[i];

		if (cl->fd < 0 || !(cl->watch & kinds) || cl->out.bad)
			continue;
		/* lost ones are told where they were, so room for a few more first */
		if (!has_room(cl, cl->lost ? n + WAITING_MAX / 2 : n)) {
			cl->lost++;
			continue;
		}
		if (cl->lost)
			tell_lost(cl);
		rl_ctl_put(&cl->out, line, n);
		if (waiting(cl) >= FLUSH_FROM)
			flush(c, cl);
	}
}

void rl_ctl_lost(struct rl_ctl *c, uint64_t n)
{
	for (int i = 0; i < CTL_CLIENTS; i++)
		if (c->cl[i].fd >= 0 && c->cl[i].watch)
			c->cl[i].lost += n;
}
