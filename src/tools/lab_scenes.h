/* SPDX-License-Identifier: MIT */
/* What `rill lab` prints. */
#ifndef RL_TOOLS_LAB_SCENES_H
#define RL_TOOLS_LAB_SCENES_H

#include "tools/lab.h"

/** All scenes, one a line. */
void lab_list(bool json);

/** What was staged; @truth: as one line of JSON instead. */
void lab_report(const struct lab *l, const char *truth, bool shell);

#endif
