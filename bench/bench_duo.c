// SPDX-License-Identifier: MIT
/* Two stacks without I/O: see bench_duo.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_duo.h"

#define MTU		1500
#define BATCH		64
#define HEADERS		44		/* IPv4, TCP with an MSS option */
#define NS_A_STEP	1000		/* virtual time of one exchange */

static void *duo_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void duo_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static struct rill_ip ip4(uint32_t v)
{
	struct rill_ip ip = { .b = { [10] = 0xff, [11] = 0xff } };

	for (int i = 0; i < 4; i++)
		ip.b[12 + i] = (uint8_t)(v >> (24 - 8 * i));
	return ip;
}

static void sysctl(struct rill_stack *st, const char *name, const char *value)
{
	bench_must(name, rill_sysctl_set(st, name, value));
}

static void open_one(struct bench_duo *d, int i)
{
	const struct rill_stack_params par = {
		.mem = { duo_alloc, duo_free, NULL }, .seed = { (uint8_t)(i + 1) },
		.now_ns = d->now_ns,
	};
	const struct rill_if_params ifp = { .name = "duo0", .mtu = MTU };
	const struct rill_ip any = ip4(0), gw = ip4(i ? 0x0a000001 : 0x0a000002);
	struct rill_ip ip = ip4(i ? 0x0a000002 : 0x0a000001);

	bench_must("stack", rill_stack_create(&par, &d->st[i]));
	sysctl(d->st[i], "net.ipv4.ip_local_port_range", "1024 65535");
	sysctl(d->st[i], "net.core.somaxconn", "1000000");
	sysctl(d->st[i], "net.ipv4.tcp_max_syn_backlog", "1000000");
	d->ifindex[i] = (int)bench_must("interface", rill_if_add(d->st[i], &ifp));
	bench_must("address", rill_if_addr_add(d->st[i], d->ifindex[i], &ip, 24));
	bench_must("route", rill_route_add(d->st[i], &any, 0, &gw, d->ifindex[i]));
}

void bench_duo_open(struct bench_duo *d, int ports)
{
	memset(d, 0, sizeof(*d));
	d->now_ns = 1000000000000;
	open_one(d, 0);
	open_one(d, 1);
	d->listener = calloc((size_t)ports, sizeof(*d->listener));
	if (!d->listener)
		bench_must("calloc", -ENOMEM);
	d->nlisteners = ports;
	for (int i = 0; i < ports; i++) {
		struct rill_addr a = { .ip = ip4(0x0a000002),
				       .port = (uint16_t)(DUO_PORT + i) };

		bench_must("open", rill_tcp_open(d->st[1], 0, &d->listener[i]));
		bench_must("bind", rill_tcp_bind(d->st[1], d->listener[i], &a, 0));
		bench_must("listen", rill_tcp_listen(d->st[1], d->listener[i], 1000000));
	}
	bench_duo_settle(d);
}

void bench_duo_close(struct bench_duo *d)
{
	rill_stack_destroy(d->st[0]);
	rill_stack_destroy(d->st[1]);
	free(d->listener);
}

/* Return: packets carried from stack @from to the other. */
static int carry(struct bench_duo *d, int from)
{
	struct rill_pkt *pkts[BATCH];
	uint8_t frame[MTU];
	int n = rill_stack_output(d->st[from], 0, pkts, BATCH);

	for (int i = 0; i < n; i++) {
		size_t len = rill_pkt_bytes(pkts[i], frame, sizeof(frame));

		rill_pkt_put(d->st[from], pkts[i]);
		bench_must("input", rill_stack_input(d->st[!from], d->now_ns,
						     d->ifindex[!from], frame, len));
	}
	return n;
}

/* Events say which endpoints became ready; nobody waits for them here. */
static void forget_events(struct rill_stack *st)
{
	struct rill_event ev;

	while (rill_stack_event(st, &ev))
		;
}

void bench_duo_settle(struct bench_duo *d)
{
	int n;

	do {
		d->now_ns += NS_A_STEP;
		n = carry(d, 0) + carry(d, 1);
	} while (n);
	forget_events(d->st[0]);
	forget_events(d->st[1]);
}

/* ---- SYNs ---- */

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static void drop_output(struct rill_stack *st)
{
	struct rill_pkt *pkts[BATCH];
	int n;

	while ((n = rill_stack_output(st, 0, pkts, BATCH)) > 0)
		while (n)
			rill_pkt_put(st, pkts[--n]);
}

void bench_duo_syn(struct bench_duo *d, uint32_t n)
{
	static const uint8_t blank[HEADERS] = {
		0x45, 0, 0, HEADERS, 0, 0, 0x40, 0, 64, 6, 0, 0,
		198, 18, 0, 0, 10, 0, 0, 2,		/* source: below */
		0, 0, DUO_PORT >> 8, DUO_PORT & 0xff, 1, 2, 3, 4, 0, 0, 0, 0,
		0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 1460 >> 8, 1460 & 0xff,
	};
	uint8_t f[HEADERS];
	uint16_t port = (uint16_t)(1024 + n % 60000);

	memcpy(f, blank, sizeof(f));
	f[14] = (uint8_t)(n / 60000 >> 8);
	f[15] = (uint8_t)(n / 60000 + 1);
	f[20] = (uint8_t)(port >> 8);
	f[21] = (uint8_t)port;
	put_sum(f + 10, sum16(f, 20, 0));
	put_sum(f + 36, sum16(f + 12, HEADERS - 12, 6 + HEADERS - 20));
	d->now_ns += NS_A_STEP;
	bench_must("input", rill_stack_input(d->st[1], d->now_ns, d->ifindex[1], f, sizeof(f)));
	drop_output(d->st[1]);
}

/* ---- connections ---- */

void bench_duo_connect(struct bench_duo *d, int port, rill_id *active, rill_id *passive)
{
	struct rill_addr to = { .ip = ip4(0x0a000002), .port = (uint16_t)(DUO_PORT + port) };
	int r;

	bench_must("open", rill_tcp_open(d->st[0], 0, active));
	r = rill_tcp_connect(d->st[0], *active, &to, 0);
	if (r != -EINPROGRESS)
		bench_must("connect", r);
	bench_duo_settle(d);
	bench_must("accept", rill_tcp_accept(d->st[1], d->listener[port], 0, passive, NULL));
}

double bench_stack_counter(const struct rill_stack *st, const char *name)
{
	struct rill_named_u64 c;

	for (unsigned i = 0; rill_stack_counter(st, i, &c); i++)
		if (!strcmp(c.name, name))
			return (double)c.value;
	bench_must(name, -ENOENT);
	return 0;
}
