/* SPDX-License-Identifier: MIT */
/*
 * How ss(8) writes a socket's addresses, timer, details and memory: the same words
 * in the same order, so that what reads ss's output reads ours.  Hot for hosts with
 * many sockets: ports and addresses are written without printf, and names of
 * services, devices and hosts are looked up once.
 */
#include "tools/ss_fmt.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/cgroup.h"

void ss_put(struct ss_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->n - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = t->len + (size_t)n < t->n ? t->len + (size_t)n : t->n - 1;
}

void ss_puts(struct ss_text *t, const char *s)
{
	while (*s && t->len + 1 < t->n)
		t->p[t->len++] = *s++;
	t->p[t->len] = '\0';
}

static void put_number(struct ss_text *t, unsigned v)
{
	char digits[12], *p = digits + sizeof(digits);

	*--p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	ss_puts(t, p);
}

/* ---- addresses ---- */

static bool is_any(const struct rill_addr *a)
{
	return !(a->ip.q[0] | a->ip.q[1]);
}

static bool is_v4(const struct rill_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip.b, mapped, sizeof(mapped));
}

static bool is_any4(const struct rill_addr *a)
{
	return !(a->ip.b[12] | a->ip.b[13] | a->ip.b[14] | a->ip.b[15]);
}

#define NAMES	1024		/* hosts remembered; a power of two */

/* Return: the name of @a, IPv4 also when it is mapped; "" when it has none. */
static const char *host_name(const struct rill_addr *a)
{
	static struct {
		bool	known;
		uint8_t	ip[16];
		char	name[64];
	} cache[NAMES];
	struct sockaddr_in6 s6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in s4 = { .sin_family = AF_INET };
	bool v4 = is_v4(a);
	unsigned h = 0;

	for (int i = 0; i < 16; i++)
		h = h * 31 + a->ip.b[i];
	h &= NAMES - 1;
	if (cache[h].known && !memcmp(cache[h].ip, a->ip.b, 16))
		return cache[h].name;
	cache[h].known = true;
	memcpy(cache[h].ip, a->ip.b, 16);
	memcpy(&s6.sin6_addr, a->ip.b, 16);
	memcpy(&s4.sin_addr, a->ip.b + 12, 4);
	if (getnameinfo(v4 ? (struct sockaddr *)&s4 : (struct sockaddr *)&s6,
			v4 ? sizeof(s4) : sizeof(s6), cache[h].name, sizeof(cache[h].name),
			NULL, 0, NI_NAMEREQD) != 0)
		cache[h].name[0] = '\0';
	return cache[h].name;
}

static void put_v4(struct ss_text *t, const uint8_t *b)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			ss_puts(t, ".");
		put_number(t, b[i]);
	}
}

static void put_ip(struct ss_text *t, const struct rill_addr *a, bool v4)
{
	char text[INET6_ADDRSTRLEN];

	if (v4) {
		put_v4(t, a->ip.b + 12);
		return;
	}
	ss_puts(t, "[");
	ss_puts(t, inet_ntop(AF_INET6, a->ip.b, text, sizeof(text)));
	ss_puts(t, "]");
}

