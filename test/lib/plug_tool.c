// SPDX-License-Identifier: MIT
/* The original packetdrill's side of its plug-in interface: see plug_tool.h. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plug_tool.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEEPBIND	0		/* sanitizers must see the module's malloc() */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DEEPBIND	0
#endif
#endif
#ifndef DEEPBIND
#define DEEPBIND	RTLD_DEEPBIND
#endif

/* It lies beside this program's directory, or where RILL_PLUGIN_DIR says. */
static void *load(const char *name, int flags)
{
	const char *dir = getenv("RILL_PLUGIN_DIR");
	char exe[PATH_MAX], so[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *cut;

	if (n < 0)
		return NULL;
	exe[n] = 0;
	for (int i = 0; i < 3; i++)	/* build/test/unit/NAME */
		if ((cut = strrchr(exe, '/')))
			*cut = 0;
	snprintf(so, sizeof(so), "%s/%s", dir ? dir : strcat(exe, "/src"), name);
	return dlopen(so, RTLD_NOW | flags);
}

void *tool_load(void)
{
	return load("librill-packetdrill.so", RTLD_LOCAL | RTLD_NODELETE | DEEPBIND);
}

void *tool_load_preload(void)
{
	return load("librill-packetdrill-preload.so", RTLD_GLOBAL);
}

static long long read_clock(struct tool *t)
{
	struct timeval tv = { 0 };

	CALL(t, gettimeofday, &tv, NULL);
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

bool tool_begin(struct tool *t, const char *flags)
{
	void (*init)(const char *, struct plug_table *);

	*t = (struct tool){ .so = tool_load(), .lport = TOOL_PORT, .rport = 40000 };
	if (!t->so)
		return false;
	*(void **)&init = dlsym(t->so, "packetdrill_interface_init");
	if (!init)
		return false;
	init(flags, &t->t);
	inet_pton(AF_INET, "192.168.0.1", t->local);
	inet_pton(AF_INET, "192.0.2.1", t->remote);
	t->start_us = read_clock(t) + 250;
	return true;
}

void tool_end(struct tool *t)
{
	t->t.free(t->t.self);
	dlclose(t->so);
}

long long tool_now(struct tool *t)
{
	return read_clock(t) - t->start_us;
}

void tool_until(struct tool *t, long long us)
{
	long long left = us - tool_now(t);

	if (left > 20)
		CALL(t, usleep, (useconds_t)(left - 20));
	while (tool_now(t) < us)
		;
}

socklen_t tool_addr(const struct tool *t, int domain, bool remote, struct sockaddr_storage *a)
{
	const uint8_t *ip = remote ? t->remote : t->local;
	struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)a;
	struct sockaddr_in *s4 = (struct sockaddr_in *)a;

	memset(a, 0, sizeof(*a));
	if (domain == AF_INET) {
		s4->sin_family = AF_INET;
		s4->sin_port = htons(TOOL_PORT);
		memcpy(&s4->sin_addr, ip, 4);
		return sizeof(*s4);
	}
	s6->sin6_family = AF_INET6;
	s6->sin6_port = htons(TOOL_PORT);
	if (t->v6) {
		memcpy(&s6->sin6_addr, ip, 16);
	} else {
		memset(s6->sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(s6->sin6_addr.s6_addr + 12, ip, 4);
	}
	return sizeof(*s6);
}

/* ---- packets ---- */

static uint32_t sum16(const uint8_t *b, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v & 0xffff);
}

static unsigned get16(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

/* Transport header of @s at @b; where its checksum lies. */
static size_t put_transport(const struct tool *t, const struct seg *s, uint8_t *b,
			    size_t *sum_at)
{
	size_t hdr = s->proto == IPPROTO_UDP ? 8 : 20 + s->nopts;

	put16(b, s->sport ? s->sport : t->rport);
	put16(b + 2, s->dport ? s->dport : t->lport);
	*sum_at = s->proto == IPPROTO_UDP ? 6 : 16;
	if (s->proto == IPPROTO_UDP) {
		put16(b + 4, (unsigned)(8 + s->len));
		return hdr;
	}
	put32(b + 4, s->seq);
	put32(b + 8, s->ack);
	b[12] = (uint8_t)(hdr / 4 << 4);
	b[13] = s->flags;
	put16(b + 14, s->win);
	memcpy(b + 20, s->opts, s->nopts);
	return hdr;
}

static void put_ip(const struct tool *t, uint8_t *b, size_t total, uint8_t proto)
{
	if (t->v6) {
		b[0] = 0x60;
		put16(b + 4, (unsigned)(total - 40));
		b[6] = proto;
		b[7] = 255;
		memcpy(b + 8, t->remote, 16);
		memcpy(b + 24, t->local, 16);
		return;
	}
	b[0] = 0x45;
	put16(b + 2, (unsigned)total);
	b[8] = 255;
	b[9] = proto;
	memcpy(b + 12, t->remote, 4);
	memcpy(b + 16, t->local, 4);
	put16(b + 10, 0xffff & ~sum16(b, 20, 0));
}

int tool_in(struct tool *t, const struct seg *s)
{
	size_t ip = t->v6 ? 40 : 20, alen = t->v6 ? 16 : 4, hdr, n, at;
	struct seg seg = *s;
	uint8_t *b = calloc(1, 65536);
	uint32_t sum;
	int r;

	if (!b)
		abort();
	seg.proto = s->proto ? s->proto : IPPROTO_TCP;
	hdr = put_transport(t, &seg, b + ip, &at);
	n = hdr + s->len;
	put_ip(t, b, ip + n, seg.proto);
	sum = sum16(t->remote, alen, seg.proto);
	sum = sum16(t->local, alen, sum + (uint32_t)n);
	put16(b + ip + at, 0xffff & ~sum16(b + ip, n, sum));
	r = CALL(t, netdev_send, b, ip + n);
	free(b);
	return r;
}

static bool parse_tcp(const uint8_t *b, size_t n, struct seg *s)
{
	size_t hdr = n >= 20 ? (b[12] >> 4) * 4u : 0;

	if (hdr < 20 || hdr > n)
		return false;
	s->seq = get32(b + 4);
	s->ack = get32(b + 8);
	s->flags = b[13];
	s->win = (uint16_t)get16(b + 14);
	s->nopts = hdr - 20;
	memcpy(s->opts, b + 20, s->nopts);
	s->len = n - hdr;
	return true;
}

bool seg_parse(const uint8_t *b, size_t n, struct seg *s)
{
	bool v4 = n >= 20 && b[0] >> 4 == 4;
	size_t hdr = v4 ? (b[0] & 15) * 4u : 40;

	*s = (struct seg){ 0 };
	if (n < hdr + 8 || (v4 && (sum16(b, hdr, 0) != 0xffff || get16(b + 2) != n)))
		return false;
	if (!v4 && (b[0] >> 4 != 6 || get16(b + 4) + 40u != n))
		return false;
	s->proto = v4 ? b[9] : b[6];
	s->sport = (uint16_t)get16(b + hdr);
	s->dport = (uint16_t)get16(b + hdr + 2);
	if (s->proto == IPPROTO_TCP && !parse_tcp(b + hdr, n - hdr, s))
		return false;
	if (s->proto == IPPROTO_UDP)
		s->len = n - hdr - 8;
	for (size_t i = n - s->len; i < n; i++)
		if (b[i])
			return false;
	return true;
}

bool tool_out(struct tool *t, struct seg *s)
{
	static uint8_t b[65536];
	size_t n = sizeof(b);
	long long at_us;

	if (CALL(t, netdev_receive, b, &n, &at_us) != 0 || n == 0)
		return false;
	if (!seg_parse(b, n, s))
		return false;
	s->at_us = at_us - t->start_us;
	return true;
}

/* ---- a call that blocks ---- */

static void *run_call(void *arg)
{
	struct tool_call *c = arg;

	atomic_store(&c->tid, (int)syscall(SYS_gettid));
	c->result = c->fn(c);
	c->err = errno;
	c->end_us = tool_now(c->t);
	atomic_store(&c->done, true);
	return NULL;
}

/* Letter of the thread's state in /proc. */
static char state_of(int tid)
{
	char path[64], buf[256], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	at = strrchr(buf, ')');
	return at ? at[2] : 0;
}

bool tool_block(struct tool *t, struct tool_call *c)
{
	c->t = t;
	if (pthread_create(&c->thread, NULL, run_call, c))
		abort();
	while (!atomic_load(&c->tid))
		sched_yield();
	while (!atomic_load(&c->done) && state_of(c->tid) != 'S')
		sched_yield();
	return !atomic_load(&c->done);
}

void tool_join(struct tool_call *c)
{
	pthread_join(c->thread, NULL);
}
