/* SPDX-License-Identifier: MIT */
/* Between cmd_doctor.c (what is asked), doctor_topics.c (details), doctor_print.c. */
#ifndef RL_TOOLS_DOCTOR_H
#define RL_TOOLS_DOCTOR_H

#include "look/facts_read.h"
#include "look/rules.h"

#define DOCTOR_DETAILS	200

struct doctor;

struct doctor_topic {
	const char	*name, *rows;
	void		(*details)(struct doctor *d, const struct rl_facts *f);
	const char	*help;
};

struct doctor {
	struct rl_scope	scope;
	struct filter	filter;
	struct rl_limits limits;
	const struct doctor_topic *topic;	/* NULL: everything */
	int		watch_ms;		/* 0: as the rules want it */
	bool		json, no_probe, list, changing;
	struct rl_seen	first, now;
	struct rl_findings found;
	const char	*rows[16];		/* that were checked */
	unsigned	nrows;
	char		*detail[DOCTOR_DETAILS];
	unsigned	ndetails, lost;		/* too many of them */
};

/** Topic number @i, NULL behind the last. */
const struct doctor_topic *doctor_topic_at(unsigned i);

/** One line of what the topic is about. */
void doctor_say(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define TOPIC_FN(name)	void name(struct doctor *d, const struct rl_facts *f)
TOPIC_FN(doctor_listeners);
TOPIC_FN(doctor_backlog);
TOPIC_FN(doctor_ports);
TOPIC_FN(doctor_slow);
TOPIC_FN(doctor_keepalive);
TOPIC_FN(doctor_limits);
TOPIC_FN(doctor_growth);
TOPIC_FN(doctor_who_closed);
TOPIC_FN(doctor_why_reset);
TOPIC_FN(doctor_history);

void doctor_print(const struct doctor *d);
void doctor_print_list(void);

#endif
