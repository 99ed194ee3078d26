/* SPDX-License-Identifier: MIT */
/* rill lab - stages the troubles that TCP can have, in namespaces of their own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/lab_scenes.h"
#include "tools/out.h"

enum { L_JSON = 1, L_ON, L_HOLD };

static const struct opt opts[] = {
	{ L_ON, 0, "on", "kernel|rill", "whose connections are in trouble; default: kernel" },
	{ L_HOLD, 0, "hold", "SEC", "stay that long instead of running a shell" },
	{ L_JSON, 'j', "json", NULL, "what was staged, as one line of JSON; alone: the list" },
	{ 0, 0, NULL, NULL, NULL },
};

struct args {
	const char	*name, *on;
	struct lab_after after;
};

static int operand(struct optwalk *w, struct args *a)
{
	if (w->opts_over) {			/* behind "--": all of the rest */
		a->after.argv = w->argv + w->at - 1;
		return EXIT_DONE;
	}
	if (a->name) {
		complain("lab: one scene only, not %s too; put -- in front of a command",
			 w->arg);
		return EXIT_MISUSE;
	}
	a->name = w->arg;
	return -1;
}

/* Return: -1 to go on, EXIT_DONE at the command, or the exit status of a mistake. */
static int option(struct optwalk *w, int id, struct args *a)
{
	switch (id) {
	case L_JSON:
		a->after.json = true;
		return -1;
	case L_ON:
		a->on = w->arg;
		return -1;
	case L_HOLD:
		if (parse_seconds(w->arg, &a->after.hold_ms))
			return -1;
		complain("lab: --hold %s: give seconds", w->arg);
		return EXIT_MISUSE;
	}
	return operand(w, a);
}

static bool choose(const struct args *a, struct lab *l)
{
	l->scene = lab_scene_named(a->name);
	l->rill = a->on && !strcmp(a->on, "rill");
	if (!l->scene)
		complain("lab: there is no scene %s; `rill lab` lists them", a->name);
	else if (a->on && !l->rill && strcmp(a->on, "kernel") != 0)
		complain("lab: --on %s: give kernel or rill", a->on);
	else if (!(l->scene->on & (l->rill ? LAB_ON_RILL : LAB_ON_KERNEL)))
		complain("lab: %s is not staged on %s: %s", a->name,
			 l->rill ? "rill" : "the kernel", l->scene->other);
	else
		return true;
	return false;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	struct args a = { .after.hold_ms = -1 };
	static struct lab l;
	int id, r = -1;

	while (r < 0 && (id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		r = option(&w, id, &a);
	}
	if (r == EXIT_MISUSE)
		return r;
	if (!a.name && (a.after.argv || a.on || a.after.hold_ms >= 0)) {
		complain("lab: which scene? `rill lab` lists them");
		return EXIT_MISUSE;
	}
	if (!a.name) {
		lab_list(a.after.json);
		return out_finish(EXIT_DONE);
	}
	if (!choose(&a, &l))
		return EXIT_MISUSE;
	if (!a.after.argv && a.after.hold_ms < 0 && !isatty(STDIN_FILENO)) {
		complain("lab: no terminal for a shell; add --hold SEC or -- COMMAND");
		return EXIT_MISUSE;
	}
	return lab_live(&l, &a.after);
}

const struct cmd cmd_lab = {
	.name = "lab",
	.args = "[SCENE] [-- COMMAND ARGS...]",
	.help = "stage a trouble to look at it",
	.about = "Stages one of the troubles that TCP connections can have, so that it can be\n"
		 "looked at with any tool; without a SCENE it lists them all.  Everything is\n"
		 "real and nothing leaves the machine: the host that is looked at and its peers\n"
		 "are network namespaces, joined by a veth, with a pid namespace and a /run of\n"
		 "their own.  The host's programs use the kernel's sockets or, with --on rill,\n"
		 "a Rill stack each.  The scene is ready when the states that it promises have\n"
		 "been seen.  Then a shell runs inside, or COMMAND, whose exit status is the\n"
		 "command's; at the end, whatever ends it, everything is taken down.\n\n"
		 "COMMAND finds the numbers of the scene in RILL_LAB_TRUTH, the line of -j: the\n"
		 "program and its pid, ports, counts.  SIGUSR1 to it stands for \"mended\n"
		 "and reloaded\".  The peers' side: ip netns exec peer ss -tan.",
	.example = "  rill lab close-wait-leak -- ss -tan state close-wait",
	.opts = opts,
	.run = run,
};
