/* SPDX-License-Identifier: MIT */
/*
 * Scenes of rows C4 to C10: connections that stay in a state.  Each function is called
 * by the stager through the table of lab_scenes.c.
 */
#include <errno.h>

#include "tools/lab.h"

#define PORT	9000

static struct lab_match on_host(int state)
{
	return (struct lab_match){ LAB_HOST, state, PORT, 0 };
}

/* What that peer's host sends and gets is lost, as if it had no current. */
static void cut_off(struct lab *l, const char *ip)
{
	lab_exec(l, LAB_PEER, "iptables -w -I INPUT -d %s -j DROP", ip);
	lab_exec(l, LAB_PEER, "iptables -w -I OUTPUT -s %s -j DROP", ip);
}

void lab_stage_half_open(struct lab *l)
{
	struct lab_actor *server, *clients;

	server = lab_start(l, &(struct lab_spec){
		.name = "patient-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_ACCEPT | DO_READ | DO_CLOSE, .cured = DO_ACCEPT | DO_DROP });
	clients = lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.from = LAB_GONE_IP, .want = 100, .does = DO_READ | DO_CLOSE });
	lab_await(l, &server->sh->accepted, 100, "accepted connections");
	cut_off(l, LAB_GONE_IP);
	lab_kill(l, clients);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_GONE_IP);
	lab_expect(l, on_host(RILL_ESTABLISHED), 100, 0);
}

void lab_stage_close_wait_leak(struct lab *l)
{
	struct lab_actor *server, *clients;

	server = lab_start(l, &(struct lab_spec){
		.name = "leaky-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_ACCEPT | DO_READ, .cured = DO_ACCEPT | DO_READ | DO_CLOSE });
	clients = lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.want = 50, .does = DO_READ | DO_CLOSE });
	lab_await(l, &server->sh->accepted, 50, "accepted connections");
	lab_do(l, clients, DO_DROP);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_PEER_IP);
	lab_truth_int(l, "unread", 0);
	lab_expect(l, on_host(RILL_CLOSE_WAIT), 50, 0);
}

void lab_stage_time_wait_ports(struct lab *l)
{
	static const char *const ports[] = { "net.ipv4.ip_local_port_range=40000 40999", NULL };
	struct lab_actor *client;

	if (!l->rill) {
		lab_sysctl(l, LAB_HOST, "net.ipv4.ip_local_port_range", "40000 40999");
		lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_tw_reuse", "0");
	}
	lab_start(l, &(struct lab_spec){
		.name = "database", .where = LAB_PEER, .listens = true, .port = PORT,
		.does = DO_ACCEPT | DO_READ | DO_CLOSE });
	client = lab_start(l, &(struct lab_spec){
		.name = "short-client", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = PORT,
		.want = 16, .does = DO_READ | DO_SHORT, .every_ms = 100, .sysctls = ports });
	lab_truth_actor(l, client);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_PEER_IP);
	lab_truth_int(l, "ports", 1000);
	lab_truth_int(l, "ports_free", 0);
	lab_truth_int(l, "errno", EADDRNOTAVAIL);
	lab_await(l, &client->sh->failed, 1, "failed connections");
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_TIME_WAIT, 0, PORT }, 1000, 0);
}
