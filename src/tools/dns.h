/* SPDX-License-Identifier: MIT */
/* Between the two halves of `rill dns`: asking (dns_ask.c), printing (cmd_dns.c). */
#ifndef RL_TOOLS_DNS_H
#define RL_TOOLS_DNS_H

#include "look/dns.h"
#include "rill/engine.h"

#define DNS_SERVERS	8
#define DNS_TYPES	8

struct dns_server {
	char		addr[64];
	unsigned	port;
};

/* One question to one server. */
struct dns_query {
	const struct dns_server *server;
	unsigned	type;
	int64_t		began_ns, took_ns;
	bool		done;
	int		status;		/* of c-ares, when @answered is false */
	bool		answered;	/* @answer holds what came */
	struct dns_answer answer;
};

struct dns_job {
	char		name[512];	/* what is asked for; an address as its PTR name */
	struct dns_server server[DNS_SERVERS];
	unsigned	nservers;
	unsigned	type[DNS_TYPES];
	unsigned	ntypes;
	int		timeout_ms, tries;
	bool		tcp;
	struct rill_engine *engine;	/* NULL: the kernel's sockets */
	struct dns_query *query;	/* nservers * ntypes, by server */
};

/** Fill in the servers of /etc/resolv.conf.  Return: how many, or -1 after a complaint. */
int dns_configured(struct dns_job *j);

/** Ask all at once and wait for all.  Return: success; a complaint was made when not. */
bool dns_ask(struct dns_job *j);

/** Why there is no answer. */
const char *dns_why(const struct dns_query *q);

#endif
