/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats for programs [rill/heartbeat.h].  The stack itself has no use for them:
 * they are here because they need nothing, and so can be had without a system.
 *
 * A peer is dead once and for all: whoever declared it so has closed its connection,
 * and a beat that comes afterwards must not raise it.  It may join again.
 */
#include <errno.h>

#include "base/types.h"
#include "rill/heartbeat.h"

/* ---- one end of a connection ---- */

int rill_hb_init(struct rill_hb *hb, const struct rill_hb_params *par, int64_t now_ns)
{
	if (par->beat_ns <= 0 || par->late_ns <= par->beat_ns || par->dead_ns <= par->late_ns)
		return -EINVAL;
	*hb = (struct rill_hb){ .par = *par, .sent_ns = now_ns, .heard_ns = now_ns };
	return 0;
}

void rill_hb_sent(struct rill_hb *hb, int64_t now_ns)
{
	hb->sent_ns = now_ns;
}

enum rill_hb_say rill_hb_heard(struct rill_hb *hb, int64_t now_ns)
{
	bool was_late = hb->late;

	if (hb->dead)
		return RILL_HB_DEAD;
	hb->heard_ns = now_ns;
	hb->late = false;
	return was_late ? RILL_HB_BACK : RILL_HB_NOTHING;
}

enum rill_hb_say rill_hb_next(struct rill_hb *hb, int64_t now_ns)
{
	int64_t silent_ns = now_ns - hb->heard_ns;

	if (hb->dead || silent_ns >= hb->par.dead_ns) {
		hb->dead = true;
		return RILL_HB_DEAD;
	}
	if (silent_ns >= hb->par.late_ns && !hb->late) {
		hb->late = true;
		return RILL_HB_LATE;
	}
	if (now_ns - hb->sent_ns < hb->par.beat_ns)
		return RILL_HB_NOTHING;
	hb->sent_ns = now_ns;			/* one, however many were missed */
	return RILL_HB_BEAT;
}

int64_t rill_hb_deadline(const struct rill_hb *hb)
{
	int64_t silence_ns = hb->late ? hb->par.dead_ns : hb->par.late_ns;

	if (hb->dead)
		return INT64_MAX;
	return RL_MIN(hb->sent_ns + hb->par.beat_ns, hb->heard_ns + silence_ns);
}

/* ---- many peers ---- */

static struct rill_hb_peer *named(struct rill_hb_roster *r, uint64_t name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->peer[i].there && r->peer[i].name == name)
			return &r->peer[i];
	return NULL;
}

struct rill_hb_peer *rill_hb_of(struct rill_hb_roster *r, uint64_t user)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->peer[i].there && r->peer[i].user == user)
			return &r->peer[i];
	return NULL;
}

static struct rill_hb_peer *free_place(struct rill_hb_roster *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!r->peer[i].there)
			return &r->peer[i];
	return NULL;
}

int rill_hb_join(struct rill_hb_roster *r, uint64_t name, uint64_t session, uint64_t user,
		 int64_t now_ns, uint64_t *old)
{
	struct rill_hb_peer *was = named(r, name), *p = was ? was : free_place(r);
	struct rill_hb hb;
	int err = rill_hb_init(&hb, &r->par, now_ns);

	if (err < 0)
		return err;
	if (!p)
		return -ENOSPC;
	if (was && session < was->session)
		return RILL_HB_STALE;
	if (was && session == was->session && user == was->user) {
		rill_hb_heard(&was->hb, now_ns);
		return RILL_HB_NOTHING;
	}
	if (was)
		*old = was->user;
	*p = (struct rill_hb_peer){ name, session, user, true, hb };
	return was ? RILL_HB_REPLACED : RILL_HB_NEW;
}

enum rill_hb_say rill_hb_peer_heard(struct rill_hb_roster *r, uint64_t name,
				    uint64_t session, int64_t now_ns)
{
	struct rill_hb_peer *p = named(r, name);

	if (!p || p->session != session)
		return RILL_HB_STALE;
	return rill_hb_heard(&p->hb, now_ns);
}

int rill_hb_bytes(struct rill_hb_roster *r, uint64_t user, const void *p, size_t n,
		  int64_t now_ns, uint64_t *old)
{
	struct rill_hb_peer *peer = rill_hb_of(r, user);
	struct rill_hb_msg m;

	if (peer)
		return (int)rill_hb_heard(&peer->hb, now_ns);
	if (n < RILL_HB_LEN || rill_hb_get(&m, p) < 0 || !m.hello)
		return -EBADMSG;
	return rill_hb_join(r, m.name, m.session, user, now_ns, old);
}

enum rill_hb_say rill_hb_roster_next(struct rill_hb_roster *r, int64_t now_ns,
				     struct rill_hb_peer **who)
{
	for (unsigned i = 0; i < r->n; i++) {
		enum rill_hb_say s = RILL_HB_NOTHING;

		if (r->peer[i].there)
			s = rill_hb_next(&r->peer[i].hb, now_ns);
		*who = &r->peer[i];
		if (s != RILL_HB_NOTHING)
			return s;
	}
	return RILL_HB_NOTHING;
}

const char *rill_hb_word(int say)
{
	static const char *const words[] = {
		[RILL_HB_NOTHING] = "nothing", [RILL_HB_BEAT] = "beat", [RILL_HB_LATE] = "late",
		[RILL_HB_DEAD] = "dead", [RILL_HB_BACK] = "back", [RILL_HB_NEW] = "joined",
		[RILL_HB_REPLACED] = "replaced", [RILL_HB_STALE] = "stale",
	};

	return say >= 0 && say < (int)ARRAY_LEN(words) ? words[say] : "?";
}

void rill_hb_leave(struct rill_hb_roster *r, uint64_t user)
{
	struct rill_hb_peer *p = rill_hb_of(r, user);

	if (p)
		p->there = false;
}

int64_t rill_hb_roster_deadline(const struct rill_hb_roster *r)
{
	int64_t at_ns = INT64_MAX;

	for (unsigned i = 0; i < r->n; i++)
		if (r->peer[i].there)
			at_ns = RL_MIN(at_ns, rill_hb_deadline(&r->peer[i].hb));
	return at_ns;
}

/* ---- the message: "RLHB" or "RLHI", number, name, session; network order ---- */

#define BEAT	0x524c4842u
#define HELLO	0x524c4849u

void rill_hb_put(const struct rill_hb_msg *m, uint8_t to[RILL_HB_LEN])
{
	put32(to, m->hello ? HELLO : BEAT);
	put32(to + 4, m->n);
	put32(to + 8, (uint32_t)(m->name >> 32));
	put32(to + 12, (uint32_t)m->name);
	put32(to + 16, (uint32_t)(m->session >> 32));
	put32(to + 20, (uint32_t)m->session);
}

int rill_hb_get(struct rill_hb_msg *m, const uint8_t from[RILL_HB_LEN])
{
	uint32_t magic = get32(from);

	if (magic != BEAT && magic != HELLO)
		return -EBADMSG;
	*m = (struct rill_hb_msg){
		.hello = magic == HELLO, .n = get32(from + 4),
		.name = (uint64_t)get32(from + 8) << 32 | get32(from + 12),
		.session = (uint64_t)get32(from + 16) << 32 | get32(from + 20),
	};
	return 0;
}
