/* SPDX-License-Identifier: MIT */
/* The parts of `rill export`: the text (export_text.c), the server (export_http.c). */
#ifndef RL_TOOLS_EXPORT_H
#define RL_TOOLS_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

/* A text that grows; @bad: no memory, what is there is not whole. */
struct prom {
	char	*p;
	size_t	n, cap;
	bool	bad;
};

/** From now on without node_netstat_*, node_sockstat_* and node_network_*. */
void export_no_netstat(void);

/** All metrics, anew.  Return: false without memory. */
bool export_text(struct prom *t);

/** The answer to a complete request of @n bytes, header and body; false: no memory. */
bool export_answer(struct prom *t, const char *request, size_t n);

/** Serve on "ADDR:PORT" until a signal.  Return: an exit status. */
int export_serve(const char *listen_on);

void prom_put(struct prom *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void prom_free(struct prom *t);

#endif
