/* SPDX-License-Identifier: MIT */
/* What TCP_INFO gives, with Linux's layout; fields and units: tcpinfo.def. */
#ifndef RILL_INFO_H
#define RILL_INFO_H

#include <stdint.h>

struct rill_tcp_info {
#define INFO(type, name, unit, help)	type name;
#include "rill/tcpinfo.def"
#undef INFO
};

#endif
