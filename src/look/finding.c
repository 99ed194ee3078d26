/* SPDX-License-Identifier: MIT */
/*
 * Findings: bounded texts in bounded lists, so that a rule never fails.  A list
 * that is full counts what it could not take.
 */
#include "look/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/lang.h"

static const struct {
	const char *name, *row, *title;
} causes[] = {
#define CAUSE(id, name, row, title)	{ name, row, N_(title) },
#include "look/causes.def"
#undef CAUSE
};

const char *rl_cause_name(enum rl_cause c)
{
	return causes[c].name;
}

const char *rl_cause_row(enum rl_cause c)
{
	return causes[c].row;
}

const char *rl_cause_title(enum rl_cause c)
{
	return rl_tr(causes[c].title);
}

const char *rl_severity_name(enum rl_severity s)
{
	static const char *const names[] = { "info", "warning", "critical" };

	return names[s];
}

const char *rl_confidence_word(double confidence)
{
	if (confidence >= 0.9)
		return _("certain");
	if (confidence >= 0.7)
		return _("likely");
	return confidence >= 0.4 ? _("possible") : _("a guess");
}

bool rl_findings_init(struct rl_findings *fs)
{
	memset(fs, 0, sizeof(*fs));
	fs->list = calloc(RL_FINDINGS + 1, sizeof(*fs->list));
	return fs->list != NULL;
}

void rl_findings_free(struct rl_findings *fs)
{
	free(fs->list);
	memset(fs, 0, sizeof(*fs));
}

struct rl_finding *rl_finding_add(struct rl_findings *fs, enum rl_cause cause,
				  enum rl_severity severity, double confidence)
{
	struct rl_finding *f = &fs->list[fs->n];

	if (fs->n < RL_FINDINGS)
		fs->n++;
	else
		fs->lost++;
	memset(f, 0, sizeof(*f));
	f->cause = cause;
	f->severity = severity;
	f->confidence = confidence;
	return f;
}

static void put(char *to, const char *fmt, va_list ap)
{
	vsnprintf(to, RL_TEXT, fmt, ap);
}

#define FORMAT(to)				\
	do {					\
		va_list ap;			\
		va_start(ap, fmt);		\
		put(to, fmt, ap);		\
		va_end(ap);			\
	} while (0)

void rl_summary(struct rl_finding *f, const char *fmt, ...)
{
	FORMAT(f->summary);
}

void rl_evidence(struct rl_finding *f, const char *fmt, ...)
{
	if (f->nevidence < RL_EVIDENCE)
		FORMAT(f->evidence[f->nevidence++]);
}

void rl_advise(struct rl_finding *f, const char *fmt, ...)
{
	if (f->nadvice < RL_ADVICE)
		FORMAT(f->advice[f->nadvice++].text);
}

void rl_command(struct rl_finding *f, const char *fmt, ...)
{
	if (f->nadvice)
		FORMAT(f->advice[f->nadvice - 1].command);
}

void rl_code(struct rl_finding *f, const char *text)
{
	if (!f->nadvice)
		return;
	snprintf(f->advice[f->nadvice - 1].command, RL_TEXT, "%s", text);
	f->advice[f->nadvice - 1].code = true;
}

void rl_danger(struct rl_finding *f, const char *fmt, ...)
{
	if (f->nadvice)
		FORMAT(f->advice[f->nadvice - 1].danger);
}

static int worse(const void *a, const void *b)
{
	const struct rl_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	if (x->confidence < y->confidence || x->confidence > y->confidence)
		return x->confidence < y->confidence ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->cause < y->cause ? -1 : x->cause > y->cause;
}

void rl_findings_sort(struct rl_findings *fs)
{
	qsort(fs->list, fs->n, sizeof(*fs->list), worse);
}
