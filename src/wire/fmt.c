/* SPDX-License-Identifier: MIT */
/*
 * One frame as one line, in the notation of tcpdump (-n, with absolute sequence
 * numbers as by -S), which people who debug TCP read fluently.
 *
 * Nothing is believed: every read is bounded by what was captured, and lengths
 * from headers are only used to say what is missing.  Called by the tools and
 * the engine for traces; fuzz/fmt.c feeds it any bytes.
 */
#include "wire/fmt.h"
#include "wire/tcp_hdr.h"

#define MAX_EXT		8	/* IPv6 extension headers that are followed */

enum ethertype { ET_IP4 = 0x0800, ET_ARP = 0x0806, ET_IP6 = 0x86dd };

enum proto {
	P_HBH = 0, P_ICMP = 1, P_IGMP = 2, P_TCP = 6, P_UDP = 17, P_ROUTE = 43,
	P_FRAG = 44, P_ICMP6 = 58, P_NONE = 59, P_DSTOPT = 60,
};

/*
 * The addresses, which stand in front of the ports; once @said (IPv6 extension
 * headers come behind the addresses) the ports stand alone.
 */
struct ends {
	const uint8_t	*src, *dst;
	bool		v6, said;
	const struct rl_fmt_how *how;
};

static struct rl_view skip(struct rl_view v, size_t n)
{
	size_t cut = RL_MIN(n, v.n);

	return (struct rl_view){ v.p + cut, v.n - cut, v.len - RL_MIN(n, v.len) };
}

static void addr(struct rl_text *t, const struct ends *e, const uint8_t *a)
{
	if (e->v6)
		rl_text_ip6(t, a);
	else
		rl_text_ip4(t, a);
}

static void hosts(struct rl_text *t, const struct ends *e)
{
	if (e->said)
		return;
	addr(t, e, e->src);
	rl_text_str(t, " > ");
	addr(t, e, e->dst);
	rl_text_str(t, ": ");
}

static void named(struct rl_text *t, const char *name, uint32_t v)
{
	rl_text_str(t, name);
	rl_text_dec(t, v);
}

static void end_port(struct rl_text *t, const struct ends *e, const uint8_t *a,
		     uint16_t port, bool is_tcp)
{
	const char *name = e->how->port ? e->how->port(port, is_tcp) : NULL;

	if (!e->said) {
		addr(t, e, a);
		rl_text_str(t, ".");
	}
	if (name)
		rl_text_str(t, name);
	else
		rl_text_dec(t, port);
}

static void hosts_ports(struct rl_text *t, const struct ends *e, const uint8_t *ports,
			bool is_tcp)
{
	end_port(t, e, e->src, get16(ports), is_tcp);
	rl_text_str(t, " > ");
	end_port(t, e, e->dst, get16(ports + 2), is_tcp);
	rl_text_str(t, ": ");
}

const char *rl_fmt_proto(uint8_t proto)
{
	switch (proto) {
	case P_ICMP:
		return "icmp";
	case P_IGMP:
		return "igmp";
	case P_TCP:
		return "tcp";
	case P_UDP:
		return "udp";
	case P_ICMP6:
		return "ipv6-icmp";
	}
	return NULL;
}

/* ---- TCP ---- */

static void tcp_flags(struct rl_text *t, uint8_t flags)
{
	static const struct {
		uint8_t bit;
		char name[2];
	} names[] = {
		{ TH_FIN, "F" }, { TH_SYN, "S" }, { TH_RST, "R" }, { TH_PSH, "P" },
		{ TH_ACK, "." }, { TH_URG, "U" }, { TH_ECE, "E" }, { TH_CWR, "W" },
	};

	rl_text_str(t, "Flags [");
	if (!flags)
		rl_text_str(t, "none");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (flags & names[i].bit)
			rl_text_str(t, names[i].name);
	rl_text_str(t, "]");
}

static void sack_blocks(struct rl_text *t, const uint8_t *p, size_t n, uint32_t ack0)
{
	named(t, "sack ", (uint32_t)(n / 8));
	rl_text_str(t, " ");
	for (; n >= 8; n -= 8, p += 8) {
		named(t, "{", get32(p) - ack0);
		named(t, ":", get32(p + 4) - ack0);
		rl_text_str(t, "}");
	}
}

