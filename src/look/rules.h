/* SPDX-License-Identifier: MIT */
/*
 * From facts to findings.  A rule is a function of what was seen: no I/O, no clock,
 * time linear in the number of sockets.
 */
#ifndef RL_LOOK_RULES_H
#define RL_LOOK_RULES_H

#include "look/facts.h"
#include "look/finding.h"
#include "look/tally.h"

enum rl_limit {
#define LIMIT(id, name, warn, crit, unit, help)	RL_LIM_##id,
#include "look/limits.def"
#undef LIMIT
	RL_LIM_N
};

struct rl_limits {
	int64_t	warn[RL_LIM_N], crit[RL_LIM_N];
};

void rl_limits_default(struct rl_limits *l);

/* One diagnosis under way. */
struct rl_diag {
	const struct rl_facts	*f;
	const struct rl_limits	*lim;
	struct rl_findings	*out;
	unsigned		 state[RILL_TCP_STATES];	/* sockets in each */
	struct rl_tally		*listeners;	/* by lport */
	struct rl_tally		*alive;		/* by ip, and by ip and pport: answered us */
	struct rl_tally		*held;		/* by pid: all sockets */
};

/**
 * All rules, or those whose row is in @rows ("C3 C11"; NULL: all), over @f; findings
 * are added to @out.  Return: 0 or -ENOMEM.
 */
int rl_diagnose(const struct rl_facts *f, const struct rl_limits *lim, const char *rows,
		struct rl_findings *out);

/** Is @row one of those in @rows ("C3 C11"; NULL: all)? */
bool rl_rows_have(const char *rows, const char *row);

#define RULE(row, fn)	void fn(struct rl_diag *d);
#include "look/rules.def"
#undef RULE

/** C11's part that looks at listeners (rules_listen.c). */
void rl_rule_backlog(struct rl_diag *d);

/* ---- what the rules share (rules.c) ---- */

#define RL_WHO	64

/** Severity by limit @id; RL_INFO below the warning. */
enum rl_severity rl_severity_of(const struct rl_diag *d, enum rl_limit id, int64_t n);

/** A finding about @s (NULL: about no socket), with source, program and port filled in. */
struct rl_finding *rl_found(struct rl_diag *d, enum rl_cause cause, enum rl_severity sev,
			    double confidence, const struct rill_sock *s);

/** Who holds @s: "nginx[123]", "stack web[123]", "an unknown program". */
const char *rl_who(const struct rill_sock *s, char buf[RL_WHO]);
/** Nobody yet: it stands in a listener's accept queue. */
bool rl_unaccepted(const struct rill_sock *s);
/** The evidence of who holds @s. */
void rl_say_program(struct rl_finding *f, const struct rill_sock *s);
int rl_pid_of(const struct rill_sock *s);

const char *rl_ip_text(const struct rill_ip *ip, char buf[RL_WHO]);
/** "10.0.0.1:80", "[fd77::1]:80", "*:80" */
const char *rl_addr_text(const struct rill_addr *a, char buf[RL_WHO]);
bool rl_ip_any(const struct rill_ip *ip);
bool rl_ip_loopback(const struct rill_ip *ip);

/** "350 ms", "12 s", "3 min", "2.5 h" */
const char *rl_span(int64_t ms, char buf[RL_WHO]);

/** "at least 12 s", "12 s", "not known" */
const char *rl_age_text(int64_t age_ms, bool least, char buf[RL_WHO]);

/** In order, neighbours as a range: "3, 7-19, ..." */
const char *rl_fd_text(const struct rl_tally_row *r, char buf[RL_WHO]);

/** How many, and their peer when they have but one. */
void rl_count(struct rl_finding *f, const struct rl_tally_row *r);

/** Evidence lines that several rules give. */
void rl_say_who(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r);
void rl_say_age(struct rl_finding *f, const struct rl_tally_row *r);
void rl_say_growth(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r);

/** Command that sets a tunable of this source. */
void rl_set_command(struct rl_diag *d, struct rl_finding *f, const char *name, const char *value);

/** Command that resets those in @state at the service of @s. */
void rl_kill_command(struct rl_diag *d, struct rl_finding *f, const char *state,
		     const struct rill_sock *s);

/** Is @s a server's end?  Then the port that matters is the local one. */
bool rl_serving(const struct rl_diag *d, const struct rill_sock *s);

/** Growth of a counter while watched; 0 when there was no watch. */
int64_t rl_grown(const struct rl_diag *d, enum rl_fact_ctr c);

/** A rule needs growth that was not watched: say so.  Return: whether it was. */
bool rl_watched(struct rl_diag *d);

#endif
