/* SPDX-License-Identifier: MIT */
/*
 * The options common to `rill serve`, `get` and `nc`: which device, addresses,
 * faults and tunables the stack has, and how it is taken down in good order.
 */
#include "tools/stackopts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/out.h"

/*
 * States of closed connections: our FIN, or data before it, may be under way; the
 * peer has all of it and did not close yet; both ends are there.
 */
#define UNDELIVERED	(1u << RILL_SYN_SENT | 1u << RILL_ESTABLISHED | 1u << RILL_CLOSE_WAIT | \
			 1u << RILL_FIN_WAIT1 | 1u << RILL_CLOSING | 1u << RILL_LAST_ACK)
#define PEER_OPEN	(1u << RILL_FIN_WAIT2)
#define TIME_WAIT	(1u << RILL_TIME_WAIT)
#define PEER_OPEN_MS	1000		/* courtesy: no RST to a peer that is about to close */
#define TIME_WAIT_MS	(600 * 1000)	/* it can be set longer than 60 s */

enum {
	ST_DEV = OPT_STACK, ST_ADDR, ST_PEER, ST_GATEWAY, ST_MTU, ST_PCAP, ST_FAULT,
	ST_SEED, ST_SYSCTL, ST_TRACE, ST_NODAD, ST_SPIN, ST_NAME, ST_NOCTL,
	ST_WAITCLOSE,
};

const struct opt stack_opts[] = {
	{ ST_DEV, 0, "dev", "DEVICE", "tap:NAME (made if absent) or packet:IF; "
	  "\",nooffload\" behind it" },
	{ ST_ADDR, 0, "addr", "ADDR/LEN", "address of the stack; may be repeated" },
	{ ST_PEER, 0, "peer-addr", "ADDR/LEN", "tap: address of the kernel's side; "
	  "may be repeated" },
	{ ST_GATEWAY, 0, "gateway", "ADDR", "default route; one a family" },
	{ ST_MTU, 0, "mtu", "BYTES", "largest IP packet; default: the device's" },
	{ ST_PCAP, 0, "pcap", "FILE", "write all frames to a pcapng file" },
	{ ST_FAULT, 0, "fault", "SPEC", "make trouble: loss=2%,reorder=2%,dup=1%,"
	  "corrupt=0.1%,delay=10ms,..." },
	{ ST_SEED, 0, "seed", "N", "seed of all randomness; default: the system's" },
	{ ST_SYSCTL, 0, "sysctl", "NAME=VALUE", "set a tunable; may be repeated, "
	  "list: rill sysctl -a" },
	{ ST_TRACE, 0, "trace", "FILE|-", "write states and segments as text; "
	  "-: stderr" },
	{ ST_NODAD, 0, "no-dad", NULL, "use IPv6 addresses without asking first" },
	{ ST_SPIN, 0, "spin-us", "US", "poll the device that long before sleeping; "
	  "default 50" },
	{ ST_NAME, 0, "name", "NAME", "name in `rill ss`; default: rill-COMMAND" },
	{ ST_WAITCLOSE, 0, "wait-close", NULL, "at the end, stay until TIME_WAIT is over too" },
	{ ST_NOCTL, 0, "no-ctl", NULL, "no control socket: invisible for `rill ss`" },
	{ 0, 0, NULL, NULL, NULL },
};

void stack_args_init(struct stack_args *a)
{
	memset(a, 0, sizeof(*a));
	a->par.addrs = a->addrs;
	a->par.peer_addrs = a->peers;
	a->par.gateways = a->gateways;
	a->par.sysctls = a->sysctls;
}

static int bad(const struct cmd *cmd, const char *opt, const char *arg, const char *want)
{
	complain("%s: %s %s: %s; see `rill %s --help`", cmd->name, opt, arg, want, cmd->name);
	return -1;
}

static int add(const struct cmd *cmd, const char **list, unsigned *n, const char *opt,
	       const char *arg)
{
	if (*n == STACK_LIST_MAX)
		return bad(cmd, opt, arg, "given too often, 32 times at most");
	list[(*n)++] = arg;
	return 1;
}

static int number(const struct cmd *cmd, const char *opt, const char *arg, uint64_t max,
		  uint64_t *v)
{
	if (parse_u64(arg, 0, max, v))
		return 1;
	return bad(cmd, opt, arg, "needs a whole number");
}

