/* SPDX-License-Identifier: MIT */
/* Packets from an interface or a capture file, for `rill dump` and `rill track`. */
#ifndef RL_TOOLS_CAPTURE_H
#define RL_TOOLS_CAPTURE_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct capture_conf {
	const char	*iface, *file;	/* neither: "any" */
	const char	*cmd;		/* for complaints */
	int		snaplen;	/* 0: all */
	bool		at_once;	/* each packet as it comes, not by the block */
	char		filter[4096];	/* libpcap's language; "": all */
};

struct capture {
	const struct capture_conf *conf;
	pcap_t		*p;
	int		link;		/* DLT */
	bool		live, stop;	/* stop: set it to end capture_run() */
	uint64_t	packets;
};

struct packet {
	int64_t		at_ns;		/* since 1970 */
	const uint8_t	*data;
	uint32_t	n, len;		/* captured, on the wire */
};

/** One more word of the filter.  Return: false when it is too long. */
bool capture_filter(struct capture_conf *conf, const char *word);

/** Return: 0, or the exit status after a complaint. */
int capture_open(struct capture *c, const struct capture_conf *conf);

/**
 * Give each packet to @packet until the end, @c->stop, SIGINT or SIGTERM; on an
 * interface call @idle (or NULL) several times a second, too.
 * Return: EXIT_DONE, or EXIT_FAILED after a complaint (what was read is valid).
 */
int capture_run(struct capture *c, void (*packet)(void *ctx, const struct packet *p),
		void (*idle)(void *ctx), void *ctx);

/** Lost by the kernel for want of room, so far; 0 for files. */
uint64_t capture_lost(struct capture *c);
void capture_close(struct capture *c);

/** Wall clock. */
int64_t capture_now_ns(void);

#endif
