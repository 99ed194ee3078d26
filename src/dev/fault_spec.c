/* SPDX-License-Identifier: MIT */
/* The text form of faults: lists of NAME=VALUE for one direction or for both. */
#include <errno.h>
#include <stdlib.h>

#include "dev/dev_int.h"
#include "dev/fault.h"

#define QUEUE_MAX	1000000u
#define DELAY_MAX	(3600 * RL_SEC)

enum kind { PPM, BURST, TIME, RATE, COUNT };

static const struct {
	const char	*name;
	enum kind	kind;
	size_t		offset;
	const char	*form;		/* for the error line */
} params[] = {
#define PAR(name, kind, field, form) \
	{ name, kind, offsetof(struct rl_fault_par, field), form }
	PAR("loss",	PPM,	loss_ppm,	"0% to 100%"),
	PAR("burst",	BURST,	burst_milli,	"a mean length of 1 to 1000 packets"),
	PAR("dup",	PPM,	dup_ppm,	"0% to 100%"),
	PAR("reorder",	PPM,	reorder_ppm,	"0% to 100%"),
	PAR("corrupt",	PPM,	corrupt_ppm,	"0% to 100%"),
	PAR("delay",	TIME,	delay_ns,	"a time of up to 1 hour, as 10ms, 50us, 1s"),
	PAR("jitter",	TIME,	jitter_ns,	"a time of up to 1 hour, as 10ms, 50us, 1s"),
	PAR("rate",	RATE,	rate_bps,	"a rate, as 10mbit, 500kbit, 1gbit"),
	PAR("queue",	COUNT,	queue,		"1 to 1000000 packets"),
#undef PAR
};

struct unit {
	const char *name;
	double factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { NULL, 0 },
};
static const struct unit rate_units[] = {
	{ "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 },
};
static const struct unit ppm_units[] = { { "%", 1e4 }, { NULL, 0 } };
static const struct unit burst_units[] = { { "", 1e3 }, { NULL, 0 } };
static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };

/* "12.5ms" by the table of units; false when it is not of that form. */
static bool number(const char *s, size_t len, const struct unit *units,
		   double min, double max, double *out)
{
	char buf[32], *end;

	if (!len || len >= sizeof(buf) || s[0] < '0' || s[0] > '9')
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	*out = strtod(buf, &end);
	for (; units->name; units++) {
		if (strcmp(end, units->name))
			continue;
		*out = *out * units->factor + 0.5;
		return *out >= min && *out < max + 1;
	}
	return false;
}

static bool store(struct rl_fault_par *par, unsigned i, const char *s, size_t len)
{
	uint8_t *field = (uint8_t *)par + params[i].offset;
	double v = 0;
	bool ok = false;

	switch (params[i].kind) {
	case PPM:
		ok = number(s, len, ppm_units, 0, 1e6, &v);
		break;
	case BURST:
		ok = number(s, len, burst_units, 1e3, 1e6, &v);
		break;
	case COUNT:
		ok = number(s, len, count_units, 1, QUEUE_MAX, &v);
		break;
	case TIME:
		ok = number(s, len, time_units, 0, (double)DELAY_MAX, &v);
		break;
	case RATE:
		ok = number(s, len, rate_units, 1, 1e12, &v);
		break;
	}
	if (!ok)
		return false;
	if (params[i].kind == TIME || params[i].kind == RATE)
		memcpy(field, &(uint64_t){ (uint64_t)v }, sizeof(uint64_t));
	else
		memcpy(field, &(uint32_t){ (uint32_t)v }, sizeof(uint32_t));
	return true;
}

static int unknown(const char *s, size_t len, char *why, size_t n)
{
	return rl_dev_fail(why, n, EINVAL, "fault: '%.*s' is not one of loss, burst, dup, "
			   "reorder, corrupt, delay, jitter, rate, queue, each with =VALUE",
			   (int)len, s);
}

/* One NAME=VALUE of @len bytes for the directions of @dirs. */
static int one(struct rl_fault_par *par, unsigned dirs, const char *s, size_t len,
	       char *why, size_t n)
{
	size_t nl = 0;

	while (nl < len && s[nl] != '=')
		nl++;
	for (unsigned i = 0; nl < len && i < ARRAY_LEN(params); i++) {
		const char *v = s + nl + 1;
		size_t vl = len - nl - 1;

		if (strlen(params[i].name) != nl || memcmp(params[i].name, s, nl))
			continue;
		for (unsigned d = 0; d < RL_FAULT_DIRS; d++)
			if (dirs & 1u << d && !store(&par[d], i, v, vl))
				return rl_dev_fail(why, n, EINVAL,
						   "fault: '%.*s': %s takes %s", (int)len, s,
						   params[i].name, params[i].form);
		return 0;
	}
	return unknown(s, len, why, n);
}

/* Directions of a list, whose name is skipped. */
static unsigned direction(const char **s)
{
	if (!strncmp(*s, "in:", 3)) {
		*s += 3;
		return 1u << RL_FAULT_IN;
	}
	if (!strncmp(*s, "out:", 4)) {
		*s += 4;
		return 1u << RL_FAULT_OUT;
	}
	return 1u << RL_FAULT_IN | 1u << RL_FAULT_OUT;
}

/* Combinations that would silently do nothing. */
static int check(const struct rl_fault_par *par, char *why, size_t n)
{
	for (int d = 0; d < RL_FAULT_DIRS; d++) {
		if (par[d].burst_milli && !par[d].loss_ppm)
			return rl_dev_fail(why, n, EINVAL, "fault: burst needs loss beside it, "
					   "as in loss=2%%,burst=3");
		if (par[d].jitter_ns > par[d].delay_ns)
			return rl_dev_fail(why, n, EINVAL, "fault: jitter is more than delay, "
					   "as in delay=10ms,jitter=2ms it must be less");
		if (par[d].queue && !par[d].rate_bps)
			return rl_dev_fail(why, n, EINVAL, "fault: queue needs rate beside it, "
					   "as in rate=10mbit,queue=100");
	}
	return 0;
}

int rl_fault_parse(const char *spec, struct rl_fault_par par[RL_FAULT_DIRS],
		   char *why, size_t n)
{
	const char *s = spec;
	unsigned dirs;
	int r;

	memset(par, 0, RL_FAULT_DIRS * sizeof(*par));
	if (!*s)
		return rl_dev_fail(why, n, EINVAL, "fault: nothing given; give a list as in "
				   "loss=2%%,delay=10ms");
	dirs = direction(&s);
	for (;;) {
		size_t len = strcspn(s, ",;");

		r = one(par, dirs, s, len, why, n);
		if (r)
			return r;
		s += len;
		if (!*s)
			return check(par, why, n);
		if (*s++ == ';')
			dirs = direction(&s);
	}
}