int stack_arg(struct stack_args *a, const struct cmd *cmd, int id, const char *arg)
{
	uint64_t v = 0;
	int r = 1;

	switch (id) {
	case ST_DEV:
		a->par.dev = arg;
		return 1;
	case ST_ADDR:
		return add(cmd, a->addrs, &a->naddrs, "--addr", arg);
	case ST_PEER:
		return add(cmd, a->peers, &a->npeers, "--peer-addr", arg);
	case ST_GATEWAY:
		return add(cmd, a->gateways, &a->ngateways, "--gateway", arg);
	case ST_MTU:
		if (!parse_u64(arg, 68, 65535, &v))
			return bad(cmd, "--mtu", arg, "give 68 to 65535 bytes "
				   "(1280 or more for IPv6)");
		a->par.mtu = (unsigned)v;
		return 1;
	case ST_PCAP:
		a->par.pcap = arg;
		return 1;
	case ST_FAULT:
		a->par.fault = arg;
		return 1;
	case ST_SEED:
		r = number(cmd, "--seed", arg, UINT64_MAX, &a->par.seed);
		a->par.has_seed = r > 0;
		return r;
	case ST_SYSCTL:
		if (!strchr(arg, '='))
			return bad(cmd, "--sysctl", arg, "give NAME=VALUE");
		return add(cmd, a->sysctls, &a->nsysctls, "--sysctl", arg);
	case ST_TRACE:
		a->par.trace = arg;
		return 1;
	case ST_NODAD:
		a->par.no_dad = true;
		return 1;
	case ST_SPIN:
		r = number(cmd, "--spin-us", arg, 1000000, &v);
		a->has_spin = r > 0;
		a->spin_us = (unsigned)v;
		return r;
	case ST_NAME:
		a->par.name = arg;
		return 1;
	case ST_WAITCLOSE:
		a->wait_close = true;
		return 1;
	case ST_NOCTL:
		a->par.no_ctl = true;
		return 1;
	}
	return 0;
}

int stack_open(struct stack_args *a, const struct cmd *cmd, struct rill_engine **e)
{
	static char name[32];
	char why[256] = "";
	int r;

	if (!a->par.dev) {
		complain("%s: which device? add --dev tap:NAME or --dev packet:IF; "
			 "see `rill %s --help`", cmd->name, cmd->name);
		return EXIT_MISUSE;
	}
	if (!a->naddrs) {
		complain("%s: the stack needs an address: add --addr ADDR/LEN; "
			 "see `rill %s --help`", cmd->name, cmd->name);
		return EXIT_MISUSE;
	}
	if (!a->par.name) {
		snprintf(name, sizeof(name), "rill-%s", cmd->name);
		a->par.name = name;
	}
	r = rill_engine_open(&a->par, e, why, sizeof(why));
	if (r < 0) {
		complain("%s: %s", cmd->name, *why ? why : strerror(-r));
		return r == -EINVAL ? EXIT_MISUSE : EXIT_FAILED;
	}
	if (a->has_spin)
		rill_engine_spin_us(*e, a->spin_us);
	return EXIT_DONE;
}

/* Connections in any of @states (bits). */
static unsigned count_in(struct rill_engine *e, uint32_t states)
{
	struct rill_stack *st = rill_engine_lock(e);
	uint32_t n[RILL_TCP_STATES];
	unsigned sum = 0;

	rill_stack_state_counts(st, n);
	rill_engine_unlock(e);
	for (int i = 1; i < RILL_TCP_STATES; i++)
		if (states >> i & 1)
			sum += n[i];
	return sum;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static unsigned wait_for(struct rill_engine *e, uint32_t states, int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms, left;
	unsigned n;

	while ((n = count_in(e, states)) > 0 && (left = until - now_ms()) > 0)
		rill_engine_run(e, left < 50 ? (int)left : 50);
	return n;
}

void stack_close(const struct stack_args *a, struct rill_engine *e, int timeout_ms)
{
	unsigned n = wait_for(e, UNDELIVERED, timeout_ms);

	if (n)
		complain("%u connection%s whose end the peer did not confirm in %d ms: reset",
			 n, n == 1 ? "" : "s", timeout_ms);
	else if (a->wait_close)
		wait_for(e, UNDELIVERED | PEER_OPEN | TIME_WAIT, TIME_WAIT_MS);
	else if (timeout_ms)
		wait_for(e, PEER_OPEN, PEER_OPEN_MS);
	rill_engine_close(e);
}

const char *stack_host(const struct stack_args *a, unsigned i, char *buf, size_t n)
{
	const char *slash;
	int len;

	if (i >= a->naddrs)
		return NULL;
	slash = strchr(a->addrs[i], '/');
	len = (int)(slash ? (size_t)(slash - a->addrs[i]) : strlen(a->addrs[i]));
	snprintf(buf, n, strchr(a->addrs[i], ':') ? "[%.*s]" : "%.*s", len, a->addrs[i]);
	return buf;
}