/* One option of @len bytes, kind and length included. */
static void tcp_option(struct rl_text *t, const uint8_t *p, size_t len, uint32_t ack0)
{
	if (p[0] == OPT_MSS && len == 4) {
		named(t, "mss ", get16(p + 2));
	} else if (p[0] == OPT_WSCALE && len == 3) {
		named(t, "wscale ", p[2]);
	} else if (p[0] == OPT_SACK_OK && len == 2) {
		rl_text_str(t, "sackOK");
	} else if (p[0] == OPT_SACK && len > 2 && len % 8 == 2) {
		sack_blocks(t, p + 2, len - 2, ack0);
	} else if (p[0] == OPT_TS && len == 10) {
		named(t, "TS val ", get32(p + 2));
		named(t, " ecr ", get32(p + 6));
	} else {
		named(t, "unknown-", p[0]);
		if (len > 2)
			rl_text_str(t, " 0x");
		rl_text_hex(t, p + 2, len - 2);
	}
}

static void tcp_options(struct rl_text *t, const uint8_t *p, size_t n, uint32_t ack0)
{
	const uint8_t *end = p + n;
	const char *comma = "";

	rl_text_str(t, ", options [");
	while (p < end) {
		size_t len = 1;

		rl_text_str(t, comma);
		comma = ",";
		if (*p == OPT_EOL) {
			rl_text_str(t, "eol");
			break;
		}
		if (*p == OPT_NOP) {
			rl_text_str(t, "nop");
		} else if (end - p < 2 || p[1] < 2 || p[1] > end - p) {
			rl_text_str(t, "[bad opt]");
			break;
		} else {
			len = p[1];
			tcp_option(t, p, len, ack0);
		}
		p += len;
	}
	rl_text_str(t, "]");
}

static void tcp_numbers(struct rl_text *t, const uint8_t *h, uint32_t data,
			const struct rl_fmt_how *how)
{
	uint32_t seq = get32(h + 4) - how->seq0;
	uint8_t flags = h[13];

	if (data || (flags & (TH_SYN | TH_FIN | TH_RST))) {
		named(t, ", seq ", seq);
		if (data)
			named(t, ":", seq + data);
	}
	if (flags & TH_ACK)
		named(t, ", ack ", get32(h + 8) - how->ack0);
	named(t, ", win ", get16(h + 14));
	if (flags & TH_URG)
		named(t, ", urg ", get16(h + 18));
}

static void tcp(struct rl_text *t, const struct ends *e, struct rl_view v)
{
	size_t hdr;

	if (v.n < TCP_HDR_LEN) {
		hosts(t, e);
		rl_text_str(t, "[|tcp]");
		return;
	}
	hosts_ports(t, e, v.p, true);
	hdr = (v.p[12] >> 4) * 4u;
	if (hdr < TCP_HDR_LEN || hdr > v.len) {
		named(t, "tcp [bad hdr length ", (uint32_t)hdr);
		rl_text_str(t, "]");
		return;
	}
	if (e->how->quiet) {
		named(t, "tcp ", (uint32_t)(v.len - hdr));
		return;
	}
	tcp_flags(t, v.p[13]);
	tcp_numbers(t, v.p, (uint32_t)(v.len - hdr), e->how);
	if (hdr > v.n)
		rl_text_str(t, " [|tcp]");
	else if (hdr > TCP_HDR_LEN)
		tcp_options(t, v.p + TCP_HDR_LEN, hdr - TCP_HDR_LEN, e->how->ack0);
	named(t, ", length ", (uint32_t)(v.len - hdr));
}

static void udp(struct rl_text *t, const struct ends *e, struct rl_view v)
{
	uint16_t len;

	if (v.n < 8) {
		hosts(t, e);
		rl_text_str(t, "[|udp]");
		return;
	}
	hosts_ports(t, e, v.p, false);
	len = get16(v.p + 4);
	if (len < 8) {
		named(t, "UDP, bad length ", len);
		return;
	}
	named(t, "UDP, length ", len - 8u);
}

