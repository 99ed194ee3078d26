/* SPDX-License-Identifier: MIT */
/*
 * Packets as a running stack sees them: the stream "watch" of its control socket
 * (run/ctl_watch.c) turned back into packets, with what the stack thinks of each.
 * Of each frame the stream has the first bytes only, all headers among them.
 */

#include <inttypes.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "look/ctlc.h"
#include "tools/cmd.h"
#include "tools/dump.h"
#include "tools/out.h"

#define FRAME_MAX	2048

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t unhex(const char *s, uint8_t *out)
{
	uint32_t n = 0;

	while (n < FRAME_MAX && digit(s[0]) >= 0 && digit(s[1]) >= 0) {
		out[n++] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
		s += 2;
	}
	return n;
}

static void make_note(struct packet_note *note, const json_t *ev, const struct ctl_stack *st)
{
	const char *drop = ctlc_str(ev, "drop"), *state = ctlc_str(ev, "state");
	size_t len;

	note->dir = strcmp(ctlc_str(ev, "dir"), "out") ? 1 : 2;
	snprintf(note->text, sizeof(note->text), "%s[%ld]%s%s", st->name, st->pid,
		 *state ? " " : "", state);
	len = strlen(note->text);
	if (json_object_get(ev, "cwnd"))
		snprintf(note->text + len, sizeof(note->text) - len, " cwnd:%" PRId64
			 " unacked:%" PRId64, ctlc_int(ev, "cwnd"), ctlc_int(ev, "unacked"));
	len = strlen(note->text);
	if (*drop)
		snprintf(note->text + len, sizeof(note->text) - len, " dropped: %s", drop);
}

struct stream {
	struct ctl_stack *st;
	bool		(*packet)(void *ctx, const struct packet *p,
				  const struct packet_note *note);
	void		*ctx;
	uint64_t	lost;
};

/* Return: false when the reader has enough. */
static bool on_event(struct stream *s, const json_t *ev)
{
	uint8_t frame[FRAME_MAX];
	struct packet_note note = { .dir = 0 };
	struct packet p = { .data = frame };

	if (!strcmp(ctlc_str(ev, "event"), "lost"))
		s->lost += (uint64_t)ctlc_int(ev, "n");
	p.n = unhex(ctlc_str(ev, "frame"), frame);
	if (!p.n)
		return true;
	p.at_ns = ctlc_int(ev, "at_us") * 1000;
	p.len = (uint32_t)RL_MAX(ctlc_int(ev, "frame_len"), (int64_t)p.n);
	make_note(&note, ev, s->st);
	return s->packet(s->ctx, &p, &note);
}

static int run_stream(struct stream *s)
{
	char *line = NULL;
	size_t size = 0;
	bool more = true;

	/* the descriptor blocks; a signal ends the reading */
	while (more && !out_closed() && getline(&line, &size, s->st->f) > 0) {
		json_t *ev = json_loads(line, 0, NULL);

		more = !ev || on_event(s, ev);
		json_decref(ev);
	}
	free(line);
	if (s->lost)
		fprintf(stderr, "%" PRIu64 " events lost: this reader was too slow\n", s->lost);
	return EXIT_DONE;
}

static int watched = -1;

/*
 * SIGINT has to end the reading, also one that is about to begin, and what was counted
 * is still told: the descriptor is at its end from now on.
 */
static void on_signal(int sig)
{
	(void)sig;
	shutdown(watched, SHUT_RD);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int dump_stack(const char *name, void (*link)(void *ctx, int link),
	       bool (*packet)(void *ctx, const struct packet *p,
			      const struct packet_note *note), void *ctx)
{
	static struct ctl_stacks stacks;
	struct ctl_select sel = { .name = name };
	struct stream s = { .packet = packet, .ctx = ctx };
	json_t *reply;
	int status = EXIT_FAILED;

	ctlc_open(&stacks, &sel);
	if (!stacks.n) {
		ctlc_complain_none(&stacks, &sel);
		return status;
	}
	if (stacks.n > 1)
		complain("dump: %u stacks have the name %s: this is %ld's", stacks.n, name,
			 stacks.list[0].pid);
	s.st = &stacks.list[0];
	reply = ctlc_ask(s.st, json_pack("{s:s,s:b,s:b}", "cmd", "watch", "segments", 1,
					 "frames", 1));
	if (reply) {
		struct timeval forever = { 0, 0 };

		watched = fileno(s.st->f);
		setsockopt(watched, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
		catch_signals();
		link(ctx, (int)ctlc_int(reply, "link"));
		status = run_stream(&s);
	}
	json_decref(reply);
	ctlc_close(&stacks);
	return status;
}
