/* SPDX-License-Identifier: MIT */
/*
 * Scenes of rows C1 to C3 and of the accept queue in C11: what happens at listeners.
 * Each function is called by the stager through the table of lab_scenes.c.
 */
#include "tools/lab.h"

#define PORT	9000

void lab_stage_syn_flood(struct lab *l)
{
	struct lab_actor *server;

	if (!l->rill)
		lab_sysctl(l, LAB_HOST, "net.ipv4.tcp_syncookies", "0");
	server = lab_start(l, &(struct lab_spec){
		.name = "web-server", .where = LAB_HOST, .listens = true, .port = PORT,
		.does = DO_ACCEPT | DO_READ | DO_CLOSE, .backlog = 256 });
	lab_start(l, &(struct lab_spec){ .name = "attacker", .where = LAB_PEER,
					 .run = lab_flood });
	lab_truth_actor(l, server);
	lab_truth_int(l, "port", PORT);
	lab_truth_int(l, "backlog", 256);
	lab_truth_int(l, "sources", 508);
	lab_expect(l, (struct lab_match){ LAB_HOST, RILL_SYN_RECV, PORT, 0 }, 150, 1000);
}
