/* SPDX-License-Identifier: MIT */
/* Cut a TCP super-segment into segments of gso_size, for devices that can't. */
#ifndef RL_BUF_SEGMENT_H
#define RL_BUF_SEGMENT_H

#include "buf/pkt.h"

/**
 * rl_segment() - cut @p (link header first, or IP header first with @link_len 0)
 *
 * Payload is referenced, not copied.  Sequence numbers, IP lengths and
 * identifications advance; PSH and FIN stay on the last piece, CWR on the first.
 * Checksums stay partial: rl_pkt_finish_csum() where the device can't.
 *
 * Return: a list (next) of packets that replaces @p, which is freed; @p itself
 * when there is nothing to cut; NULL without memory (@p is freed).
 */
struct rill_pkt *rl_segment(struct rl_bufs *b, struct rill_pkt *p, uint32_t link_len);

#endif
