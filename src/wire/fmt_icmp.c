/* SPDX-License-Identifier: MIT */
/*
 * ICMP, ICMPv6 with neighbour discovery and MLD, IGMP in tcpdump's notation.
 * Called by wire/fmt.c; the same rule holds: no read beyond view.n.
 */
#include "wire/fmt.h"

static void named(struct rl_text *t, const char *name, uint32_t v)
{
	rl_text_str(t, name);
	rl_text_dec(t, v);
}

static void length(struct rl_text *t, struct rl_view v)
{
	named(t, ", length ", (uint32_t)v.len);
}

static void echo(struct rl_text *t, const char *what, const uint8_t *p)
{
	rl_text_str(t, what);
	named(t, ", id ", get16(p + 4));
	named(t, ", seq ", get16(p + 6));
}

/* ---- ICMP ---- */

static void unreach_name(struct rl_text *t, const char *what, const uint8_t *ip)
{
	rl_text_str(t, what);
	rl_text_ip4(t, ip + 16);
	rl_text_str(t, " unreachable");
}

/* "10.0.0.2 udp port 53 unreachable" from the packet that is quoted. */
static void unreach_port(struct rl_text *t, const uint8_t *ip, size_t n)
{
	size_t hdr = (ip[0] & 15u) * 4;
	const char *proto = rl_fmt_proto(ip[9]);

	rl_text_ip4(t, ip + 16);
	rl_text_str(t, " ");
	if (proto && n >= hdr + 4) {
		rl_text_str(t, proto);
		named(t, " port ", get16(ip + hdr + 2));
	} else {
		named(t, "protocol ", ip[9]);
		rl_text_str(t, " port");
	}
	rl_text_str(t, " unreachable");
}

static void unreach4(struct rl_text *t, struct rl_view v)
{
	const uint8_t *ip = v.p + 8;

	if (v.n < 28) {
		named(t, "unreachable - code ", v.p[1]);
		return;
	}
	switch (v.p[1]) {
	case 0:
		unreach_name(t, "net ", ip);
		break;
	case 1:
		unreach_name(t, "host ", ip);
		break;
	case 2:
		rl_text_ip4(t, ip + 16);
		named(t, " protocol ", ip[9]);
		rl_text_str(t, " unreachable");
		break;
	case 3:
		unreach_port(t, ip, v.n - 8);
		break;
	case 4:
		unreach_name(t, "", ip);
		named(t, " - need to frag (mtu ", get16(v.p + 6));
		rl_text_str(t, ")");
		break;
	default:
		unreach_name(t, "", ip);
		named(t, " - code ", v.p[1]);
	}
}

void rl_fmt_icmp4(struct rl_text *t, struct rl_view v)
{
	rl_text_str(t, "ICMP ");
	if (v.n < 8) {
		rl_text_str(t, "[|icmp]");
		return;
	}
	switch (v.p[0]) {
	case 0:
		echo(t, "echo reply", v.p);
		break;
	case 8:
		echo(t, "echo request", v.p);
		break;
	case 3:
		unreach4(t, v);
		break;
	case 11:
		rl_text_str(t, v.p[1] ? "ip reassembly time exceeded" :
					"time exceeded in-transit");
		break;
	case 12:
		rl_text_str(t, "parameter problem - ");
		named(t, v.p[1] ? "code " : "octet ", v.p[1] ? v.p[1] : v.p[4]);
		break;
	default:
		named(t, "type-#", v.p[0]);
	}
	length(t, v);
}

/* ---- ICMPv6 ---- */

static const char *const unreach6_names[] = {
	"unreachable route", "unreachable prohibited", "beyond scope",
	"unreachable address", "unreachable port",
};

/* v: the packet that is quoted. */
static void quoted6(struct rl_text *t, struct rl_view v)
{
	const char *proto;

	if (v.n < 40)
		return;
	rl_text_str(t, " ");
	rl_text_ip6(t, v.p + 24);
	proto = rl_fmt_proto(v.p[6]);
	if (!proto || v.n < 44)
		return;
	rl_text_str(t, " ");
	rl_text_str(t, proto);
	named(t, " port ", get16(v.p + 42));
}

