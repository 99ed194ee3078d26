/* SPDX-License-Identifier: MIT */
/*
 * Scenes of rows C12 and C13: connected, and nothing moves, or has not for long.  Each
 * function is called by the stager through the table of lab_scenes.c.
 */
#include "tools/lab.h"

#define PORT	9000
#define IDLE_MS	3000

static const struct lab_match sending = { LAB_HOST, RILL_ESTABLISHED, 0, PORT };
static const struct lab_match serving = { LAB_HOST, RILL_ESTABLISHED, PORT, 0 };

static void truth(struct lab *l, const struct lab_actor *a)
{
	lab_truth_actor(l, a);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_PEER_IP);
}

static struct lab_actor *sink(struct lab *l, const char *name, const char *addr, unsigned does,
			      int rcvbuf)
{
	return lab_start(l, &(struct lab_spec){
		.name = name, .where = LAB_PEER, .listens = true, .addr = addr, .port = PORT,
		.rcvbuf = rcvbuf, .does = does, .cured = DO_SERVE });
}

void lab_stage_zero_window(struct lab *l)
{
	struct lab_actor *client;
	struct lab_seen seen;

	sink(l, "deaf-sink", NULL, DO_ACCEPT, 16384);
	client = lab_start(l, &(struct lab_spec){
		.name = "sender", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = PORT,
		.want = 3, .sndbuf = 65536, .does = DO_READ | DO_CLOSE | DO_FILL,
		.cured = DO_DROP });
	truth(l, client);
	lab_expect(l, sending, 3, 0);
	lab_settle(l, sending, &seen);
	lab_truth_int(l, "send_q", (int64_t)seen.send_q);
}

/* A line of 8 Mbit/s with room for all that three send buffers hold. */
void lab_stage_retransmitting(struct lab *l)
{
	struct lab_actor *client;

	lab_exec(l, LAB_HOST, "tc qdisc add dev lab0 root tbf rate 8mbit burst 32k limit 4m");
	sink(l, "sink", NULL, DO_SERVE, 0);
	client = lab_start(l, &(struct lab_spec){
		.name = "sender", .where = LAB_HOST, .addr = LAB_PEER_IP, .port = PORT,
		.want = 3, .sndbuf = 65536, .does = DO_READ | DO_CLOSE | DO_FILL,
		.cured = DO_DROP });
	truth(l, client);
	lab_expect(l, sending, 3, 0);
	lab_exec(l, LAB_PEER, "iptables -w -A INPUT -p tcp --dport %d -m statistic --mode nth "
		 "--every 6 --packet 0 -j DROP", PORT);
	lab_truth_int(l, "loss_percent", 17);
	lab_expect_counter(l, "RetransSegs", "tcp.retrans_segs", 30);
}

void lab_stage_half_open_sending(struct lab *l)
{
	struct lab_actor *client;
	struct lab_actor *there;

	there = sink(l, "sink", LAB_GONE_IP, DO_SERVE, 0);
	client = lab_start(l, &(struct lab_spec){
		.name = "sender", .where = LAB_HOST, .addr = LAB_GONE_IP, .port = PORT,
		.want = 12, .does = DO_READ | DO_CLOSE | DO_CHAT, .cured = DO_DROP });
	truth(l, client);
	lab_truth_str(l, "peer", LAB_GONE_IP);
	lab_await(l, &there->sh->accepted, 12, "accepted connections");
	lab_expect(l, sending, 12, 0);
	lab_exec(l, LAB_PEER, "iptables -w -I INPUT -d " LAB_GONE_IP " -j DROP");
	lab_exec(l, LAB_PEER, "iptables -w -I OUTPUT -s " LAB_GONE_IP " -j DROP");
	lab_kill(l, there);
	lab_expect_tried(l, sending, 12);
	lab_truth_int(l, "tries_least", 3);
}

void lab_stage_not_reading(struct lab *l)
{
	struct lab_actor *server;
	struct lab_seen seen;

	server = lab_start(l, &(struct lab_spec){
		.name = "deaf-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_ACCEPT, .cured = DO_SERVE });
	lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.want = 5, .does = DO_READ | DO_CLOSE | DO_FILL });
	truth(l, server);
	lab_await(l, &server->sh->accepted, 5, "accepted connections");
	lab_expect(l, serving, 5, 0);
	lab_settle(l, serving, &seen);
	lab_truth_int(l, "unread", (int64_t)seen.recv_q);
}

/* How long they have been idle cannot be hurried. */
static void idle(struct lab *l, const char *name, unsigned keepalive)
{
	struct lab_actor *server;

	server = lab_start(l, &(struct lab_spec){
		.name = name, .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_SERVE | keepalive, .cured = DO_ACCEPT | DO_KEEPALIVE | DO_DROP });
	lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.want = 20, .does = DO_READ | DO_CLOSE });
	truth(l, server);
	lab_await(l, &server->sh->accepted, 20, "accepted connections");
	if (!l->failed)
		lab_nap(IDLE_MS);
	lab_truth_int(l, "idle_ms", IDLE_MS);
	lab_expect(l, serving, 20, 0);
}

void lab_stage_no_keepalive(struct lab *l)
{
	idle(l, "quiet-server", 0);
}

void lab_stage_healthy_keepalive(struct lab *l)
{
	idle(l, "quiet-server", DO_KEEPALIVE);
}
