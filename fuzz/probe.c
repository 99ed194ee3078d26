/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/probe_wire.c and probe_run.c: whatever comes back, as reply or as
 * quote, is read within its bounds, and the counts of a run stay consistent.
 */
#include <stdint.h>
#include <stdlib.h>

#include "look/probe_wire.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

static struct probe_run run;

static void check(void)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < PROBE_RING; i++)
		waiting += run.ring[i].state == PROBE_WAITING;
	MUST(waiting == run.waiting);
	for (unsigned t = 0; t <= PROBE_TTL_MAX; t++)
		MUST(run.hop[t].stat.recv + run.hop[t].stat.lost <= run.hop[t].stat.sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_plan plan = { .first = 1, .last = 20, .queries = 3, .window = 16,
				   .wait_ns = 5 };
	struct probe_wire w = { .size = 32, .id = 0x1234, .sport = 40000, .dport = 80 };
	struct probe_answer a = { .ttl = -1 };
	struct probe_verdict v;
	struct probe_slot slot;
	struct probe_shot shot;
	char text[PROBE_TEXT];
	int64_t rtt;
	bool ok;

	if (size < 4)
		return 0;
	w.kind = (enum probe_kind)(data[0] % 3);
	w.raw = data[0] & 4;
	w.v6 = data[0] & 8;
	ok = data[0] & 16 ? probe_read_reply(&w, data + 4, size - 4, &a)
			  : probe_read_quote(&w, data + 4, size - 4, &a);
	plan.echo = data[0] & 32;
	plan.interval_ns = data[0] & 64 ? 3 : 0;
	a.what = data[1] & 64 ? PROBE_REFUSED : data[1] & 128 ? PROBE_TRANSIT : PROBE_REACHED;
	a.has_seq &= ok;
	probe_run_start(&run, &plan, 0);
	for (int64_t now = 0; now < data[1] % 64; now++) {
		probe_run_next(&run, now, &shot);
		if (now == data[2] % 64 || now == data[3] % 64)
			probe_run_answer(&run, &a, &slot, &rtt);
		probe_run_expire(&run, now, &slot);
	}
	check();
	probe_judge(&run, &v);
	probe_verdict_text(&run, &v, text);
	probe_run_stop(&run, data[3] & 128);
	check();
	MUST(probe_run_over(&run));
	return 0;
}
