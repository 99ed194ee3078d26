/* SPDX-License-Identifier: MIT */
/*
 * Choosing sockets for `rill ss`, who, kill and keepalive: the filter's words, the
 * network namespace, and one line for each thing that could not be seen.
 */
#include "tools/pick.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "tools/cmd.h"
#include "tools/out.h"

static unsigned lookup(const char *name, struct filter_addrs *a)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;

	a->n = 0;
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return 0;
	for (const struct addrinfo *ai = list; ai && a->n < FILTER_ADDRS; ai = ai->ai_next) {
		uint8_t *ip = a->ip[a->n];

		a->v6[a->n] = ai->ai_family == AF_INET6;
		if (ai->ai_family == AF_INET6) {
			memcpy(ip, &((const struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_addr,
			       16);
		} else {
			memset(ip, 0, 10);
			ip[10] = ip[11] = 0xff;
			memcpy(ip + 12,
			       &((const struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr, 4);
		}
		a->n++;
	}
	freeaddrinfo(list);
	return a->n;
}

bool pick_parse(const char *cmd, struct filter *f, int argc, char **argv)
{
	char why[256];

	filter_lookup = lookup;
	if (filter_parse(f, argc, argv, why, sizeof(why)) == 0)
		return true;
	complain("%s: %s", cmd, why);
	return false;
}

bool pick_enter(const char *cmd, const char *name)
{
	char path[256];
	int fd, r;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain("%s: -N %s: %s; `ip netns` lists those there are", cmd, name,
			 strerror(errno));
		return false;
	}
	r = setns(fd, CLONE_NEWNET);
	if (r < 0)
		complain("%s: -N %s: %s; be root", cmd, name, strerror(errno));
	close(fd);
	return r == 0;
}

int pick_notes(const char *cmd, const struct rill_table_query *q,
	       const struct rill_table_notes *notes, unsigned unowned)
{
	struct ctl_stacks none = { .silent = notes->silent };
	struct ctl_select sel = { .pid = q->pid, .name = q->stack };
	int status = notes->silent ? EXIT_FAILED : EXIT_DONE;

	if (q->want & RILL_WANT_KERNEL && notes->kernel_error) {
		complain("%s: the kernel's sockets cannot be read: %s", cmd,
			 strerror(-notes->kernel_error));
		status = EXIT_FAILED;
	}
	if (!(q->want & RILL_WANT_KERNEL) && !notes->nstacks) {
		ctlc_complain_none(&none, &sel);
		status = EXIT_FAILED;
	}
	if (q->want & RILL_WANT_RILL && ctlc_hidden())
		complain("%s: Rill stacks of root, if any run, are not shown; be root to see them",
			 cmd);
	if (notes->from_proc)
		complain("%s: no sock_diag here: read from /proc/net, without memory and "
			 "TCP_INFO", cmd);
	if (unowned && geteuid() != 0)
		complain("%s: %u socket%s to other users: owners unknown; be root to see them",
			 cmd, unowned, unowned == 1 ? " belongs" : "s belong");
	else if (unowned)
		complain("%s: %u socket%s no owner that can be seen: in another PID namespace "
			 "or the kernel itself", cmd, unowned, unowned == 1 ? " has" : "s have");
	return status;
}
