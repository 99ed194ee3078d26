// SPDX-License-Identifier: MIT
/*
 * librill-packetdrill-preload.so, for LD_PRELOAD: the tool's code blocks, the
 * only place where it asks the kernel about a descriptor of the stack under test,
 * get their answer from the plug-in.  The plug-in finds the pointer by its name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "rill/types.h"

/* Return: 0: not mine; 1: the result is in the last argument. */
RILL_API extern int (*rill_packetdrill_getsockopt)(int, int, int, void *, socklen_t *,
						   int *);
int (*rill_packetdrill_getsockopt)(int, int, int, void *, socklen_t *, int *);

RILL_API int getsockopt(int fd, int level, int name, void *restrict val,
			socklen_t *restrict len)
{
	int (*real)(int, int, int, void *, socklen_t *);
	int res;

	if (rill_packetdrill_getsockopt &&
	    rill_packetdrill_getsockopt(fd, level, name, val, len, &res))
		return res;
	*(void **)&real = dlsym(RTLD_NEXT, "getsockopt");
	if (real)
		return real(fd, level, name, val, len);
	errno = ENOSYS;
	return -1;
}
