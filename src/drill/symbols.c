// SPDX-License-Identifier: MIT
/*
 * Names of constants and errno values (section 9.6 of the language).  The list
 * is symbols.def; the numbers are those of Linux's headers, which are Rill's too.
 * Called by args.c and call.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/capability.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
/* not netinet/tcp.h: only this one has TCP_NLA_..., and the two exclude each other */
#include <linux/tcp.h>
#include <string.h>

#include "base/types.h"
#include "drill/call.h"

static const struct symbol {
	const char *name;
	int64_t	    value;
} symbols[] = {
#define SYMBOL(s)	{ #s, (int64_t)(s) },
#define NUMBER(s, v)	{ #s, (v) },
#define ERRNO(s)
#include "drill/symbols.def"
#undef SYMBOL
#undef NUMBER
#undef ERRNO
};

static const struct symbol errnos[] = {
#define SYMBOL(s)
#define NUMBER(s, v)
#define ERRNO(s)	{ #s, (s) },
#include "drill/symbols.def"
#undef SYMBOL
#undef NUMBER
#undef ERRNO
};

int rl_drill_errno(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		if (!strcmp(errnos[i].name, name))
			return (int)errnos[i].value;
	return 0;
}

const char *rl_drill_errno_name(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		if (errnos[i].value == err)
			return errnos[i].name;
	return NULL;
}

bool rl_drill_symbol(const char *name, int64_t *value)
{
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		if (!strcmp(symbols[i].name, name)) {
			*value = symbols[i].value;
			return true;
		}
	}
	*value = rl_drill_errno(name);
	return *value != 0;
}
