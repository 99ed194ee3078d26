/* SPDX-License-Identifier: MIT */
/* Which sockets are meant: ss's state and expression filters. */
#ifndef RL_LOOK_FILTER_H
#define RL_LOOK_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_NODES	128

enum filter_kind {
	FLT_AND, FLT_OR, FLT_NOT, FLT_OPEN,
	FLT_PORT, FLT_HOST, FLT_DEV, FLT_MARK, FLT_CGROUP, FLT_AUTO,
};
enum filter_cmp { FLT_EQ, FLT_NE, FLT_LT, FLT_LE, FLT_GT, FLT_GE };

struct filter_node {
	enum filter_kind kind;
	enum filter_cmp	 cmp;
	bool		 local;		/* src, sport */
	bool		 has_addr, has_port;
	uint8_t		 addr[16];	/* IPv4 mapped */
	unsigned	 prefix;	/* bits of @addr */
	uint16_t	 port;		/* FLT_AUTO: the first of the range */
	bool		 v6;		/* @addr was written as IPv6 */
	uint8_t		 only;		/* "inet:", "inet6:": 4, 6; 0: either */
	uint32_t	 number, mask;	/* ifindex; mark; last port of the range */
	uint64_t	 cgroup;
};

struct filter {
	uint32_t	states;		/* bits by enum rill_tcp_state */
	bool		has_states;
	struct filter_node node[FILTER_NODES];	/* postfix */
	unsigned	n;
};

struct filter_subject {
	uint8_t		local[16], peer[16];
	uint16_t	lport, pport;
	uint8_t		family;		/* 4, 6; 0: not known */
	uint32_t	ifindex, mark;
	uint64_t	cgroup;
};

struct rill_sock;

/* The addresses of a host's name. */
#define FILTER_ADDRS	8

struct filter_addrs {
	uint8_t		ip[FILTER_ADDRS][16];
	bool		v6[FILTER_ADDRS];
	unsigned	n;
};

/** How names of hosts are looked up; NULL: they are refused.  Return: how many. */
extern unsigned (*filter_lookup)(const char *name, struct filter_addrs *a);

#define FILTER_ALL	0xffeu		/* all states of enum rill_tcp_state */
#define FILTER_CLOSED	(1u << 7 | 1u << 10)		/* CLOSE, LISTEN */
#define FILTER_BUCKET	(1u << 3 | 1u << 6)		/* SYN-RECV, TIME-WAIT */

/** Parse words (those of the command line).  Return: 0, or -1 with one line in @why. */
int filter_parse(struct filter *f, int argc, char **argv, char *why, size_t n);
bool filter_match(const struct filter *f, const struct filter_subject *s);

/** The same for a record of the table, and its state when the filter names some. */
bool filter_sock(const struct filter *f, const struct rill_sock *s);

/** "10.0.0.1", "fd77::1" to 16 bytes, IPv4 mapped. */
bool filter_parse_ip(const char *s, uint8_t out[16]);

#endif
