// SPDX-License-Identifier: MIT
/*
 * lwIP as one end of a measurement, against a kernel peer on a TAP that bench/run
 * made: the counterpart of rbench's
 *
 *	server stream	receive, check, count
 *	server echo	64 bytes back on any number of connections (requests, conns)
 *	client stream	send
 *
 * with lwIP's raw interface, which is its fastest, and a loop that never sleeps.
 * The payload is copied from and to the application's memory and checked as in
 * flow.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/ip4_addr.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#include "bench.h"

#define FRAME_MAX	1514
#define RX_AT_ONCE	64
#define IOVS		32
#define SINK		65536

static struct {
	struct netif	nif;
	int		tap;
	double		seconds, warm;
	bool		done;
	/* stream */
	uint64_t	total, at_warm;
	double		warm_at, end_at;
	bool		warmed;
	struct lap	lap;
	size_t		block;
	uint8_t		*buf;
	uint64_t	confirm;
	size_t		confirmed;
} g;

u32_t sys_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* ---- the device ---- */

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (fd < 0)
		bench_must("/dev/net/tun", -errno);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		bench_must(name, -errno);
	return fd;
}

static err_t send_frame(struct netif *nif, struct pbuf *p)
{
	struct iovec iov[IOVS];
	int n = 0;

	(void)nif;
	for (; p && n < IOVS; p = p->next)
		iov[n++] = (struct iovec){ p->payload, p->len };
	return writev(g.tap, iov, n) < 0 ? ERR_IF : ERR_OK;
}

static err_t init_netif(struct netif *nif)
{
	static const u8_t mac[6] = { 2, 0, 0, 9, 9, 9 };

	nif->name[0] = 't';
	nif->name[1] = 'p';
	nif->output = etharp_output;
	nif->linkoutput = send_frame;
	nif->mtu = 1500;
	nif->hwaddr_len = 6;
	memcpy(nif->hwaddr, mac, sizeof(mac));
	nif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static bool receive_frame(void)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, FRAME_MAX, PBUF_POOL);
	ssize_t n;

	if (!p)
		return false;
	n = read(g.tap, p->payload, FRAME_MAX);
	if (n <= 0) {
		pbuf_free(p);
		return false;
	}
	pbuf_realloc(p, (u16_t)n);
	if (g.nif.input(p, &g.nif) != ERR_OK)
		pbuf_free(p);
	return true;
}

static void run(void)
{
	double until = bench_now() + g.warm + g.seconds + 30;

	while (!g.done) {
		for (int i = 0; i < RX_AT_ONCE && receive_frame(); i++)
			;
		sys_check_timeouts();
		if (bench_now() > until)
			bench_must("the other end", -ETIMEDOUT);
	}
	/* the last segments */
	for (until = bench_now() + 0.05; bench_now() < until; sys_check_timeouts())
		receive_frame();
}

/* ---- receiving a stream ---- */

static void count(size_t n)
{
	g.total += n;
	if (g.warmed || bench_now() < g.warm_at)
		return;
	g.warmed = true;
	g.at_warm = g.total;
	bench_lap_begin(&g.lap);
}

static void stream_end(struct tcp_pcb *pcb)
{
	double bytes = (double)(g.total - g.at_warm);

	bench_lap_end(&g.lap);
	tcp_write(pcb, &g.total, sizeof(g.total), TCP_WRITE_FLAG_COPY);
	tcp_output(pcb);
	tcp_close(pcb);
	bench_print(bytes * 8 / 1e9 / g.lap.at, bytes, &g.lap);
	g.done = true;
}

static err_t stream_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	size_t n;

	(void)arg;
	(void)err;
	if (!p) {
		stream_end(pcb);
		return ERR_OK;
	}
	n = pbuf_copy_partial(p, g.buf, p->tot_len, 0);
	bench_check_marks(g.buf, n, g.total);
	count(n);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t stream_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	g.warm_at = bench_now() + g.warm;
	bench_lap_begin(&g.lap);
	tcp_recv(pcb, stream_recv);
	return ERR_OK;
}

/* ---- echo ---- */

static err_t echo_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	char msg[BENCH_MSG];
	u16_t n;

	(void)arg;
	(void)err;
	if (!p)
		return tcp_close(pcb);
	n = pbuf_copy_partial(p, msg, sizeof(msg), 0);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	tcp_write(pcb, msg, n, TCP_WRITE_FLAG_COPY);
	tcp_output(pcb);
	if (msg[0] == BENCH_QUIT) {
		g.done = true;
		bench_lap_end(&g.lap);
	}
	return ERR_OK;
}

