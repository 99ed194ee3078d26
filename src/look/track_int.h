/* SPDX-License-Identifier: MIT */
/* Between the files of the tracker. */
#ifndef RL_LOOK_TRACK_INT_H
#define RL_LOOK_TRACK_INT_H

#include "look/track.h"

/* track_seq.c: what @s is to the stream of its sender and to the ACKs of it. */
unsigned rl_track_sent(struct track_conn *c, int from, const struct look_seg *s);
unsigned rl_track_acks(struct track_conn *c, int from, const struct look_seg *s);
unsigned rl_track_window(struct track_conn *c, int from, const struct look_seg *s);

/* track_state.c: states of both ends, who opened and closed. */
void rl_track_state(struct track_conn *c, int from, const struct look_seg *s, unsigned *marks);
bool rl_track_over(const struct track_conn *c);

#endif
