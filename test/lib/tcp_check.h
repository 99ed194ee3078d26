/* SPDX-License-Identifier: MIT */
/*
 * What TCP promises about itself at any time: the numbers, flags, queues, timers
 * and tables of a stack agree with each other.  The fixtures ask after every
 * segment and call; a broken promise is a failed check of the running test.
 */
#ifndef RL_TCP_CHECK_H
#define RL_TCP_CHECK_H

struct rill_stack;

/** Whether all of them hold; the first that does not is reported. */
bool tcp_check(struct rill_stack *st);

#endif
