/* SPDX-License-Identifier: MIT */
/* What the library has to complain of, for a command to print; silent otherwise. */
#ifndef RL_LOOK_SAY_H
#define RL_LOOK_SAY_H

/** Takes one line without its newline; NULL: nobody wants to hear. */
extern void (*rl_look_say)(const char *line);

void rl_look_sayf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
