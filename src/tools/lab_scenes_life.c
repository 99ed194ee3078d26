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

/* A server with @n connections accepted; @client gets the peers' program. */
static struct lab_actor *connected(struct lab *l, const struct lab_spec *server,
				   const struct lab_spec *clients, struct lab_actor **client)
{
	struct lab_spec s = *server, c = *clients;
	struct lab_actor *a;

	s.where = LAB_HOST;
	s.listens = true;
	s.port = PORT;
	c.where = LAB_PEER;
	c.addr = LAB_HOST_IP;
	c.port = PORT;
	a = lab_start(l, &s);
	*client = lab_start(l, &c);
	lab_await(l, &a->sh->accepted, c.want, "accepted connections");
	lab_truth_actor(l, a);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", c.from ? c.from : LAB_PEER_IP);
	return a;
}

void lab_stage_load(struct lab *l)
{
	struct lab_actor *clients;

	connected(l, &(struct lab_spec){ .name = "web-server", .does = DO_ANSWER },
		  &(struct lab_spec){ .name = "clients", .want = 700, .every_ms = 500,
				      .does = DO_READ | DO_CLOSE | DO_CHAT }, &clients);
	lab_expect(l, on_host(RILL_ESTABLISHED), 700, 0);
}

void lab_stage_half_open(struct lab *l)
{
	struct lab_actor *clients;

	connected(l, &(struct lab_spec){ .name = "patient-server", .does = DO_SERVE,
					 .cured = DO_ACCEPT | DO_DROP },
		  &(struct lab_spec){ .name = "clients", .from = LAB_GONE_IP, .want = 100,
				      .does = DO_READ | DO_CLOSE }, &clients);
	cut_off(l, LAB_GONE_IP);
	lab_kill(l, clients);
	lab_expect(l, on_host(RILL_ESTABLISHED), 100, 0);
}

void lab_stage_close_wait_leak(struct lab *l)
{
	struct lab_actor *clients;

	connected(l, &(struct lab_spec){ .name = "leaky-server", .does = DO_ACCEPT | DO_READ,
					 .cured = DO_SERVE },
		  &(struct lab_spec){ .name = "clients", .want = 50,
				      .does = DO_READ | DO_CLOSE }, &clients);
	lab_do(l, clients, DO_DROP);
	lab_truth_int(l, "unread", 0);
	lab_expect(l, on_host(RILL_CLOSE_WAIT), 50, 0);
}

/* Closed sockets whose FIN nobody acknowledges shall stay for a while. */
static void orphans_stay(struct lab *l)
{
	lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_orphan_retries", "15");
}

void lab_stage_fin_wait_1_gone(struct lab *l)
{
	struct lab_actor *server, *clients;

	orphans_stay(l);
	server = connected(l, &(struct lab_spec){ .name = "restarted", .does = DO_SERVE },
			   &(struct lab_spec){ .name = "clients", .from = LAB_GONE_IP, .want = 60,
					       .does = DO_READ | DO_CLOSE }, &clients);
	cut_off(l, LAB_GONE_IP);
	lab_kill(l, clients);
	lab_do(l, server, DO_DROP | DO_ACCEPT);
	lab_expect(l, on_host(RILL_FIN_WAIT1), 60, 0);
}

void lab_stage_fin_wait_1_window(struct lab *l)
{
	struct lab_actor *server, *clients;
	struct lab_seen seen;

	orphans_stay(l);
	server = connected(l, &(struct lab_spec){ .name = "file-server", .sndbuf = 32768,
						  .does = DO_SERVE | DO_FILL },
			   &(struct lab_spec){ .name = "deaf-clients", .want = 30,
					       .rcvbuf = 8192, .does = DO_STAY,
					       .cured = DO_READ | DO_CLOSE | DO_STAY },
			   &clients);
	lab_settle(l, on_host(RILL_ESTABLISHED), &seen);
	lab_do(l, server, DO_DROP | DO_ACCEPT);
	lab_expect(l, on_host(RILL_FIN_WAIT1), 30, 0);
	lab_see(l, &(struct lab_match){ LAB_HOST, RILL_FIN_WAIT1, PORT, 0 }, &seen);
	lab_truth_int(l, "unsent", (int64_t)seen.send_q);
}

void lab_stage_fin_wait_2(struct lab *l)
{
	struct lab_actor *server, *clients;

	lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_fin_timeout", "3600");
	server = connected(l, &(struct lab_spec){ .name = "restarted", .does = DO_SERVE },
			   &(struct lab_spec){ .name = "leaky-clients", .want = 60,
					       .does = DO_READ | DO_STAY, .cured = DO_DROP },
			   &clients);
	lab_do(l, server, DO_DROP | DO_ACCEPT);
	lab_expect(l, on_host(RILL_FIN_WAIT2), 60, 0);
}

void lab_stage_last_ack(struct lab *l)
{
	struct lab_actor *server, *clients;

	orphans_stay(l);
	server = connected(l, &(struct lab_spec){ .name = "late-server",
						  .does = DO_ACCEPT | DO_READ },
			   &(struct lab_spec){ .name = "clients", .from = LAB_GONE_IP, .want = 60,
					       .does = DO_READ | DO_CLOSE }, &clients);
	lab_do(l, clients, DO_DROP);
	lab_expect(l, on_host(RILL_CLOSE_WAIT), 60, 0);
	cut_off(l, LAB_GONE_IP);
	lab_kill(l, clients);
	lab_do(l, server, DO_ACCEPT | DO_READ | DO_CLOSE);
	lab_expect(l, on_host(RILL_LAST_ACK), 60, 0);
}

void lab_stage_time_wait_ports(struct lab *l)
{
	struct lab_actor *client;

	lab_sysctl(l, LAB_HOST, "net.ipv4.ip_local_port_range", "40000 40999");
	if (!l->rill)
		lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_tw_reuse", "0");
	lab_start(l, &(struct lab_spec){
		.name = "database", .where = LAB_PEER, .listens = true, .port = PORT,
		.does = DO_SERVE });
	client = lab_start(l, &(struct lab_spec){
		.name = "short-client", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = PORT,
		.want = 16, .does = DO_READ | DO_SHORT, .cured = DO_DROP, .every_ms = 100 });
	lab_truth_actor(l, client);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_PEER_IP);
	lab_truth_int(l, "ports", 1000);
	lab_truth_int(l, "ports_free", 0);
	lab_truth_int(l, "errno", EADDRNOTAVAIL);
	lab_await(l, &client->sh->failed, 1, "failed connections");
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_TIME_WAIT, 0, PORT }, 1000, 0);
}

/* Our FINs are lost, the peers' come: each side has closed before it heard of it. */
void lab_stage_closing(struct lab *l)
{
	struct lab_actor *server, *clients;

	orphans_stay(l);
	server = connected(l, &(struct lab_spec){ .name = "server", .does = DO_SERVE },
			   &(struct lab_spec){ .name = "clients", .want = 20,
					       .does = DO_READ | DO_CLOSE }, &clients);
	lab_exec(l, LAB_PEER, "iptables -w -A INPUT -p tcp --tcp-flags FIN FIN -j DROP");
	lab_do(l, server, DO_DROP | DO_ACCEPT);
	lab_expect(l, on_host(RILL_FIN_WAIT1), 20, 0);
	lab_do(l, clients, DO_DROP);
	lab_expect(l, on_host(RILL_CLOSING), 20, 0);
}
