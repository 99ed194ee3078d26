// SPDX-License-Identifier: MIT
/*
 * rbench ROLE TEST [OPTION VALUE]...: one measurement, or one end of it.
 * bench/run calls it; by hand it is for profiling one end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char usage[] =
	"usage: rbench server|client stream|pingpong|requests|conns [OPTION]...\n"
	"       rbench pair stream | memory rill | memory kernel | growth rill\n"
	"  --rill              Rill's sockets instead of the kernel's, with\n"
	"  --dev SPEC --addr A/LEN --peer-addr A/LEN --sysctl NAME=VALUE\n"
	"  --host ADDR --port N --ports N  where the server is, how many ports it has\n"
	"  --seconds S --warm S            measured time, time before it\n"
	"  --conns N                       connections at once, or to hold\n"
	"  --block BYTES --bufsize BYTES   of a write or read; of socket buffers\n"
	"  --spin                          never sleep\n"
	"  --cpu N                         pin this process\n";

static void fail(const char *what, const char *arg)
{
	fprintf(stderr, "rbench: %s '%s'\n%s", what, arg, usage);
	exit(2);
}

static bool flag(struct opt *o, const char *name)
{
	if (!strcmp(name, "--rill"))
		o->rill = true;
	else if (!strcmp(name, "--spin"))
		o->spin = true;
	else
		return false;
	return true;
}

static bool text(struct opt *o, const char *name, const char *v)
{
	if (!strcmp(name, "--dev"))
		o->dev = v;
	else if (!strcmp(name, "--addr"))
		o->addr = v;
	else if (!strcmp(name, "--peer-addr"))
		o->peer_addr = v;
	else if (!strcmp(name, "--host"))
		o->host = v;
	else if (!strcmp(name, "--sysctl") && o->nsysctls < MAX_SYSCTLS)
		o->sysctls[o->nsysctls++] = v;
	else
		return false;
	return true;
}

static bool number(struct opt *o, const char *name, double v)
{
	if (!strcmp(name, "--port"))
		o->port = (int)v;
	else if (!strcmp(name, "--ports"))
		o->ports = (int)v;
	else if (!strcmp(name, "--seconds"))
		o->seconds = v;
	else if (!strcmp(name, "--warm"))
		o->warm = v;
	else if (!strcmp(name, "--conns"))
		o->conns = (int)v;
	else if (!strcmp(name, "--block"))
		o->block = (size_t)v;
	else if (!strcmp(name, "--bufsize"))
		o->bufsize = (size_t)v;
	else if (!strcmp(name, "--cpu"))
		o->cpu = (int)v;
	else
		return false;
	return true;
}

static void parse(struct opt *o, int argc, char **argv)
{
	for (int i = 3; i < argc; i++) {
		if (flag(o, argv[i]))
			continue;
		if (i + 1 == argc)
			fail("unknown option, or no value after", argv[i]);
		if (!text(o, argv[i], argv[i + 1]) &&
		    !number(o, argv[i], strtod(argv[i + 1], NULL)))
			fail("unknown option", argv[i]);
		i++;
	}
}

/* Nothing may hang: a measurement is over in a few times its length. */
static void bound_time(const struct opt *o)
{
	alarm((unsigned)((o->seconds + o->warm) * 2) + 60);
}

int main(int argc, char **argv)
{
	struct opt o = {
		.host = "127.0.0.1", .port = 5000, .ports = 1, .seconds = 1, .warm = 0.2,
		.conns = 128, .block = 65536, .cpu = -1,
	};
	const struct net *net;

	if (argc < 3)
		fail("two arguments or more, not", argc > 1 ? argv[1] : "");
	o.role = argv[1];
	o.test = argv[2];
	parse(&o, argc, argv);
	net = o.rill ? &net_rill : &net_kernel;
	bench_pin(o.cpu);
	bound_time(&o);
	if (!strcmp(o.role, "server"))
		bench_server(net, &o);
	else if (!strcmp(o.role, "client"))
		bench_client(net, &o);
	else if (!strcmp(o.role, "pair"))
		bench_pair(&o);
	else if (!strcmp(o.role, "memory") && !strcmp(o.test, "kernel"))
		bench_kernel_memory(&o);
	else if (!strcmp(o.role, "memory"))
		bench_memory(&o);
	else if (!strcmp(o.role, "growth"))
		bench_growth(&o);
	else
		fail("unknown role", o.role);
	return 0;
}
