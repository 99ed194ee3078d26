/* SPDX-License-Identifier: MIT */
/*
 * RECEIVE and readiness [RFC9293:3.10.3]: bytes out of the receive queue, the
 * urgent mark [RFC6093], what poll() sees.
 */
#include <errno.h>

#include "tcp/conn.h"

static bool at_end(const struct tcp_conn *c)
{
	return c->fin_rcvd || c->rd_shut || c->state == RILL_CLOSE ||
	       c->state == RILL_TIME_WAIT;
}

/*
 * Bytes to the urgent mark, where a read stops [RFC9293:MUST-33]; at the mark
 * itself, without SO_OOBINLINE, the urgent byte is taken out of the stream, or
 * passed over by *@skip when the caller only peeks.
 */
static uint32_t until_mark(struct rill_stack *st, struct tcp_conn *c, bool peek,
			   uint32_t *skip)
{
	uint32_t n = c->rcvq.len;
	struct tcp_cold *u = c->cold;
	int32_t to_mark;
	uint8_t b;

	if (!u || !u->urg_pending)
		return n;
	to_mark = seq_diff(u->urg_seq, rl_tcp_read_seq(c));
	if (to_mark > 0)
		return RL_MIN(n, (uint32_t)to_mark);
	if (to_mark == 0 && !rl_tcp_urgent_first(c))
		return n;			/* a part of the stream, or not here yet */
	if (to_mark == 0 && peek) {
		*skip = 1;
		return n - 1;
	}
	if (to_mark == 0) {
		rl_bytesq_peek(&c->rcvq, 0, &b, 1);
		if (!u->urg_have)
			u->urg_byte = b;
		u->urg_have = true;
		rl_bytesq_drop_front(&st->bytes, &c->rcvq, 1);
		rl_tcp_text_read(st, c, 1);
	}
	u->urg_pending = false;			/* passed: half the numbers on it would lie ahead */
	return c->rcvq.len;
}

/* recv(MSG_OOB) */
static int64_t recv_urgent(struct tcp_conn *c, const struct rill_iov *iov, unsigned flags)
{
	struct tcp_cold *u = c->cold;
	int32_t off;

	if (c->oobinline || !u || (!u->urg_pending && !u->urg_have) || u->urg_taken)
		return -EINVAL;
	if (!u->urg_have) {
		off = seq_diff(u->urg_seq, rl_tcp_read_seq(c));
		if (off < 0 || (uint32_t)off >= c->rcvq.len)
			return at_end(c) ? 0 : -EAGAIN;	/* announced, not here yet */
		rl_bytesq_peek(&c->rcvq, (uint32_t)off, &u->urg_byte, 1);
		u->urg_have = true;
	}
	if (!iov->len)
		return 0;
	*(uint8_t *)iov->base = u->urg_byte;
	if (!(flags & RILL_MSG_PEEK))
		u->urg_taken = true;
	return 1;
}

static int64_t nothing_to_read(struct tcp_conn *c)
{
	int err = c->err;

	if (c->state == RILL_LISTEN)
		return -ENOTCONN;
	if (c->fin_rcvd) {	/* the stream is complete; what came later SO_ERROR has */
		c->eof_read = 1;
		return 0;
	}
	if (err) {				/* told once [RFC9293:MUST-12] */
		c->err = 0;
		return -err;
	}
	if (c->state == RILL_CLOSE && !c->rport && !c->rd_shut)
		return -ENOTCONN;
	return at_end(c) ? 0 : -EAGAIN;
}

static uint32_t copy_out(const struct tcp_conn *c, uint32_t from,
			 const struct rill_iov *iov, int n, uint32_t max, bool discard)
{
	uint32_t done = 0;

	for (int i = 0; i < n && done < max; i++) {
		uint32_t len = (uint32_t)RL_MIN(iov[i].len, (size_t)(max - done));

		if (!discard)
			rl_bytesq_peek(&c->rcvq, from + done, iov[i].base, len);
		done += len;
	}
	return done;
}

int64_t rill_tcp_recv(struct rill_stack *st, rill_id id, const struct rill_iov *iov, int n,
		      unsigned flags)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	uint32_t skip = 0, max, done;

	if (!c)
		return -EBADF;
	if (flags & RILL_MSG_OOB)
		return n > 0 ? recv_urgent(c, iov, flags) : -EINVAL;
	max = until_mark(st, c, flags & RILL_MSG_PEEK, &skip);
	if (!max)
		return nothing_to_read(c);
	done = copy_out(c, skip, iov, n, max, flags & RILL_MSG_TRUNC);
	if (!(flags & RILL_MSG_PEEK) && done) {
		rl_bytesq_drop_front(&st->bytes, &c->rcvq, done);
		if (c->cold && c->oobinline && seq_gt(rl_tcp_read_seq(c), c->cold->urg_seq))
			c->cold->urg_pending = false;
		rl_tcp_text_read(st, c, done);
	}
	return done;
}

static uint32_t lowat(const struct tcp_conn *c)
{
	uint32_t n = c->cold && c->cold->rcvlowat ? c->cold->rcvlowat : 1;

	return RL_MIN(n, RL_MAX(c->rcvbuf / 2, 1u));
}

/* What a read can give: the urgent byte at its mark is passed over. */
static uint32_t readable(const struct tcp_conn *c)
{
	return c->rcvq.len - rl_tcp_urgent_first(c);
}

/* Also when the peer can't send more: SO_RCVLOWAT may be above what the window lets in. */
static bool enough(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t n = readable(c);

	if (n >= lowat(c))
		return true;
	return n && rl_tcp_new_window(st, c) <= RL_MIN(c->rcv_mss, c->rcvbuf / 4);
}

static bool urgent_waits(const struct tcp_conn *c)
{
	return c->cold && (c->cold->urg_pending || c->cold->urg_have) &&
	       !c->cold->urg_taken;
}

/* A third of what is queued must be free, as on Linux, so that writes are worth it. */
static bool writable(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t limit = rl_tcp_sndbuf(st, c), unsent;

	if (c->cold && c->cold->notsent_lowat) {
		unsent = c->sendq.len - RL_MIN(c->sendq.len,
				(uint32_t)seq_diff(c->snd_nxt, c->snd_una));
		if (unsent >= c->cold->notsent_lowat)
			return false;
	}
	return c->sendq.len < limit && limit - c->sendq.len >= c->sendq.len / 2;
}

uint32_t rl_tcp_poll_bits(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t bits = 0;
	bool down;

	if (c->state == RILL_LISTEN)
		return c->lst->n_accept ? RILL_IN : 0;
	if (c->state == RILL_CLOSE && !c->rport && !c->rd_shut)
		return RILL_OUT | RILL_HUP;	/* never connected; as Linux */
	down = c->state == RILL_CLOSE || c->state == RILL_TIME_WAIT;
	if (c->err)
		bits |= RILL_ERR;
	if (down || (at_end(c) && c->fin_queued))
		bits |= RILL_HUP;
	if (at_end(c))
		bits |= RILL_IN | RILL_RDHUP;
	if (c->state == RILL_SYN_SENT || c->state == RILL_SYN_RECV)
		return bits;
	if (enough(st, c))
		bits |= RILL_IN;
	if (urgent_waits(c))
		bits |= RILL_PRI;
	if (down || c->fin_queued || writable(st, c))
		bits |= RILL_OUT;
	return bits;
}

int rill_tcp_poll(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	return c ? (int)rl_tcp_poll_bits(st, c) : -EBADF;
}
