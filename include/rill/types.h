/* SPDX-License-Identifier: MIT */
/* Types shared by all public headers of Rill. */
#ifndef RILL_TYPES_H
#define RILL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define RILL_API	__attribute__((visibility("default")))
#define RILL_MUST_USE	__attribute__((warn_unused_result))
#else
#define RILL_API
#define RILL_MUST_USE
#endif

/** An address of either family; IPv4 is ::ffff:a.b.c.d [RFC4291:2.5.5.2]. */
struct rill_ip {
	union {
		uint8_t		b[16];		/* network order */
		uint64_t	q[2];		/* for comparison only */
	};
};

/** Address, port (host order) and, for link-local ones, the interface. */
struct rill_addr {
	struct rill_ip	ip;
	uint16_t	port;
	uint16_t	ifindex;		/* 0: any */
};

/**
 * Name of an endpoint of a stack.  It carries a generation: the id of an
 * endpoint that is gone finds nothing (-EBADF).  0 names nothing.
 */
typedef uint64_t rill_id;

/** One piece of memory, as struct iovec, without needing the system's header. */
struct rill_iov {
	void	*base;
	size_t	 len;
};

#endif
