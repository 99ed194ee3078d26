/* SPDX-License-Identifier: MIT */
/* Between the files of `rill drill`. */
#ifndef RL_TOOLS_DRILL_H
#define RL_TOOLS_DRILL_H

#include <stdbool.h>
#include <stdint.h>

#include "drill/run.h"

#define DRILL_JOBS_MAX	256

/* A growing list of strings; the strings are its own. */
struct names {
	char		**v;
	unsigned	n, cap;
};

struct drill {
	struct drill_config cfg;	/* from the command line */
	const char	**set;		/* names of its options; NULL behind the last */
	struct drill_define *defines;	/* NULL name behind the last */
	unsigned	nset, ndefines;
	char		*again;		/* these options as a shell takes them */
	bool		trace, quiet, json, list, seeded;
	uint64_t	seeds;		/* runs of each script */
	unsigned	jobs;
	const char	*junit, *pcap;
	bool		pcap_dir;	/* @pcap is a directory, one file a script */
	struct names	files;		/* "-": standard input */
	char		*input;		/* what stood there; NULL: not asked for */
	size_t		input_len;
};

/* What became of a script: of its last run, when there was more than one. */
struct outcome {
	enum drill_verdict verdict;
	uint64_t	seed;
	uint64_t	runs;		/* seeds that were tried: ends with the first failure */
	uint64_t	events, packets;	/* sums over the runs */
	int64_t		virtual_us, real_us;
	char		*why, *trace;	/* NULL: nothing to say */
};

struct tally {
	unsigned	passed, failed, skipped;
	unsigned	broken;		/* of the failed: could not be understood */
};

/* ---- drill_find.c ---- */

void names_add(struct names *l, const char *s);
void names_free(struct names *l);

/**
 * Put FILE, the scripts below DIR, or "-" into @d->files.
 * Return: false after one line on stderr.
 */
bool drill_find(struct drill *d, const char *path);

/* ---- drill_jobs.c ---- */

/**
 * Run all files, in @d->jobs processes when that is more than one, and give each
 * outcome to drill_report() in the order of the files.
 */
void drill_run_all(const struct drill *d, struct tally *t);

/* ---- drill_report.c ---- */

/** False after a line on stderr: a report can't be written. */
bool drill_report_open(const struct drill *d);
/** @o's strings are freed. */
void drill_report(const struct drill *d, const char *path, struct outcome *o, struct tally *t);
/** Summary and reports' ends.  Return: exit status. */
int drill_report_close(const struct drill *d, const struct tally *t);

/** The name of a script for people: "(stdin)" for "-". */
const char *drill_name(const char *path);

/** A word for a shell, with quotes where needed. */
void drill_shell_word(FILE *f, const char *s);

/* ---- drill_junit.c ---- */

bool drill_junit_open(const char *file);
void drill_junit_case(const char *name, const struct outcome *o);
/** False after a line on stderr. */
bool drill_junit_close(const char *file, const struct tally *t);

#endif
