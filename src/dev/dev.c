/* SPDX-License-Identifier: MIT */
/*
 * What all devices share: closing a stack of wrappers, the form of a device's
 * spec and of an error line, and software offloads for devices without them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf/segment.h"
#include "dev/dev_int.h"

void rl_dev_close(struct rl_dev *d)
{
	while (d) {
		struct rl_dev *inner = d->inner;

		d->ops->close(d);
		d = inner;
	}
}

int rl_dev_fail(char *why, size_t n, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (n)
		vsnprintf(why, n, fmt, ap);
	va_end(ap);
	return -err;
}

static bool can_cut(const struct rl_dev *d, const struct rill_pkt *p)
{
	switch ((enum rl_gso)p->gso) {
	case RL_GSO_NONE:
		return !p->gso_size;
	case RL_GSO_TCP4:
		return d->par.flags & RILL_IF_TSO4;
	case RL_GSO_TCP6:
		return d->par.flags & RILL_IF_TSO6;
	}
	return false;
}

struct rill_pkt *rl_dev_fit(struct rl_dev *d, struct rill_stack *st, struct rill_pkt *p)
{
	p->next = NULL;
	if (RL_UNLIKELY(p->gso_size && !can_cut(d, p))) {
		p = rl_segment(&st->bufs, p, rl_dev_link_len(d));
		if (!p)
			d->tx_drops++;
	}
	if (d->par.flags & RILL_IF_TX_CSUM)
		return p;
	for (struct rill_pkt *q = p; q; q = q->next)
		rl_pkt_finish_csum(q);
	return p;
}

int rl_dev_spec_parse(const char *spec, const char *kind, struct rl_dev_spec *out,
		      char *why, size_t n)
{
	size_t kl = strlen(kind), len;
	const char *name = spec, *opt;

	if (!strncmp(spec, kind, kl) && spec[kl] == ':')
		name = spec + kl + 1;
	len = strcspn(name, ",");
	if (!len || len >= sizeof(out->name))
		return rl_dev_fail(why, n, EINVAL,
				   "%s: the interface's name must have 1 to 15 characters, "
				   "as in %s:rill0", spec, kind);
	if (strcspn(name, "/%: \t") < len)
		return rl_dev_fail(why, n, EINVAL,
				   "%s: an interface's name has no '/', ':', '%%' or blank",
				   spec);
	memcpy(out->name, name, len);
	out->name[len] = '\0';
	out->offload = true;
	for (opt = name + len; *opt; opt += len) {
		opt++;
		len = strcspn(opt, ",");
		if (len != strlen("nooffload") || memcmp(opt, "nooffload", len))
			return rl_dev_fail(why, n, EINVAL,
					   "%s: unknown option '%.*s', there is only 'nooffload'",
					   spec, (int)len, opt);
		out->offload = false;
	}
	return 0;
}
