/* SPDX-License-Identifier: MIT */
/* Texts for people in their language; English is what stands in the source. */
#ifndef RL_LOOK_LANG_H
#define RL_LOOK_LANG_H

#include <stdbool.h>

/**
 * Choose a language: "zh_CN", "zh_CN.UTF-8", "zh", "en", "C".  Return: false when
 * there is no such translation; then nothing changes.
 */
bool rl_lang_set(const char *name);

/** What LC_ALL, LC_MESSAGES, LANG and, if none says C, LANGUAGE ask for. */
void rl_lang_from_env(void);

/** Name of the language in use, "en" for the source's. */
const char *rl_lang_name(void);

const char *rl_tr(const char *text) __attribute__((format_arg(1)));
const char *rl_ntr(const char *one, const char *many, unsigned long n)
	__attribute__((format_arg(1), format_arg(2)));

#define _(text)			rl_tr(text)
#define N_(text)		text		/* translated where it is used */
#define P_(one, many, n)	rl_ntr(one, many, n)

#endif