/* ---- IP ---- */

static void unknown_proto(struct rl_text *t, uint8_t proto, size_t len)
{
	named(t, "ip-proto-", proto);
	named(t, " ", (uint32_t)len);
}

static void transport(struct rl_text *t, const struct ends *e, uint8_t proto,
		      struct rl_view v)
{
	if (proto == P_TCP) {
		tcp(t, e, v);
	} else if (proto == P_UDP) {
		udp(t, e, v);
	} else {
		hosts(t, e);
		if (proto == P_ICMP && !e->v6)
			rl_fmt_icmp4(t, v);
		else if (proto == P_ICMP6 && e->v6)
			rl_fmt_icmp6(t, v);
		else if (proto == P_IGMP && !e->v6)
			rl_fmt_igmp(t, v);
		else if (proto == P_NONE && e->v6)
			rl_text_str(t, "no next header");
		else
			unknown_proto(t, proto, v.len);
	}
}

/* Bytes that the header promises and the frame does not have. */
static void missing(struct rl_text *t, const char *name, size_t have, size_t want)
{
	if (have >= want)
		return;
	rl_text_str(t, "truncated-");
	rl_text_str(t, name);
	named(t, " - ", (uint32_t)(want - have));
	rl_text_str(t, " bytes missing! ");
}

/* " (frag ID:BYTES@OFFSET+)": the plus sign means that more follow. */
static void frag4(struct rl_text *t, const uint8_t *ip, size_t bytes)
{
	uint16_t f = get16(ip + 6);

	named(t, " (frag ", get16(ip + 4));
	named(t, ":", (uint32_t)bytes);
	named(t, "@", (f & 0x1fffu) * 8);
	rl_text_str(t, f & 0x2000 ? "+)" : ")");
}

static void ip4(struct rl_text *t, const uint8_t *p, size_t n, const struct rl_fmt_how *how)
{
	struct ends e = { p + 12, p + 16, false, false, how };
	struct rl_view v = { p, n, n };
	size_t hdr, total;
	uint16_t frag;

	if (n < 20) {
		rl_text_str(t, "IP [|ip]");
		return;
	}
	hdr = (p[0] & 15u) * 4;
	total = get16(p + 2) ? get16(p + 2) : n;	/* 0: a large super-segment */
	if (hdr < 20 || total < hdr) {
		named(t, hdr < 20 ? "IP bad-hlen " : "IP bad-len ",
		      (uint32_t)(hdr < 20 ? hdr : total));
		return;
	}
	rl_text_str(t, "IP ");
	missing(t, "ip", n, total);
	v.len = total;
	v.n = RL_MIN(n, total);
	v = skip(v, hdr);
	frag = get16(p + 6);
	if (!(frag & 0x1fff)) {
		transport(t, &e, p[9], v);
	} else {
		hosts(t, &e);
		if (rl_fmt_proto(p[9]))
			rl_text_str(t, rl_fmt_proto(p[9]));
		else
			named(t, "ip-proto-", p[9]);
	}
	if (frag & 0x3fff)
		frag4(t, p, v.len);
}

/* A header that says its own length.  Return: that, or 0 when it is not there. */
static size_t ext_len(struct rl_view v)
{
	size_t len = v.n >= 2 ? (v.p[1] + 1u) * 8 : 0;

	return len <= v.n ? len : 0;
}

/* Return: whether the transport header follows. */
static bool frag6(struct rl_text *t, struct rl_view *v, uint8_t *next)
{
	uint16_t f;

	if (v->n < 8) {
		rl_text_str(t, "[|frag]");
		return false;
	}
	f = get16(v->p + 2);
	*next = v->p[0];
	named(t, "frag (", f & ~7u);
	*v = skip(*v, 8);
	named(t, "|", (uint32_t)v->len);
	rl_text_str(t, f & ~7 ? ")" : ") ");
	return !(f & ~7);
}