static void unreach6(struct rl_text *t, struct rl_view v)
{
	struct rl_view q = { v.p + 8, v.n - 8, v.n - 8 };
	uint8_t code = v.p[1];

	rl_text_str(t, "destination unreachable, ");
	if (code >= ARRAY_LEN(unreach6_names)) {
		named(t, "code ", code);
		return;
	}
	rl_text_str(t, unreach6_names[code]);
	if (code == 4) {
		rl_text_str(t, ",");
		quoted6(t, q);
	} else if (q.n >= 40) {
		rl_text_str(t, " ");
		rl_text_ip6(t, q.p + 24);
	}
}

static void problem6(struct rl_text *t, struct rl_view v)
{
	static const char *const what[] = { "erroneous field", "next header", "option" };

	rl_text_str(t, "parameter problem, ");
	if (v.p[1] < ARRAY_LEN(what))
		rl_text_str(t, what[v.p[1]]);
	else
		named(t, "code-#", v.p[1]);
	named(t, " - octet ", get32(v.p + 4));
}

static void target(struct rl_text *t, const char *what, struct rl_view v)
{
	rl_text_str(t, what);
	if (v.n >= 24)
		rl_text_ip6(t, v.p + 8);
	else
		rl_text_str(t, "[|icmp6]");
}

static void mld_group(struct rl_text *t, const char *what, struct rl_view v)
{
	rl_text_str(t, what);
	named(t, " max resp delay: ", get16(v.p + 4));
	target(t, " addr: ", v);
}

void rl_fmt_icmp6(struct rl_text *t, struct rl_view v)
{
	rl_text_str(t, "ICMP6, ");
	if (v.n < 8) {
		rl_text_str(t, "[|icmp6]");
		return;
	}
	switch (v.p[0]) {
	case 1:
		unreach6(t, v);
		break;
	case 2:
		named(t, "packet too big, mtu ", get32(v.p + 4));
		break;
	case 3:
		rl_text_str(t, v.p[1] ? "time exceeded in-reassembly" :
					"time exceeded in-transit");
		break;
	case 4:
		problem6(t, v);
		break;
	case 128:
		echo(t, "echo request", v.p);
		break;
	case 129:
		echo(t, "echo reply", v.p);
		break;
	case 130:
		mld_group(t, "multicast listener query", v);
		break;
	case 131:
		mld_group(t, "multicast listener report", v);
		break;
	case 132:
		mld_group(t, "multicast listener done", v);
		break;
	case 133:
		rl_text_str(t, "router solicitation");
		break;
	case 134:
		rl_text_str(t, "router advertisement");
		break;
	case 135:
		target(t, "neighbor solicitation, who has ", v);
		break;
	case 136:
		target(t, "neighbor advertisement, tgt is ", v);
		break;
	case 137:
		target(t, "redirect, ", v);
		break;
	case 143:
		named(t, "multicast listener report v2, ", get16(v.p + 6));
		rl_text_str(t, " group record(s)");
		break;
	default:
		named(t, "unknown icmp6 type (", v.p[0]);
		rl_text_str(t, ")");
	}
	length(t, v);
}

/* ---- IGMP ---- */

void rl_fmt_igmp(struct rl_text *t, struct rl_view v)
{
	rl_text_str(t, "igmp ");
	if (v.n < 8) {
		rl_text_str(t, "[|igmp]");
		return;
	}
	switch (v.p[0]) {
	case 0x11:
		rl_text_str(t, "query");
		break;
	case 0x12:
	case 0x16:
		rl_text_str(t, v.p[0] == 0x12 ? "v1 report " : "v2 report ");
		rl_text_ip4(t, v.p + 4);
		break;
	case 0x17:
		rl_text_str(t, "leave ");
		rl_text_ip4(t, v.p + 4);
		break;
	case 0x22:
		named(t, "v3 report, ", get16(v.p + 6));
		rl_text_str(t, " group record(s)");
		break;
	default:
		named(t, "type-", v.p[0]);
	}
}
