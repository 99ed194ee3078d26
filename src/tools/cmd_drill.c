/* SPDX-License-Identifier: MIT */
/*
 * rill drill - run packet scripts against the stack, in virtual time.  This file
 * owns the command line; src/drill runs the scripts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/cmd.h"
#include "tools/drill.h"
#include "tools/out.h"

enum {
	D_DEFINE = 1, D_VERBOSE, D_QUIET, D_JSON, D_JUNIT, D_PCAP, D_JOBS, D_LIST,
	D_FIXTURES, D_SEED, D_SEEDS, D_SHELL,
#define OPTION(name, ...)	D_##name,
#include "drill/options.def"
#undef OPTION
};

static const struct opt opts[] = {
	{ D_VERBOSE, 'v', "verbose", NULL, "show packets and calls, and what passed" },
	{ D_QUIET, 'q', "quiet", NULL, "show failures and the summary only" },
	{ D_JOBS, 'j', "jobs", "N", "run scripts in N processes" },
	{ D_SEED, 0, "seed", "N", "seed of ports, sequence numbers and hash keys" },
	{ D_SEEDS, 0, "seeds", "N", "run each script with N seeds, up to its first failure" },
	{ D_DEFINE, 'D', "define", "NAME=VALUE", "replace a word in the scripts" },
	{ D_JSON, 0, "json", NULL, "JSON" },
	{ D_JUNIT, 0, "junit", "FILE", "write a JUnit report as well" },
	{ D_PCAP, 0, "pcap", "FILE", "write all packets; several scripts: a directory, one "
	  "file each" },
	{ D_LIST, 0, "list", NULL, "show the paths only" },
	{ D_FIXTURES, 0, "fixtures", NULL, "show what `use` knows" },
	{ D_SHELL, 0, "allow-shell", NULL, "run commands that are not sysctl by /bin/sh" },

	/* those below are a script's own as well; what is said here wins */
#define OPTION(name, kind, at, min, max, value, refusal, help) \
	{ D_##name, 0, #name, value, help },
#include "drill/options.def"
#undef OPTION
	{ 0, 0, NULL, NULL, NULL },
};

/* ---- the command line so far ---- */

static void *grown(void *list, size_t n, size_t size)
{
	list = realloc(list, n * size);
	if (!list) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	return list;
}

/* What a failure says so that it can be repeated: --name=value for a shell. */
static void remember(struct drill *d, const char *option, const char *value)
{
	char *word = NULL, *all = NULL;
	size_t len;
	FILE *f;

	if (asprintf(&word, value ? "%s=%s" : "%s", option, value) < 0 ||
	    !(f = open_memstream(&all, &len))) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	fprintf(f, "%s ", d->again ? d->again : "");
	drill_shell_word(f, word);
	fclose(f);
	free(word);
	free(d->again);
	d->again = all;
}

static int language_option(struct drill *d, int id, const char *value)
{
	const struct opt *o = opts;
	char why[512] = "", option[64];

	while (o->id != id)
		o++;
	if (rl_drill_config_set(&d->cfg, o->name, value, why, sizeof(why)) < 0) {
		complain("drill: %s", why);
		return EXIT_MISUSE;
	}
	d->set = grown(d->set, d->nset + 2, sizeof(*d->set));
	d->set[d->nset++] = o->name;
	d->set[d->nset] = NULL;
	snprintf(option, sizeof(option), "--%s", o->name);
	remember(d, option, value);
	return -1;
}

static int define(struct drill *d, char *arg)
{
	size_t n = strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789_");

	if (!n || (arg[n] && arg[n] != '=')) {
		complain("drill: -D %s: give NAME=VALUE, NAME of letters, digits and _", arg);
		return EXIT_MISUSE;
	}
	remember(d, "--define", arg);
	d->defines = grown(d->defines, d->ndefines + 2, sizeof(*d->defines));
	d->defines[d->ndefines++] = (struct drill_define){
		.name = arg, .value = arg[n] ? arg + n + 1 : "1",
	};
	d->defines[d->ndefines] = (struct drill_define){ NULL, NULL };
	arg[n] = '\0';
	return -1;
}

static int number(const char *name, const char *arg, uint64_t min, uint64_t max, uint64_t *v)
{
	if (parse_u64(arg, min, max, v))
		return -1;
	complain("drill: --%s %s: give a number from %" PRIu64 " to %" PRIu64, name, arg, min,
		 max);
	return EXIT_MISUSE;
}

static int jobs(struct drill *d, const char *arg)
{
	uint64_t v = 1;
	int status = number("jobs", arg, 1, DRILL_JOBS_MAX, &v);

	d->jobs = (unsigned)v;
	return status;
}

