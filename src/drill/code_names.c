/* SPDX-License-Identifier: MIT */
/*
 * The names that %{ ... }% blocks find: Linux's and NPLab's constants, TCP_INFO and
 * SO_MEMINFO as they were at the block's time.  Names of Linux's that Rill has
 * nothing for are known too, so that the message can tell them from mistakes.
 */
#include <stddef.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"
#include "rill/stack.h"

static const struct { const char *name; int value; } constants[] = {
	{ "TCP_ESTABLISHED", RILL_ESTABLISHED },	{ "TCP_SYN_SENT", RILL_SYN_SENT },
	{ "TCP_SYN_RECV", RILL_SYN_RECV },		{ "TCP_FIN_WAIT1", RILL_FIN_WAIT1 },
	{ "TCP_FIN_WAIT2", RILL_FIN_WAIT2 },		{ "TCP_TIME_WAIT", RILL_TIME_WAIT },
	{ "TCP_CLOSE", RILL_CLOSE },			{ "TCP_CLOSE_WAIT", RILL_CLOSE_WAIT },
	{ "TCP_LAST_ACK", RILL_LAST_ACK },		{ "TCP_LISTEN", RILL_LISTEN },
	{ "TCP_CLOSING", RILL_CLOSING },
	{ "TCP_CA_Open", 0 }, { "TCP_CA_Disorder", 1 }, { "TCP_CA_CWR", 2 },
	{ "TCP_CA_Recovery", 3 }, { "TCP_CA_Loss", 4 },
	{ "TCPI_OPT_TIMESTAMPS", 1 }, { "TCPI_OPT_SACK", 2 }, { "TCPI_OPT_WSCALE", 4 },
	{ "TCPI_OPT_ECN", 8 }, { "TCPI_OPT_ECN_SEEN", 16 }, { "TCPI_OPT_SYN_DATA", 32 },
	{ "TCPI_OPT_USEC_TS", 64 }, { "TCPI_OPT_TFO_CHILD", 128 },
	/* NPLab's names of the states */
	{ "TCPI_CLOSED", RILL_CLOSE },		{ "TCPI_LISTEN", RILL_LISTEN },
	{ "TCPI_SYN_SENT", RILL_SYN_SENT },	{ "TCPI_SYN_RECEIVED", RILL_SYN_RECV },
	{ "TCPI_ESTABLISHED", RILL_ESTABLISHED }, { "TCPI_CLOSE_WAIT", RILL_CLOSE_WAIT },
	{ "TCPI_FIN_WAIT_1", RILL_FIN_WAIT1 },	{ "TCPI_CLOSING", RILL_CLOSING },
	{ "TCPI_LAST_ACK", RILL_LAST_ACK },	{ "TCPI_FIN_WAIT_2", RILL_FIN_WAIT2 },
	{ "TCPI_TIME_WAIT", RILL_TIME_WAIT },
};

