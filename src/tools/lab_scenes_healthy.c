/* SPDX-License-Identifier: MIT */
/*
 * Scenes where nothing is wrong, though there may be much to see: a doctor must say
 * nothing.  Each function is called by the stager through the table of lab_scenes.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tools/lab.h"

#define PORT	9000

static const struct lab_match established = { LAB_HOST, RILL_ESTABLISHED, PORT, 0 };

static struct lab_actor *server(struct lab *l, unsigned does)
{
	struct lab_actor *a = lab_start(l, &(struct lab_spec){
		.name = "server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = does, .backlog = 4096 });

	lab_truth_actor(l, a);
	lab_truth_int(l, "port", PORT);
	return a;
}

static struct lab_actor *clients(struct lab *l, unsigned n, unsigned does, unsigned every_ms,
				 unsigned rate)
{
	return lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.want = n, .does = does, .every_ms = every_ms, .rate = rate });
}

void lab_stage_healthy_idle(struct lab *l)
{
	server(l, DO_ANSWER);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_LISTEN, PORT, 0 }, 1, 0);
}

static void in_use(struct lab *l, unsigned n, unsigned every_ms)
{
	struct lab_actor *a = server(l, DO_ANSWER);

	clients(l, n, DO_READ | DO_CLOSE | DO_CHAT, every_ms, 0);
	lab_await(l, &a->sh->accepted, n, "accepted connections");
	lab_expect(l, established, n, 0);
}

void lab_stage_healthy_few(struct lab *l)
{
	in_use(l, 5, 200);
}

/* Who runs such a host has said so: what is many is 600 elsewhere. */
static void used_to(struct lab *l, const char *limits)
{
	static const char path[] = "/run/rill-thresholds";	/* the scene's own /run */
	FILE *f = fopen(path, "we");

	if (!f || fprintf(f, "%s\n", limits) < 0 || fclose(f))
		lab_fail(l, "cannot write %s", path);
	else
		setenv("RILL_THRESHOLDS", path, 1);
}

void lab_stage_healthy_busy(struct lab *l)
{
	used_to(l, "established 4000 5000");
	in_use(l, 2000, 1000);
}

void lab_stage_healthy_short(struct lab *l)
{
	struct lab_actor *a;

	/* it is the peer that runs short of ports otherwise */
	lab_sysctl(l, LAB_PEER, "net.ipv4.ip_local_port_range", "1024 65535");
	lab_sysctl(l, LAB_PEER, "net.ipv4.tcp_tw_reuse", "1");
	a = server(l, DO_SERVE);
	clients(l, 64, DO_READ | DO_SHORT, 0, 5000);
	lab_truth_int(l, "per_second_most", 5000);
	lab_await(l, &a->sh->accepted, 2000, "accepted connections");
}

void lab_stage_healthy_bulk(struct lab *l)
{
	struct lab_actor *sink, *client;

	sink = lab_start(l, &(struct lab_spec){
		.name = "sink", .where = LAB_PEER, .listens = true, .port = PORT,
		.does = DO_SERVE });
	client = lab_start(l, &(struct lab_spec){
		.name = "sender", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = PORT,
		.want = 4, .chunk = 65536, .every_ms = 20,
		.does = DO_READ | DO_CLOSE | DO_CHAT });
	lab_truth_actor(l, client);
	lab_truth_int(l, "port", PORT);
	lab_await(l, &sink->sh->accepted, 4, "accepted connections");
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_ESTABLISHED, 0, PORT }, 4, 0);
}

void lab_stage_healthy_restart(struct lab *l)
{
	struct lab_actor *a = server(l, DO_ANSWER);

	clients(l, 20, DO_READ | DO_CLOSE | DO_CHAT, 0, 0);
	lab_await(l, &a->sh->accepted, 20, "accepted connections");
	lab_expect(l, established, 20, 0);
	lab_do(l, a, DO_DROP);
	lab_await(l, &a->sh->closed, 20, "closed connections");
	lab_do(l, a, DO_ANSWER | DO_REOPEN);
	lab_await(l, &a->sh->accepted, 40, "clients that came back");
	lab_expect(l, established, 20, 0);
}

void lab_stage_healthy_listeners(struct lab *l)
{
	struct lab_actor *a = lab_start(l, &(struct lab_spec){
		.name = "server", .where = LAB_HOST, .listens = true, .port = 7000, .ports = 30,
		.addr = l->rill ? LAB_HOST_IP : "127.0.0.1", .does = DO_ANSWER });

	lab_truth_actor(l, a);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_LISTEN, 0, 0 }, 30, 0);
}

void lab_stage_healthy_udp(struct lab *l)
{
	struct lab_actor *a = lab_start(l, &(struct lab_spec){
		.name = "server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_UDP | DO_ACCEPT });
	struct lab_actor *c = clients(l, 20, DO_UDP | DO_CHAT | DO_READ, 100, 0);
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;

	lab_truth_actor(l, a);
	lab_truth_int(l, "port", PORT);
	while (!l->failed && c->sh->in < 20 * 64) {
		if (lab_now_ms() > end)
			lab_fail(l, "no answers");
		lab_nap(20);
	}
}

void lab_stage_healthy_time_wait(struct lab *l)
{
	server(l, DO_ACCEPT | DO_SHORT);
	clients(l, 8, DO_READ | DO_CLOSE, 0, 300);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_TIME_WAIT, PORT, 0 }, 200, ~0u);
}