/* Return: -1 to go on, or the exit status. */
static int option(struct drill *d, int id, char *arg)
{
	switch (id) {
	case D_VERBOSE:
		d->trace = d->cfg.verbose = true;
		return -1;
	case D_QUIET:
		d->quiet = true;
		return -1;
	case D_JSON:
		d->json = true;
		return -1;
	case D_LIST:
		d->list = true;
		return -1;
	case D_SHELL:
		d->cfg.allow_shell = true;
		remember(d, "--allow-shell", NULL);
		return -1;
	case D_JUNIT:
		d->junit = arg;
		return -1;
	case D_PCAP:
		d->pcap = arg;
		return -1;
	case D_JOBS:
		return jobs(d, arg);
	case D_SEED:
		d->seeded = true;
		return number("seed", arg, 0, UINT64_MAX, &d->cfg.seed);
	case D_SEEDS:
		return number("seeds", arg, 1, 1000000000, &d->seeds);
	case D_DEFINE:
		return define(d, arg);
	case D_FIXTURES:
		rl_drill_fixture_list(stdout);
		return out_finish(EXIT_DONE);
	default:
		return language_option(d, id, arg);
	}
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct drill *d,
		 struct names *paths)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, status = -1;

	while (status < 0 && (id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_OPERAND)
			names_add(paths, w.arg);
		else
			status = id > 0 ? option(d, id, w.arg) : opt_status(id);
	}
	if (status >= 0)
		return status;
	if (d->trace && d->quiet) {
		complain("drill: either -v or -q");
		return EXIT_MISUSE;
	}
	if (!paths->n) {
		complain("drill: which script? give files, directories or -; "
			 "see `rill drill --help`");
		return EXIT_MISUSE;
	}
	return -1;
}

/* One script: the file itself; several, or a directory that is there: one file each. */
static bool choose_pcap(struct drill *d)
{
	struct stat st;
	bool there = d->pcap && stat(d->pcap, &st) == 0;

	if (!d->pcap)
		return true;
	d->pcap_dir = d->files.n > 1 || (there && S_ISDIR(st.st_mode));
	if (!d->pcap_dir)
		return true;
	if (there && !S_ISDIR(st.st_mode)) {
		complain("drill: --pcap %s: give a directory for the captures of several scripts",
			 d->pcap);
		return false;
	}
	if (!there && mkdir(d->pcap, 0777) < 0) {
		complain("drill: --pcap %s: %s", d->pcap, strerror(errno));
		return false;
	}
	return true;
}

static int list(const struct drill *d)
{
	if (d->json)
		printf("{\"rill\":1,\"scripts\":[");
	for (unsigned i = 0; i < d->files.n; i++) {
		if (!d->json) {
			puts(d->files.v[i]);
			continue;
		}
		printf(i ? ",\n" : "\n");
		out_json_str(d->files.v[i]);
	}
	if (d->json)
		printf("\n]}\n");
	return out_finish(EXIT_DONE);
}

static int run_scripts(struct drill *d, const struct names *paths)
{
	struct tally t = { 0 };

	for (unsigned i = 0; i < paths->n; i++)
		if (!drill_find(d, paths->v[i]))
			return EXIT_MISUSE;
	if (d->list)
		return list(d);
	if (!choose_pcap(d))
		return EXIT_MISUSE;
	if (!drill_report_open(d))
		return EXIT_FAILED;
	drill_run_all(d, &t);
	return drill_report_close(d, &t);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct drill d = { .seeds = 1, .jobs = 1 };
	struct names paths = { 0 };
	int status;

	rl_drill_config_init(&d.cfg);
	status = parse(cmd, argc, argv, &d, &paths);
	if (status < 0)
		status = run_scripts(&d, &paths);
	names_free(&paths);
	names_free(&d.files);
	free(d.set);
	free(d.defines);
	free(d.again);
	free(d.input);
	return status;
}

const struct cmd cmd_drill = {
	.name = "drill",
	.args = "FILE|DIR|-...",
	.help = "run packet scripts against the stack, in virtual time",
	.about = "Runs scripts of packetdrill's language: segments that come in, calls, segments\n"
		 "that must go out and when.  Each script has a stack of its own and a virtual\n"
		 "clock, so nothing waits and nothing is needed from the system.  Of a directory\n"
		 "all *.pkt below it are run, - is standard input.  Beyond the language there are\n"
		 "`use FIXTURE`, `drop REASON`, `hold REASON`, `state NAME` and `quiet`, and\n"
		 "`badsum` behind an inbound packet whose checksum shall be wrong.\n"
		 "The last line is `N passed, N failed[, N skipped]`.  Exit status: 0; 1 when a\n"
		 "script failed; 2 when one cannot be understood or there is none.\n"
		 "The options from --ip_version on may stand at the head of a script too, as\n"
		 "--name=value; those of the command line win.",
	.example = "  rill drill -v examples/handshake.pkt",
	.opts = opts,
	.run = run,
};