static const struct { const char *name; size_t at, size; } fields[] = {
#define INFO(type, name, unit, help) \
	{ #name, offsetof(struct rill_tcp_info, name), sizeof(type) },
#include "rill/tcpinfo.def"
#undef INFO
};

/* Fields of Linux's that tcpinfo.def has not; one that it gets is found there first. */
static const char *const absent[] = {
	"ecn_mode", "accecn_opt_seen", "accecn_fail_mode", "options2", "received_ce",
	"delivered_e1_bytes", "delivered_e0_bytes", "delivered_ce_bytes",
	"received_e1_bytes", "received_e0_bytes", "received_ce_bytes",
};

static const struct { const char *name, *cc; } of_cc[] = {
	{ "bbr_bw_lo", "bbr" }, { "bbr_bw_hi", "bbr" }, { "bbr_bw", "bbr" },
	{ "bbr_min_rtt", "bbr" }, { "bbr_pacing_gain", "bbr" }, { "bbr_cwnd_gain", "bbr" },
	{ "dctcp_enabled", "dctcp" }, { "dctcp_ce_state", "dctcp" },
	{ "dctcp_alpha", "dctcp" }, { "dctcp_ab_ecn", "dctcp" }, { "dctcp_ab_tot", "dctcp" },
	{ "tcpv_enabled", "vegas" }, { "tcpv_rttcnt", "vegas" }, { "tcpv_rtt", "vegas" },
	{ "tcpv_minrtt", "vegas" }, { "tcp_rtt", "vegas" }, { "tcp_minrtt", "vegas" },
};

static const char *const meminfo[DRILL_MEMINFO] = {
	"RMEM_ALLOC", "RCVBUF", "WMEM_ALLOC", "SNDBUF", "FWD_ALLOC", "WMEM_QUEUED",
	"OPTMEM", "BACKLOG", "DROPS",
};

static int give(struct code_value *v, uint64_t n)
{
	*v = rl_drill_code_wide((rl_wide)n);
	return 1;
}

/* The bytes that Linux's struct splits into bit fields. */
static bool bit_field(const struct rill_tcp_info *i, const char *name, uint64_t *n)
{
	if (!strcmp(name, "snd_wscale"))
		*n = i->wscales & 15u;
	else if (!strcmp(name, "rcv_wscale"))
		*n = i->wscales >> 4;
	else if (!strcmp(name, "delivery_rate_app_limited"))
		*n = i->flags & 1u;
	else
		return false;
	return true;
}

static uint64_t read_field(const void *p, size_t size)
{
	uint8_t b;
	uint16_t h;
	uint32_t w;
	uint64_t d;

	switch (size) {
	case 1:	return memcpy(&b, p, 1), b;
	case 2:	return memcpy(&h, p, 2), h;
	case 4:	return memcpy(&w, p, 4), w;
	}
	return memcpy(&d, p, 8), d;
}

/* @name without "tcpi_". */
static int tcp_info(struct code_env *e, const struct code_snapshot *s, const char *name,
		    struct code_value *v)
{
	uint64_t n;

	if (bit_field(s->info, name, &n))
		return give(v, n);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!strcmp(fields[i].name, name) && strcmp(name, "wscales") &&
		    strcmp(name, "flags"))
			return give(v, read_field((const char *)s->info + fields[i].at,
						  fields[i].size));
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (!strcmp(absent[i], name))
			return rl_drill_code_lacks(e, "tcpi_%s is not known to Rill", name);
	return 0;
}

static int mem_info(struct code_env *e, const struct code_snapshot *s, const char *name,
		    struct code_value *v)
{
	for (size_t i = 0; i < DRILL_MEMINFO; i++)
		if (!strcmp(meminfo[i], name)) {
			if (s->has_mem)
				return give(v, s->mem[i]);
			return rl_drill_code_lacks(e, "SK_MEMINFO_%s needs SO_MEMINFO, which "
						   "Rill doesn't have", name);
		}
	return 0;
}

static const char *behind(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) ? NULL : name + n;
}

bool rl_drill_code_is_measured(const char *name)
{
	return behind(name, "tcpi_") || behind(name, "SK_MEMINFO_");
}

int rl_drill_code_lookup(struct code_env *e, const char *name, struct code_value *v)
{
	const struct code_snapshot *s = e->ctx;

	if (behind(name, "tcpi_"))
		return tcp_info(e, s, behind(name, "tcpi_"), v);
	if (behind(name, "SK_MEMINFO_"))
		return mem_info(e, s, behind(name, "SK_MEMINFO_"), v);
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		if (!strcmp(constants[i].name, name))
			return give(v, (uint64_t)constants[i].value);
	for (size_t i = 0; i < ARRAY_LEN(of_cc); i++)
		if (!strcmp(of_cc[i].name, name))
			return rl_drill_code_lacks(e, "%s needs congestion control %s, which "
						   "Rill doesn't have", name, of_cc[i].cc);
	return 0;
}
