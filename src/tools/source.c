/* SPDX-License-Identifier: MIT */
/*
 * The options --stack, --pid and --netns of the commands that show counters, and the
 * reading behind them.  One source at a time: rates of several stacks would need to be
 * told apart on every line.
 */
#include "tools/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/out.h"

static int pid_arg(const struct cmd *cmd, const char *opt, const char *arg, long *pid)
{
	uint64_t v;

	if (!parse_u64(arg, 1, INT32_MAX, &v)) {
		complain("%s: %s %s: give a process number", cmd->name, opt, arg);
		return -1;
	}
	*pid = (long)v;
	return 1;
}

int source_arg(struct source *s, const struct cmd *cmd, int id, const char *arg)
{
	switch (id) {
	case SRC_STACK:
		s->sel.name = arg;
		return 1;
	case SRC_PID:
		return pid_arg(cmd, "--pid", arg, &s->sel.pid);
	case SRC_NETNS:
		return pid_arg(cmd, "--netns", arg, &s->netns_pid);
	}
	return 0;
}

int source_enter(struct source *s, const struct cmd *cmd)
{
	char path[48];
	int fd, r;

	if (!s->netns_pid || s->sel.name || s->sel.pid)
		return EXIT_DONE;	/* or source_open() says what is wrong */
	snprintf(path, sizeof(path), "/proc/%ld/ns/net", s->netns_pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (r < 0)
		complain("%s: cannot enter the network namespace of %ld: %s%s", cmd->name,
			 s->netns_pid, strerror(-r), r == -EPERM ? "; it needs root" : "");
	s->entered = r == 0;
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int source_open(struct source *s, const struct cmd *cmd)
{
	static struct ctl_stacks stacks;
	char a[96], b[96];

	if (s->netns_pid && !s->entered)
		snprintf(s->net, sizeof(s->net), "/proc/%ld/net", s->netns_pid);
	if (!s->sel.name && !s->sel.pid)
		return EXIT_DONE;
	if (s->netns_pid) {
		complain("%s: --netns is for the kernel: leave --stack and --pid out", cmd->name);
		return EXIT_MISUSE;
	}
	ctlc_open(&stacks, &s->sel);
	if (stacks.n == 1) {
		s->stacks = &stacks;
		return EXIT_DONE;
	}
	if (!stacks.n)
		ctlc_complain_none(&stacks, &s->sel);
	else
		complain("%s: %s and %s both match: choose one by --pid and --stack", cmd->name,
			 ctlc_label(&stacks.list[0], a, sizeof(a)),
			 ctlc_label(&stacks.list[1], b, sizeof(b)));
	ctlc_close(&stacks);
	return EXIT_FAILED;
}

bool source_read(struct source *s, const struct cmd *cmd, struct netstat *to)
{
	int r;

	if (s->stacks)
		r = netstat_read_stack(to, &s->stacks->list[0]);
	else
		r = netstat_read_kernel(to, *s->net ? s->net : NULL);
	if (r < 0 && !s->stacks)	/* a stack's silence was complained of already */
		complain("%s: cannot read %s/snmp: %s", cmd->name,
			 *s->net ? s->net : "/proc/net", strerror(-r));
	return r >= 0;
}

const char *source_label(const struct source *s, char *buf, size_t n)
{
	if (s->stacks)
		return ctlc_label(&s->stacks->list[0], buf, n);
	if (s->netns_pid)
		snprintf(buf, n, "kernel of %ld", s->netns_pid);
	else
		snprintf(buf, n, "kernel");
	return buf;
}

void source_close(struct source *s)
{
	if (s->stacks)
		ctlc_close(s->stacks);
	s->stacks = NULL;
}
