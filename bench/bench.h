/* SPDX-License-Identifier: MIT */
/*
 * rbench: one end of a measurement, on sockets chosen at run time (struct net),
 * so that the kernel and Rill run the same program.  bench/run starts both ends.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#define BENCH_MSG	64		/* bytes of a small message */
#define BENCH_QUIT	'Q'		/* first byte of the message that ends a server */
#define MAX_SYSCTLS	16

struct opt {
	const char	*role, *test;
	bool		rill;
	const char	*dev, *addr, *peer_addr;	/* Rill's device */
	const char	*sysctls[MAX_SYSCTLS + 1];
	int		nsysctls;
	const char	*host;			/* the server's address */
	int		port, ports;		/* the server listens on @ports of them */
	double		seconds, warm;
	int		conns;			/* at once; how many to hold */
	size_t		block;			/* bytes of a write or read */
	size_t		bufsize;		/* SO_SNDBUF and SO_RCVBUF; 0: as it is */
	bool		spin;			/* never sleep */
	int		cpu;			/* -1: anywhere */
};

/* Calls of POSIX's names, with -errno for results. */
struct net {
	const char *name;
	void	(*begin)(const struct opt *o);
	void	(*end)(void);
	int	(*socket)(void);
	int	(*bind)(int fd, const struct sockaddr *sa, socklen_t len);
	int	(*listen)(int fd, int backlog);
	int	(*accept)(int fd, int flags);
	int	(*connect)(int fd, const struct sockaddr *sa, socklen_t len);
	ssize_t	(*read)(int fd, void *buf, size_t n);
	ssize_t	(*write)(int fd, const void *buf, size_t n);
	int	(*shutdown)(int fd, int how);
	int	(*close)(int fd);
	int	(*setsockopt)(int fd, int level, int name, const void *val, socklen_t len);
	int	(*nonblock)(int fd);
	int	(*epoll)(void);
	int	(*epoll_ctl)(int ep, int op, int fd, struct epoll_event *ev);
	int	(*epoll_wait)(int ep, struct epoll_event *evs, int max, int timeout_ms);
};

extern const struct net net_kernel, net_rill;

/** The engine of net_rill's calls in this thread. */
struct rill_engine;
void bench_rill_use(struct rill_engine *e);

/* ---- tool.c ---- */

double bench_now(void);				/* seconds, monotonic */
double bench_cpu(void);				/* CPU seconds of this process */
double bench_cpu_now(void);			/* the same, exact, and dearer to ask for */
double bench_machine_cpu(void);			/* of the whole machine, in ticks of 10 ms */
double bench_rss(void);				/* bytes resident */
void bench_pin(int cpu);			/* the calling thread */
long bench_must(const char *what, long v);	/* exits when @v is negative */

/* Marks in a stream; words that a read cut in two are not looked at. */
void bench_mark(uint8_t *buf, size_t n, uint64_t base);
void bench_check_marks(const uint8_t *buf, size_t n, uint64_t base);

/* A stretch of time with the CPU that it took. */
struct lap {
	double	at, cpu, machine;
};
void bench_lap_begin(struct lap *l);
void bench_lap_end(struct lap *l);		/* turns them into differences */

/** The line that bench/run reads; @bytes 0: not a stream. */
void bench_print(double value, double bytes, const struct lap *l);

/* ---- flow.c: what both ends of a stream do, also in pair.c ---- */

int bench_dial(const struct net *net, const struct opt *o, int port, bool wait);
int bench_listen(const struct net *net, const struct opt *o, int port);
bool bench_send_all(const struct net *net, int fd, const void *buf, size_t n);
bool bench_recv_all(const struct net *net, int fd, void *buf, size_t n);

/** Send for o->warm + o->seconds; the receiver confirms the count. */
void bench_pour(const struct net *net, const struct opt *o, int fd);

/**
 * Receive to the end of the stream and check it.  Return: bytes that came after
 * the first o->warm seconds; @l: the time and CPU it took.
 */
double bench_drink(const struct net *net, const struct opt *o, int fd, struct lap *l);

/* ---- the roles ---- */

void bench_server(const struct net *net, const struct opt *o);
void bench_client(const struct net *net, const struct opt *o);
void bench_pair(const struct opt *o);
void bench_memory(const struct opt *o);
void bench_kernel_memory(const struct opt *o);
void bench_growth(const struct opt *o);

#endif
