/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats between two programs: TCP tells nobody that a peer went away while
 * nothing is sent, and keepalive takes hours to notice.  No I/O and no memory of its
 * own: times go in, decisions come out, over any transport.  Times are ns of any clock
 * that does not jump.
 *
 * Each end of a connection has a struct rill_hb.  It says when to send a beat and when
 * the other side is late or dead:
 *
 *	rill_hb_init(&hb, &par, now);
 *	loop:	poll until rill_hb_deadline(&hb)
 *		bytes came:	rill_hb_heard(&hb, now)		before asking:
 *		rill_hb_next(&hb, now):	BEAT: send one.  LATE: be careful.  DEAD: close.
 *
 * Whoever serves many peers keeps a struct rill_hb_roster as well.  A peer that died and
 * came back before its death was noticed has two connections for a while: the roster
 * says which one is to be closed, and that what still trickles out of the old one does
 * not count.  For that a peer has a name, and a session number that is larger each
 * time it connects (the time it started will do).
 */
#ifndef RILL_HEARTBEAT_H
#define RILL_HEARTBEAT_H

#include "rill/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rill_hb_params {
	int64_t	beat_ns;	/* send a beat when nothing was sent for so long */
	int64_t	late_ns;	/* nothing heard for so long: late */
	int64_t	dead_ns;	/* nothing heard for so long: dead */
};

enum rill_hb_say {
	RILL_HB_NOTHING,
	RILL_HB_BEAT,		/* send a beat now */
	RILL_HB_LATE,		/* told once; the other side may come back */
	RILL_HB_DEAD,		/* from now on: close the connection */
	RILL_HB_BACK,		/* heard from one that was late */
	RILL_HB_NEW,		/* joined */
	RILL_HB_REPLACED,	/* joined; its old connection is to be closed */
	RILL_HB_STALE,		/* of an older session: doesn't count */
};

struct rill_hb {
	struct rill_hb_params	par;
	int64_t			sent_ns, heard_ns;
	bool			late, dead;
};

/** -EINVAL unless 0 < beat < late < dead. */
RILL_API int rill_hb_init(struct rill_hb *hb, const struct rill_hb_params *par,
			  int64_t now_ns);

/** Anything was sent: the next beat can wait. */
RILL_API void rill_hb_sent(struct rill_hb *hb, int64_t now_ns);

/** Anything came.  RILL_HB_NOTHING, BACK, or DEAD: too late, it stays dead. */
RILL_API enum rill_hb_say rill_hb_heard(struct rill_hb *hb, int64_t now_ns);

/**
 * What to do now; ask until it says NOTHING or DEAD.  First give rill_hb_heard() what
 * came: a program that slept itself finds beats that wait for it.
 */
RILL_API enum rill_hb_say rill_hb_next(struct rill_hb *hb, int64_t now_ns);

/** When rill_hb_next() has something to say at the latest; INT64_MAX: it is dead. */
RILL_API int64_t rill_hb_deadline(const struct rill_hb *hb);

/* ---- many peers ---- */

struct rill_hb_peer {
	uint64_t	name, session;
	uint64_t	user;		/* the caller's: its connection */
	bool		there;
	struct rill_hb	hb;
};

/** The caller's array, zeroed at first. */
struct rill_hb_roster {
	struct rill_hb_peer	*peer;
	unsigned		 n;
	struct rill_hb_params	 par;
};

/**
 * A peer says who it is, by connection @user.  Return: RILL_HB_NEW; RILL_HB_REPLACED:
 * close connection *@old; RILL_HB_STALE: a newer session is there, close this one;
 * RILL_HB_NOTHING: it said so before.  -ENOSPC; -EINVAL (the parameters).
 */
RILL_API int rill_hb_join(struct rill_hb_roster *r, uint64_t name, uint64_t session,
			  uint64_t user, int64_t now_ns, uint64_t *old);

/** Something came from it in that session.  RILL_HB_STALE also when it is not there. */
RILL_API enum rill_hb_say rill_hb_peer_heard(struct rill_hb_roster *r, uint64_t name,
					     uint64_t session, int64_t now_ns);

/**
 * The same for those without messages of their own: @n bytes came on connection @user.
 * The first ones must be a hello of rill_hb_put(); whatever follows counts as a beat.
 * Return: as rill_hb_join() or rill_hb_heard(); -EBADMSG: no hello.
 */
RILL_API int rill_hb_bytes(struct rill_hb_roster *r, uint64_t user, const void *p, size_t n,
			   int64_t now_ns, uint64_t *old);

/**
 * rill_hb_next() over all: BEAT, LATE or DEAD and *@who it is about; NOTHING is left.
 * One that is dead is told of until rill_hb_leave().
 */
RILL_API enum rill_hb_say rill_hb_roster_next(struct rill_hb_roster *r, int64_t now_ns,
					      struct rill_hb_peer **who);

/** Its connection @user was closed; one that was replaced changes nothing. */
RILL_API void rill_hb_leave(struct rill_hb_roster *r, uint64_t user);

/** The peer of that connection, or NULL. */
RILL_API struct rill_hb_peer *rill_hb_of(struct rill_hb_roster *r, uint64_t user);

/** The earliest deadline of all; INT64_MAX: nobody is there. */
RILL_API int64_t rill_hb_roster_deadline(const struct rill_hb_roster *r);

/** "late", "dead", "joined"; "?" for what is none. */
RILL_API const char *rill_hb_word(int say);

/* ---- a message for those who have none of their own ---- */

#define RILL_HB_LEN	24

struct rill_hb_msg {
	bool		hello;		/* the first one; otherwise a beat */
	uint32_t	n;		/* counts beats */
	uint64_t	name, session;
};

RILL_API void rill_hb_put(const struct rill_hb_msg *m, uint8_t to[RILL_HB_LEN]);

/** -EBADMSG: these bytes are no such message. */
RILL_API int rill_hb_get(struct rill_hb_msg *m, const uint8_t from[RILL_HB_LEN]);

#ifdef __cplusplus
}
#endif
#endif
