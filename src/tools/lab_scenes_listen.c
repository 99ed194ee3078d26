/* SPDX-License-Identifier: MIT */
/*
 * Scenes of rows C1 and C3, and those of C11 that happen at listeners.  Each function
 * is called by the stager through the table of lab_scenes.c.
 */
#include "tools/lab.h"

#define PORT	9000

void lab_stage_listen_open(struct lab *l)
{
	struct lab_actor *server = lab_start(l, &(struct lab_spec){
		.name = "open-cache", .where = LAB_HOST, .listens = true, .port = 6379,
		.does = DO_SERVE });

	lab_truth_actor(l, server);
	lab_truth_int(l, "port", 6379);
	lab_truth_str(l, "address", "0.0.0.0");
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_LISTEN, 6379, 0 }, 1, 0);
}

void lab_stage_syn_flood(struct lab *l)
{
	struct lab_actor *server;

	if (!l->rill)
		lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_syncookies", "0");
	server = lab_start(l, &(struct lab_spec){
		.name = "web-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_SERVE, .backlog = 256 });
	lab_start(l, &(struct lab_spec){ .name = "attacker", .where = LAB_PEER,
					 .run = lab_flood });
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_int(l, "backlog", 256);
	lab_truth_int(l, "sources", 508);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_RECV, PORT, 0 }, 150, ~0u);
}

static struct lab_actor *clients(struct lab *l, const char *from, unsigned n)
{
	return lab_start(l, &(struct lab_spec){
		.name = "clients", .where = LAB_PEER, .addr = LAB_HOST_IP, .port = PORT,
		.from = from, .want = n, .does = DO_READ | DO_CLOSE });
}

/*
 * The last ACKs of the first 60 are held up until others have filled the queue: that
 * is what a burst does on a longer way.
 */
void lab_stage_slow_accept(struct lab *l)
{
	static const char rule[] = "OUTPUT -s " LAB_GONE_IP
				   " -p tcp --tcp-flags SYN,ACK,FIN,RST ACK -j DROP";
	struct lab_match half_open = { LAB_HOST, RILL_SYN_RECV, PORT, 0 };
	struct lab_match listener = { LAB_HOST, RILL_LISTEN, PORT, 0 };
	struct lab_actor *server;

	lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_synack_retries", "12");
	server = lab_start(l, &(struct lab_spec){
		.name = "slow-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.backlog = 128, .cured = DO_SERVE });
	lab_exec(l, LAB_PEER, "iptables -w -A %s", rule);
	clients(l, LAB_GONE_IP, 60);
	lab_expect(l, half_open, 60, 0);
	clients(l, LAB_PEER_IP, 129);
	lab_expect_queue(l, listener, 129);
	lab_exec(l, LAB_PEER, "iptables -w -D %s", rule);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_int(l, "queue", 129);
	lab_truth_int(l, "backlog", 128);
	lab_expect_counter(l, "ListenOverflows", "tcp.listen_overflows", 60);
	lab_expect(l, half_open, 60, 0);
}

void lab_stage_synack_lost(struct lab *l)
{
	struct lab_actor *server;

	server = lab_start(l, &(struct lab_spec){
		.name = "web-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_SERVE });
	lab_exec(l, LAB_PEER, "iptables -w -A INPUT -p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP");
	clients(l, LAB_PEER_IP, 60);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_str(l, "peer", LAB_PEER_IP);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_RECV, PORT, 0 }, 60, 0);
}

void lab_stage_backlog_full(struct lab *l)
{
	struct lab_match listener = { LAB_HOST, RILL_LISTEN, PORT, 0 };
	struct lab_actor *server;

	server = lab_start(l, &(struct lab_spec){
		.name = "busy-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.backlog = 8, .cured = DO_SERVE });
	clients(l, LAB_PEER_IP, 30);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_int(l, "queue", 9);
	lab_truth_int(l, "backlog", 8);
	lab_expect_queue(l, listener, 9);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_ESTABLISHED, PORT, 0 }, 9, 0);
	lab_expect_counter(l, "ListenDrops", "tcp.listen_drops", 1);
}

void lab_stage_no_descriptors(struct lab *l)
{
	struct lab_actor *server;

	server = lab_start(l, &(struct lab_spec){
		.name = "poor-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_ACCEPT | DO_READ, .cured = DO_ACCEPT | DO_DROP, .nofile = 40 });
	clients(l, LAB_PEER_IP, 60);
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_int(l, "limit", 40);
	lab_await(l, &server->sh->descriptors, 2, "EMFILE of accept()");
	lab_truth_int(l, "accepted", server->sh->accepted);
	lab_truth_int(l, "queue", 60 - (int)server->sh->accepted);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_ESTABLISHED, PORT, 0 }, 60, 0);
}