/* "%eth0" */
static void put_device(struct ss_text *t, uint32_t ifindex)
{
	static char name[IF_NAMESIZE + 8];
	static uint32_t last;

	if (ifindex != last && !if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	last = ifindex;
	ss_puts(t, "%");
	ss_puts(t, name);
}

void ss_addr(struct ss_text *t, const struct rill_sock *s, bool local, bool resolve)
{
	const struct rill_addr *a = local ? &s->local : &s->peer;
	bool v4 = s->family == 4;
	const char *name = "";

	if (s->family == 0 && is_any(a))
		name = "*";
	else if (resolve && !(v4 ? is_any4(a) : is_any(a)))
		name = host_name(a);
	if (*name)
		ss_puts(t, name);
	else
		put_ip(t, a, v4);
	if (local && s->ifindex && s->source == RILL_SRC_KERNEL)
		put_device(t, s->ifindex);
}

/* ---- ports ---- */

/* Ports that the kernel gives out are nobody's service, whatever a list says. */
static bool is_ephemeral(uint16_t port)
{
	static unsigned lo, hi;

	if (!hi) {
		FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

		if (!f || fscanf(f, "%u %u", &lo, &hi) != 2) {
			lo = 32768;
			hi = 60999;
		}
		if (f)
			fclose(f);
	}
	return port >= lo && port <= hi;
}

/* Return: the service's name, NULL when it has none. */
static const char *service(uint16_t port, bool udp)
{
	static char *cache[2][1 << 16];
	static char none[] = "";
	char **p = &cache[udp][port];

	if (!*p) {
		const struct servent *se = is_ephemeral(port) ? NULL :
			getservbyport(htons(port), udp ? "udp" : "tcp");

		*p = se ? strdup(se->s_name) : none;
	}
	return *p && **p ? *p : NULL;
}

void ss_port(struct ss_text *t, uint16_t port, bool udp, bool numeric)
{
	const char *name = numeric || !port ? NULL : service(port, udp);

	if (!port)
		ss_puts(t, "*");
	else if (name)
		ss_puts(t, name);
	else
		put_number(t, port);
}

/* ---- states and timers ---- */

const char *ss_state(const struct rill_sock *s)
{
	if (s->proto == IPPROTO_UDP)
		return s->state == RILL_ESTABLISHED ? "ESTAB" : "UNCONN";
	if (s->state == RILL_CLOSE)
		return "UNCONN";
	return s->state && s->state < RILL_TCP_STATES ? rill_state_ss(s->state) : "UNKNOWN";
}

const char *ss_timer_name(int kind)
{
	static const char *const names[] = {
		[RILL_TMR_NONE] = "off", [RILL_TMR_RTX] = "on",
		[RILL_TMR_KEEP] = "keepalive", [RILL_TMR_TIMEWAIT] = "timewait",
		[RILL_TMR_PERSIST] = "persist", [RILL_TMR_DELACK] = "delack",
	};

	return kind >= 0 && kind <= RILL_TMR_DELACK ? names[kind] : "unknown";
}

const char *ss_time(uint64_t ms, char *buf, size_t n)
{
	unsigned min = (unsigned)(ms / 60000), sec = (unsigned)(ms / 1000 % 60);
	struct ss_text t = { buf, n, 0 };
	unsigned rest = (unsigned)(ms % 1000);

	buf[0] = '\0';
	if (min) {
		rest = 0;
		ss_put(&t, "%umin", min);
		if (min > 9)
			sec = 0;
	}
	if (sec) {
		if (sec > 9)
			rest = 0;
		ss_put(&t, "%u%s", sec, rest ? "." : "sec");
	}
	if (rest)
		ss_put(&t, "%03ums", rest);
	if (!t.len)
		ss_put(&t, "0");
	return buf;
}

void ss_timer(struct ss_text *t, const struct rill_sock *s)
{
	char text[40];

	/* what overflows has fired */
	if (s->timer != RILL_TMR_NONE)
		ss_put(t, " timer:(%s,%s,%u)", ss_timer_name(s->timer),
		       ss_time(s->timer_ms > 0 && s->timer_ms <= INT32_MAX
			       ? (uint64_t)s->timer_ms : 0, text, sizeof(text)), s->tries);
}

/* ---- users, details, memory ---- */

/* A stack's are always shown: they tell its sockets from the kernel's. */
void ss_users(struct ss_text *t, const struct rill_sock *s, bool owners)
{
	if (s->source == RILL_SRC_RILL) {
		ss_put(t, " users:((\"%s\",pid=%d))", s->stack, s->pid);
		return;
	}
	if (!owners || !s->nowners)
		return;
	ss_puts(t, " users:(");
	for (unsigned i = s->nowners; i-- > 0; )	/* ss has the last one first */
		ss_put(t, "(\"%s\",pid=%d,fd=%d)%s", s->owners[i].comm, s->owners[i].pid,
		       s->owners[i].fd, i ? "," : "");
	ss_puts(t, ")");
}

/* Which directions are still open, by what the state says. */
static const char *directions(const struct rill_sock *s)
{
	switch (s->state) {
	case RILL_FIN_WAIT1:
	case RILL_FIN_WAIT2:
		return "<--";		/* we have finished sending */
	case RILL_CLOSE_WAIT:
		return "-->";
	case RILL_LAST_ACK:
	case RILL_CLOSING:
	case RILL_TIME_WAIT:
		return "---";
	}
	return "<->";
}

static void rill_details(struct ss_text *t, const struct rill_sock *s)
{
	char text[40];

	if (s->uid > 0)
		ss_put(t, " uid:%" PRId64, s->uid);
	ss_put(t, " sk:%" PRIx64, s->cookie);
	if (s->half_open)
		ss_put(t, " half-open");
	if (s->orphan)
		ss_put(t, " orphan");
	ss_put(t, " age:%s %s", ss_time(s->age_ms > 0 ? (uint64_t)s->age_ms : 0, text,
					sizeof(text)), directions(s));
}

/* What the kernel keeps no whole socket for: it says less of these. */
static bool is_small(const struct rill_sock *s)
{
	return s->state == RILL_TIME_WAIT || (s->half_open && !s->inode) ||
	       (s->state == RILL_FIN_WAIT2 && s->timer == RILL_TMR_TIMEWAIT);
}

static void kernel_details(struct ss_text *t, const struct rill_sock *s)
{
	char path[512];

	if (s->uid > 0)
		ss_put(t, " uid:%" PRId64, s->uid);
	ss_put(t, " ino:%" PRIu64 " sk:%" PRIx64, s->inode, s->cookie);
	if (s->mark)
		ss_put(t, " fwmark:0x%x", s->mark);
	if (s->cgroup)
		ss_put(t, " cgroup:%s", rl_cgroup_path(s->cgroup, path, sizeof(path)));
	if (is_small(s))
		return;
	if (s->family != 4 && (s->state == RILL_LISTEN || s->state == RILL_CLOSE))
		ss_put(t, " v6only:%d", s->v6only);
	ss_put(t, " %c-%c", s->shutdown & 1 ? '-' : '<', s->shutdown & 2 ? '-' : '>');
}

void ss_details(struct ss_text *t, const struct rill_sock *s)
{
	if (s->source == RILL_SRC_RILL)
		rill_details(t, s);
	else
		kernel_details(t, s);
}

void ss_memory(struct ss_text *t, const struct rill_sock *s)
{
	if (s->has_mem)
		ss_put(t, " skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o%u,bl%u,d%u)", s->rmem_alloc,
		       s->rcvbuf, s->wmem_alloc, s->sndbuf, s->fwd_alloc, s->wmem_queued,
		       s->optmem, s->backlog, s->drops);
}
