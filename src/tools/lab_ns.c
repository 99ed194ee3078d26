/* SPDX-License-Identifier: MIT */
/*
 * Namespaces of a scene.  The command's process makes user (unless it is root), mount,
 * pid, UTS and network namespaces and waits; its child is number 1 of the pid
 * namespace, the stager: whenever it ends, and it ends with its parent, the kernel ends
 * all others, and the networks with their veth go with the last of them.  Nothing has
 * to be cleaned up: /run inside is a tmpfs of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/lab.h"
#include "tools/lab_scenes.h"
#include "tools/out.h"

#define RUN_DIR		"/run/rill-lab"
#define PEER_NS		"/run/netns/peer"

/* ---- in the command's process ---- */

static volatile pid_t stager;
static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	got = sig;
	if (stager > 0)
		kill(stager, SIGKILL);
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Root of a user namespace of our own, mapped to who we are. */
static bool become_root(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (uid == 0)
		return true;
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return put("/proc/self/gid_map", map);
}

static int wait_for_stager(bool hold)
{
	int status;

	while (waitpid(stager, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	stager = 0;				/* its number may be another's from now on */
	signal(SIGTTOU, SIG_IGN);
	if (isatty(STDIN_FILENO))		/* the command had it */
		tcsetpgrp(STDIN_FILENO, getpgrp());
	if (got)
		return hold && got != SIGHUP ? EXIT_DONE : 128 + got;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

/* ---- in the stager ---- */

/* What the scene advises to type begins with "rill": this one. */
static void find_us_first(void)
{
	const char *path = getenv("PATH");
	char self[4096], more[8192];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(more, sizeof(more), "%s:%s", self, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", more, 1);
}

static bool mounts(struct lab *l)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0 ||
	    mkdir(RUN_DIR, 0700) < 0 || mkdir("/run/netns", 0755) < 0) {
		lab_fail(l, "cannot mount /proc and /run of its own: %s", strerror(errno));
		return false;
	}
	/* of the network namespace it is mounted in; not all machines allow it */
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  NULL) < 0)
		errno = 0;
	setenv("RILL_RUN_DIR", RUN_DIR, 1);
	find_us_first();
	return true;
}

/* The peers' network, also as "peer" for `ip netns exec`. */
static void make_peer(struct lab *l)
{
	int fd;

	l->host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0) {
		lab_fail(l, "no second network namespace: %s", strerror(errno));
		return;
	}
	l->peer_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = open(PEER_NS, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0 || mount("/proc/self/ns/net", PEER_NS, NULL, MS_BIND, NULL) < 0)
		lab_fail(l, "%s: %s", PEER_NS, strerror(errno));
	close(fd);
	lab_enter(l, LAB_HOST);
}

/* On Rill the host's kernel has no address: the stacks have it. */
static void make_network(struct lab *l)
{
	make_peer(l);
	lab_exec(l, LAB_HOST, "ip link add lab0 type veth peer name lab0 netns peer");
	for (int side = LAB_HOST; side <= LAB_PEER; side++) {
		if (!l->rill || side == LAB_PEER)
			lab_sysctl(l, (enum lab_side)side, "net.ipv6.conf.all.disable_ipv6",
				   "1");
		lab_exec(l, (enum lab_side)side, "ip link set lo up");
	}
	for (int i = 2; i < 10; i++)
		lab_exec(l, LAB_PEER, "ip addr add 10.88.0.%d/24 dev lab0", i);
	if (!l->rill)
		lab_exec(l, LAB_HOST, "ip addr add " LAB_HOST_IP "/24 dev lab0");
	lab_exec(l, LAB_HOST, "ip link set lab0 up");
	lab_exec(l, LAB_PEER, "ip link set lab0 up");
	if (!l->rill)
		lab_exec(l, LAB_HOST, "ip route add default via " LAB_PEER_IP);
	lab_exec(l, LAB_PEER, "ip route add default via " LAB_HOST_IP);
}

static void run_command(char **argv, const char *truth) __attribute__((noreturn));

/* A shell wants to be a group of processes that it can see, and the terminal's. */
static void take_terminal(void)
{
	signal(SIGTTOU, SIG_IGN);
	if (isatty(STDIN_FILENO) && setpgid(0, 0) == 0)
		tcsetpgrp(STDIN_FILENO, getpid());
}

static void run_command(char **argv, const char *truth)
{
	take_terminal();
	for (int s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	setenv("RILL_LAB_TRUTH", truth, 1);
	execvp(argv[0], argv);
	complain("lab: %s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Number 1 also buries whoever lost his parent.  Return: the command's status. */
static int wait_for_command(pid_t pid)
{
	int status;
	pid_t who;

	for (;;) {
		who = waitpid(-1, &status, 0);
		if (who == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		if (who < 0 && errno != EINTR)
			return EXIT_FAILED;
	}
}

static int after_staging(struct lab *l, const struct lab_after *after)
{
	char *shell[] = { getenv("SHELL") ? getenv("SHELL") : (char *)"/bin/sh", NULL };
	char *truth = json_dumps(l->truth, JSON_COMPACT);
	char **argv = after->argv;
	pid_t pid;

	lab_report(l, after->json ? truth : NULL, !argv && after->hold_ms < 0);
	fflush(stdout);
	if (after->hold_ms >= 0 && !argv) {
		lab_nap(after->hold_ms);
		return EXIT_DONE;
	}
	signal(SIGINT, SIG_IGN);		/* the terminal's keys are the command's */
	signal(SIGQUIT, SIG_IGN);
	pid = fork();
	if (pid == 0)
		run_command(argv ? argv : shell, truth ? truth : "{}");
	if (pid < 0)
		lab_fail(l, "fork: %s", strerror(errno));
	return pid < 0 ? EXIT_FAILED : wait_for_command(pid);
}

static void stager_main(struct lab *l, const struct lab_after *after) __attribute__((noreturn));

static void stager_main(struct lab *l, const struct lab_after *after)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "rill-lab");
	sethostname("lab", 3);
	l->truth = json_pack("{s:i, s:s, s:s, s:s, s:s}", "rill", 1, "scene", l->scene->name,
			     "on", l->rill ? "rill" : "kernel", "cause", l->scene->cause,
			     "row", l->scene->row);
	if (mounts(l))
		make_network(l);
	if (!l->failed)
		l->scene->stage(l);
	_exit(l->failed ? EXIT_FAILED : out_finish(after_staging(l, after)));
}

int lab_live(struct lab *l, const struct lab_after *after)
{
	bool hold = after->hold_ms >= 0 && !after->argv;

	if (!become_root() ||
	    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS) < 0) {
		complain("lab: no namespaces of its own: %s; become root, or allow user "
			 "namespaces (kernel.unprivileged_userns_clone=1)", strerror(errno));
		return EXIT_FAILED;
	}
	fflush(stdout);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGINT, hold ? on_signal : SIG_IGN);
	signal(SIGQUIT, hold ? on_signal : SIG_IGN);
	stager = fork();
	if (stager == 0)
		stager_main(l, after);
	if (stager < 0) {
		complain("lab: fork: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return wait_for_stager(hold);
}
