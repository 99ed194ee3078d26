/* SPDX-License-Identifier: MIT */
/*
 * Scenes of rows C2 and C11: connections that do not come about.  Each function is
 * called by the stager through the table of lab_scenes.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lab.h"

static void truth_target(struct lab *l, const struct lab_actor *a, const char *ip,
			 unsigned port, int err)
{
	lab_truth_actor(l, a);
	lab_truth_str(l, "peer", ip);
	lab_truth_int(l, "port", port);
	if (err)
		lab_truth_int(l, "errno", err);
}

void lab_stage_destination_dead(struct lab *l)
{
	struct lab_actor *client = lab_start(l, &(struct lab_spec){
		.name = "lost-client", .where = LAB_HOST, .addr = LAB_FAR_IP, .port = 80,
		.want = 60, .does = DO_READ | DO_CLOSE, .cured = DO_DROP });

	truth_target(l, client, LAB_FAR_IP, 80, 0);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_SENT, 0, 80 }, 60, 0);
}

void lab_stage_scan(struct lab *l)
{
	struct lab_actor *scanner = lab_start(l, &(struct lab_spec){
		.name = "port-scanner", .where = LAB_HOST, .addr = LAB_FAR_IP, .port = 22,
		.want = 200, .spread = 200, .does = DO_READ | DO_CLOSE, .cured = DO_DROP });

	lab_truth_actor(l, scanner);
	lab_truth_int(l, "port", 22);
	lab_truth_int(l, "destinations", 200);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_SENT, 0, 22 }, 200, 0);
}

void lab_stage_service_dead(struct lab *l)
{
	struct lab_actor *client;

	lab_exec(l, LAB_PEER, "iptables -w -A INPUT -p tcp --dport 8080 -j DROP");
	lab_start(l, &(struct lab_spec){
		.name = "service", .where = LAB_PEER, .listens = true, .port = 8080, .ports = 2,
		.does = DO_ANSWER });
	client = lab_start(l, &(struct lab_spec){
		.name = "client", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = 8080,
		.ports = 2, .want = 40, .does = DO_READ | DO_CLOSE | DO_CHAT,
		.cured = DO_DROP });
	truth_target(l, client, LAB_PEER_IP, 8080, 0);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_ESTABLISHED, 0, 8081 }, 20, 0);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_SENT, 0, 8080 }, 20, 0);
}

/* It asks again and again, some times a second. */
static struct lab_actor *asker(struct lab *l, const char *name, const char *ip,
			       unsigned port, unsigned want)
{
	return lab_start(l, &(struct lab_spec){
		.name = name, .where = LAB_HOST, .addr = ip, .port = (uint16_t)port,
		.want = want, .rate = 20, .every_ms = 50, .no_gateway = true,
		.does = DO_READ | DO_CLOSE, .cured = DO_DROP });
}

void lab_stage_no_route(struct lab *l)
{
	struct lab_actor *client;

	if (!l->rill)
		lab_exec(l, LAB_HOST, "ip route del default");
	client = asker(l, "stray-client", "172.31.0.1", 80, 1);
	truth_target(l, client, "172.31.0.1", 80, ENETUNREACH);
	lab_await(l, &client->sh->failed, 3, "failed connections");
	if (!l->failed && client->sh->err != ENETUNREACH)
		lab_fail(l, "connect() says '%s'", strerror(client->sh->err));
	lab_expect_counter(l, "OutNoRoutes", "ip.out_no_routes", 3);
}

void lab_stage_refused(struct lab *l)
{
	struct lab_actor *client = asker(l, "hopeful-client", LAB_PEER_IP, 9001, 1);

	truth_target(l, client, LAB_PEER_IP, 9001, ECONNREFUSED);
	lab_await(l, &client->sh->failed, 3, "failed connections");
	if (!l->failed && client->sh->err != ECONNREFUSED)
		lab_fail(l, "connect() says '%s'", strerror(client->sh->err));
	lab_expect_counter(l, "AttemptFails", "tcp.attempt_fails", 3);
}

/* A Rill stack has no filter of its own; one on the way says so by ICMP, or is silent
 * and looks like service-dead. */
void lab_stage_filtered(struct lab *l)
{
	struct lab_actor *client;

	if (l->rill)
		lab_exec(l, LAB_PEER, "iptables -w -A INPUT -p tcp --dport 9002 -j REJECT "
			 "--reject-with icmp-admin-prohibited");
	else
		lab_exec(l, LAB_HOST, "iptables -w -A OUTPUT -p tcp --dport 9002 -j DROP");
	client = asker(l, "walled-client", LAB_PEER_IP, 9002, 20);
	truth_target(l, client, LAB_PEER_IP, 9002, 0);
	lab_truth_str(l, "where", l->rill ? "peer" : "here");
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_SENT, 0, 9002 }, 20, 0);
	if (!l->rill)
		lab_expect_counter(l, "TCPRetransFail", "", 1);
}

/* What the queue of lab0 has dropped, as tc says. */
static unsigned long queue_drops(void)
{
	FILE *f = popen("tc -s qdisc show dev lab0", "re");
	unsigned long n = 0;
	char line[256];
	char *at;

	while (f && fgets(line, sizeof(line), f))
		if ((at = strstr(line, "dropped ")) != NULL)
			n = strtoul(at + 8, NULL, 10);
	if (f)
		pclose(f);
	return n;
}

static void await_queue_drops(struct lab *l)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;

	while (!l->failed && queue_drops() < 100) {
		if (lab_now_ms() > end)
			lab_fail(l, "the queue of lab0 drops nothing");
		lab_nap(50);
	}
}

void lab_stage_device_overload(struct lab *l)
{
	enum lab_side from = l->rill ? LAB_PEER : LAB_HOST;
	enum lab_side to = l->rill ? LAB_HOST : LAB_PEER;
	struct lab_actor *sink, *sender;

	if (l->rill)
		lab_sysctl(l, LAB_HOST, "net.core.netdev_max_backlog", "1");
	else
		lab_exec(l, LAB_HOST, "tc qdisc add dev lab0 root tbf rate 1mbit burst 4k "
			 "limit 8k");
	sink = lab_start(l, &(struct lab_spec){
		.name = "sink", .where = to, .listens = true, .port = 9003,
		.does = DO_UDP | DO_ACCEPT });
	sender = lab_start(l, &(struct lab_spec){
		.name = "flooder", .where = from, .port = 9003, .want = 32, .chunk = 1400,
		.addr = l->rill ? LAB_HOST_IP : LAB_PEER_IP, .every_ms = 20,
		.does = DO_UDP | DO_CHAT | DO_READ });
	lab_truth_actor(l, l->rill ? sink : sender);
	lab_truth_str(l, "device", "lab0");
	lab_truth_str(l, "queue", l->rill ? "netdev_max_backlog" : "tbf");
	if (l->rill)
		lab_expect_counter(l, "", "drop.IF_BACKLOG", 100);
	else
		await_queue_drops(l);
}