static void ip6_payload(struct rl_text *t, struct ends *e, uint8_t next,
			struct rl_view v)
{
	for (int i = 0; i < MAX_EXT; i++) {
		size_t len;

		if (next != P_HBH && next != P_DSTOPT && next != P_ROUTE && next != P_FRAG)
			break;
		hosts(t, e);
		e->said = true;
		if (next == P_FRAG) {
			if (!frag6(t, &v, &next))
				return;
			continue;
		}
		rl_text_str(t, next == P_HBH ? "HBH " : next == P_ROUTE ? "RT6 " : "DSTOPT ");
		len = ext_len(v);
		if (!len) {
			rl_text_str(t, "[|ip6]");
			return;
		}
		next = v.p[0];
		v = skip(v, len);
	}
	transport(t, e, next, v);
}

static void ip6(struct rl_text *t, const uint8_t *p, size_t n, const struct rl_fmt_how *how)
{
	struct ends e = { p + 8, p + 24, true, false, how };
	struct rl_view v = { p, n, n };

	if (n < 40) {
		rl_text_str(t, "IP6 [|ip6]");
		return;
	}
	rl_text_str(t, "IP6 ");
	if (get16(p + 4))
		v.len = get16(p + 4) + 40u;
	missing(t, "ip6", n, v.len);
	v.n = RL_MIN(n, v.len);
	ip6_payload(t, &e, p[6], skip(v, 40));
}

static void ip(struct rl_text *t, const uint8_t *p, size_t n, const struct rl_fmt_how *how)
{
	if (n && p[0] >> 4 == 6)
		ip6(t, p, n, how);
	else if (n && p[0] >> 4 != 4)
		named(t, "IP", p[0] >> 4);
	else
		ip4(t, p, n, how);
}

/* ---- below IP ---- */

static void arp(struct rl_text *t, const uint8_t *p, size_t n)
{
	uint16_t op;

	rl_text_str(t, "ARP, ");
	if (n < 28 || get16(p + 2) != ET_IP4 || p[4] != 6 || p[5] != 4) {
		rl_text_str(t, "[|arp]");
		named(t, ", length ", (uint32_t)n);
		return;
	}
	op = get16(p + 6);
	if (op == 1) {
		rl_text_str(t, "Request who-has ");
		rl_text_ip4(t, p + 24);
		rl_text_str(t, " tell ");
		rl_text_ip4(t, p + 14);
	} else if (op == 2) {
		rl_text_str(t, "Reply ");
		rl_text_ip4(t, p + 14);
		rl_text_str(t, " is-at ");
		rl_text_mac(t, p + 8);
	} else {
		named(t, "Unknown (", op);
		rl_text_str(t, ")");
	}
	named(t, ", length ", (uint32_t)n);
}

static void ether(struct rl_text *t, const uint8_t *p, size_t n, const struct rl_fmt_how *how)
{
	uint16_t type;
	uint8_t be[2];

	if (n < 14) {
		rl_text_str(t, "[|ether]");
		return;
	}
	type = get16(p + 12);
	if (type == ET_IP4 || type == ET_IP6) {
		ip(t, p + 14, n - 14, how);
		return;
	}
	if (type == ET_ARP) {
		arp(t, p + 14, n - 14);
		return;
	}
	rl_text_mac(t, p + 6);
	rl_text_str(t, " > ");
	rl_text_mac(t, p);
	put16(be, type);
	rl_text_str(t, ", ethertype 0x");
	rl_text_hex(t, be, 2);
	named(t, ", length ", (uint32_t)n);
}

size_t rl_fmt_frame_how(char *buf, size_t size, const uint8_t *frame, size_t n,
			const struct rl_fmt_how *how)
{
	struct rl_text t;

	rl_text_init(&t, buf, size);
	if (how->ether)
		ether(&t, frame, n, how);
	else if (how->ethertype == ET_ARP)
		arp(&t, frame, n);
	else
		ip(&t, frame, n, how);
	return t.len;
}

size_t rl_fmt_frame(char *buf, size_t size, const uint8_t *frame, size_t n, bool eth)
{
	const struct rl_fmt_how how = { .ether = eth };

	return rl_fmt_frame_how(buf, size, frame, n, &how);
}
