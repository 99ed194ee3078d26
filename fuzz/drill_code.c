/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what a packet script's commands and code blocks are made of.  The first
 * byte chooses: a code block, which parses or gives a line number, and then runs or
 * gives a reason; or a command, whose words are taken apart.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drill/code.h"
#include "drill/command.h"
#include "rill/stack.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void code(const char *text, size_t len)
{
	static struct rill_tcp_info info = { .state = 1, .rtt = 100000, .snd_cwnd = 10 };
	static struct code_env e;
	struct code_snapshot seen = { .info = &info };
	struct drill_arena a = { NULL };
	struct code_stmt *s;
	char why[DRILL_CODE_WHY] = "";

	if (rl_drill_code_parse(&a, text, len, &s, why, sizeof(why)) < 0) {
		MUST(!strncmp(why, "line ", 5));
	} else {
		memset(&e, 0, sizeof(e));
		e.a = &a;
		e.lookup = rl_drill_code_lookup;
		e.ctx = &seen;
		MUST((rl_drill_code_exec(&e, s) < 0) == e.failed);
		MUST(e.failed == (*e.why != 0));
	}
	rl_drill_free_all(&a);
}

static void command(const char *text, size_t len)
{
	struct drill_words w;
	const char *end = text + len;
	int r;

	while ((r = rl_drill_words(&text, &w)) > 0) {
		MUST(w.n > 0 && w.n <= DRILL_WORDS && !w.word[w.n]);
		MUST(w.text + w.len <= end && text <= end && text > w.text);
		for (unsigned i = 0; i < w.n; i++)
			MUST(w.word[i] + strlen(w.word[i]) < w.buf + sizeof(w.buf));
		MUST(!w.out || *w.out);
	}
	MUST(r <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? malloc(size) : NULL;

	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (*data & 1)
		command(text, strlen(text));
	else
		code(text, size - 1);
	free(text);
	return 0;
}