static err_t echo_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, echo_recv);
	return ERR_OK;
}

static void listen_on(int port, tcp_accept_fn fn)
{
	struct tcp_pcb *pcb = tcp_new();

	if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, (u16_t)port) != ERR_OK)
		bench_must("lwIP: bind", -EADDRINUSE);
	pcb = tcp_listen_with_backlog(pcb, 255);
	tcp_accept(pcb, fn);
}

/* ---- sending a stream ---- */

static void pour(struct tcp_pcb *pcb)
{
	if (g.end_at == 0)
		return;
	while (tcp_sndbuf(pcb) >= g.block) {
		if (g.total % (16 * g.block) == 0 && bench_now() >= g.end_at) {
			g.end_at = 0;
			tcp_shutdown(pcb, 0, 1);
			break;
		}
		bench_mark(g.buf, g.block, g.total);
		if (tcp_write(pcb, g.buf, (u16_t)g.block, TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		g.total += g.block;
	}
	tcp_output(pcb);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
	(void)arg;
	(void)n;
	pour(pcb);
	return ERR_OK;
}

static err_t poll_sender(void *arg, struct tcp_pcb *pcb)
{
	(void)arg;
	pour(pcb);
	return ERR_OK;
}

static err_t confirmed(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p) {
		if (g.confirmed != sizeof(g.confirm) || g.confirm != g.total)
			bench_must("the receiver's count", -EIO);
		g.done = true;
		return tcp_close(pcb);
	}
	g.confirmed += pbuf_copy_partial(p, (uint8_t *)&g.confirm + g.confirmed,
					 (u16_t)(sizeof(g.confirm) - g.confirmed), 0);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	g.end_at = bench_now() + g.warm + g.seconds;
	bench_lap_begin(&g.lap);
	tcp_sent(pcb, sent);
	tcp_recv(pcb, confirmed);
	tcp_poll(pcb, poll_sender, 1);
	pour(pcb);
	return ERR_OK;
}

/* ---- main ---- */

static const char *option(int argc, char **argv, const char *name, const char *dflt)
{
	for (int i = 3; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return dflt;
}

static void bring_up(const char *dev, const char *addr)
{
	ip4_addr_t ip, mask, gw;

	lwip_init();
	g.tap = open_tap(dev);
	if (!ip4addr_aton(addr, &ip))
		bench_must(addr, -EINVAL);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gw, 0, 0, 0, 0);
	netif_add(&g.nif, &ip, &mask, &gw, NULL, init_netif, netif_input);
	netif_set_default(&g.nif);
	netif_set_up(&g.nif);
}

static void dial(const char *host, int port)
{
	struct tcp_pcb *pcb = tcp_new();
	ip_addr_t ip;

	if (!ipaddr_aton(host, &ip))
		bench_must(host, -EINVAL);
	if (!pcb || tcp_connect(pcb, &ip, (u16_t)port, connected) != ERR_OK)
		bench_must("lwIP: connect", -ENOMEM);
}

int main(int argc, char **argv)
{
	int port, ports;
	bool client = argc > 2 && !strcmp(argv[1], "client");
	bool stream = argc > 2 && !strcmp(argv[2], "stream");

	if (argc < 3)
		return 2;
	bench_pin(atoi(option(argc, argv, "--cpu", "-1")));
	port = atoi(option(argc, argv, "--port", "5000"));
	ports = atoi(option(argc, argv, "--ports", "1"));
	g.seconds = atof(option(argc, argv, "--seconds", "1"));
	g.warm = atof(option(argc, argv, "--warm", "0.2"));
	g.block = client ? 32768 : SINK;
	g.buf = calloc(1, SINK);
	bring_up(option(argc, argv, "--dev", "lw0"), option(argc, argv, "--addr", ""));
	if (client) {
		dial(option(argc, argv, "--host", ""), port);
	} else {
		for (int i = 0; i < ports; i++)
			listen_on(port + i, stream ? stream_accept : echo_accept);
		puts("ready");
		fflush(stdout);
	}
	bench_lap_begin(&g.lap);
	run();
	if (client)
		bench_lap_end(&g.lap);
	if (client || !stream)
		bench_print(0, 0, &g.lap);
	return 0;
}
