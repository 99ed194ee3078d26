/* SPDX-License-Identifier: MIT */
/*
 * The counters of the host's kernel and of running stacks under one set of names:
 * GROUP.NAME as Linux has them, "Tcp.ActiveOpens", "TcpExt.ListenOverflows",
 * "Ip6.InReceives", and for what has no name there
 *
 *	sockstat.TCP.tw			/proc/net/sockstat and sockstat6
 *	softnet.dropped			/proc/net/softnet_stat, all CPUs (of all namespaces)
 *	dev.eth0.rx_drop		/proc/net/dev
 *	rill.drop.PAWS, rill.tcp.in_bytes	counters that only a stack of Rill has
 */
#ifndef RL_LOOK_NETSTAT_H
#define RL_LOOK_NETSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETSTAT_NAME	64

struct netstat_entry {
	char	name[NETSTAT_NAME];
	int64_t	value;
	bool	gauge;			/* goes up and down: a rate says nothing */
};

/* One reading.  All zeros is an empty one. */
struct netstat {
	struct netstat_entry *e;
	unsigned	n, cap;
	int64_t		at_ns;		/* monotonic time of reading */
	unsigned	unread;		/* files that could not be read */
	unsigned	skipped;	/* lines that made no sense */
};

struct ctl_stack;

/**
 * Read the kernel's.  @net: "/proc/PID/net" for the namespace of another process,
 * NULL for ours.  Return: 0, -ENOMEM, or -errno when /snmp can't be read.
 */
int netstat_read_kernel(struct netstat *s, const char *net);

/** Read a running stack's.  Return: 0, -ENOMEM, -EIO after a complaint. */
int netstat_read_stack(struct netstat *s, struct ctl_stack *st);

void netstat_free(struct netstat *s);

/** Return: whether there is such a one; *@value is 0 when not. */
bool netstat_get(const struct netstat *s, const char *name, int64_t *value);

/** The same for those that do without an answer: 0 when there is none. */
int64_t netstat_value(const struct netstat *s, const char *name);

/** Sum of PREFIX*SUFFIX: ("dev.", ".rx_drop") is what all devices dropped. */
int64_t netstat_sum(const struct netstat *s, const char *prefix, const char *suffix);

/* Two readings of the same thing. */
struct netstat_delta {
	const struct netstat	*before, *now;
	double			seconds;
};

/** Return: the time between, above 0 always (a microsecond at least). */
struct netstat_delta netstat_between(const struct netstat *before, const struct netstat *now);

/**
 * How much a counter grew; 0 for one that is missing.  One that went down was started
 * anew: what it has is its growth.  Gauges: the difference.
 */
int64_t netstat_growth(const struct netstat_delta *d, const char *name);
int64_t netstat_growth_sum(const struct netstat_delta *d, const char *prefix,
			   const char *suffix);

/** Growth a second. */
double netstat_rate(const struct netstat_delta *d, const char *name);

/*
 * The parsers, for tests: each adds what @text (ended by 0) holds.  Lines that make no
 * sense are counted in @s->skipped.  Return: 0 or -ENOMEM.
 */
int netstat_parse_pairs(struct netstat *s, char *text);		/* snmp, netstat */
int netstat_parse_snmp6(struct netstat *s, char *text);
int netstat_parse_sockstat(struct netstat *s, char *text);
int netstat_parse_softnet(struct netstat *s, char *text);
int netstat_parse_dev(struct netstat *s, char *text);

/** Add one.  Return: 0, -ENOMEM (also above 65536 entries), -ENAMETOOLONG. */
int netstat_add(struct netstat *s, int64_t value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** A name of Rill's under the names above: "tcp.active_opens" is "Tcp.ActiveOpens". */
const char *netstat_of_rill(const char *name, char *buf, size_t n);

#endif
