/* SPDX-License-Identifier: MIT */
/* What the rules say: findings with their evidence and advice. */
#ifndef RL_LOOK_FINDING_H
#define RL_LOOK_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "rill/table.h"

enum rl_cause {
#define CAUSE(id, name, row, title)	RC_##id,
#include "look/causes.def"
#undef CAUSE
	RC_N
};

/* As exit statuses of checks. */
enum rl_severity { RL_INFO = 0, RL_WARNING = 1, RL_CRITICAL = 2 };

#define RL_FINDINGS	64
#define RL_EVIDENCE	10
#define RL_ADVICE	6
#define RL_TEXT		400

struct rl_advice {
	char	text[RL_TEXT];
	char	command[RL_TEXT];	/* "": none */
	bool	code;			/* @command is for the program's source, not a shell */
	char	danger[RL_TEXT];	/* "": none */
};

struct rl_finding {
	enum rl_cause	 cause;
	enum rl_severity severity;
	double		 confidence;
	enum rill_source source;
	char		 stack[64], program[16], peer[64], summary[RL_TEXT];
	unsigned	 count, port;
	int		 pid;		/* 0: not known */
	unsigned	 nevidence, nadvice;
	char		 evidence[RL_EVIDENCE][RL_TEXT];
	struct rl_advice advice[RL_ADVICE];
};

struct rl_findings {
	struct rl_finding *list;	/* RL_FINDINGS + 1: the last takes what is too much */
	unsigned	 n, lost;
	bool		 wants_watch;	/* a rule has to see growth to be sure */
	bool		 wants_probe;	/* a rule has to know who still answers */
};

/** Return: false without memory. */
bool rl_findings_init(struct rl_findings *fs);
void rl_findings_free(struct rl_findings *fs);

/** Never NULL: what is too much is written where nobody reads it. */
struct rl_finding *rl_finding_add(struct rl_findings *fs, enum rl_cause cause,
				  enum rl_severity severity, double confidence);

void rl_summary(struct rl_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rl_evidence(struct rl_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rl_advise(struct rl_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Of the advice given last. */
void rl_command(struct rl_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rl_code(struct rl_finding *f, const char *text);
void rl_danger(struct rl_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Worst and surest first. */
void rl_findings_sort(struct rl_findings *fs);

const char *rl_cause_name(enum rl_cause c);
const char *rl_cause_row(enum rl_cause c);
const char *rl_cause_title(enum rl_cause c);		/* translated */
const char *rl_severity_name(enum rl_severity s);	/* "info", "warning", "critical" */

/** "certain", "likely", "possible", "a guess", translated. */
const char *rl_confidence_word(double confidence);

#endif
