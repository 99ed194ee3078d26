/* SPDX-License-Identifier: MIT */
/*
 * Translations without a search for files: what msgfmt made of po/NAME.po is
 * compiled in (scripts/mo-table), so the command speaks the language wherever it
 * lies, in a build tree as well as installed, and whichever locales the host has.
 * The form is gettext's .mo of this machine's byte order; its strings are sorted.
 * A catalogue comes from our own build; its numbers are checked all the same.
 */
#include "look/lang.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MO_MAGIC	0x950412deu

struct catalogue {
	const char		*name;
	const unsigned char	*mo;
	const unsigned		*size;
};

#define LANGUAGE(name)	extern const unsigned char rl_mo_##name[];	\
			extern const unsigned rl_mo_##name##_size;
#include "look/languages.def"
#undef LANGUAGE

static const struct catalogue catalogues[] = {
#define LANGUAGE(name)	{ #name, rl_mo_##name, &rl_mo_##name##_size },
#include "look/languages.def"
#undef LANGUAGE
};

static const struct catalogue *now;

/* ---- the .mo file ---- */

static uint32_t word(const struct catalogue *c, uint32_t at)
{
	uint32_t v = 0;

	if (at <= *c->size - sizeof(v))
		memcpy(&v, c->mo + at, sizeof(v));
	return v;
}

/* String @i of the table that starts at @table: {length, offset}, ended by NUL. */
static const char *string(const struct catalogue *c, uint32_t table, uint32_t i)
{
	uint32_t len = word(c, table + 8 * i), at = word(c, table + 8 * i + 4);

	if (at >= *c->size || len >= *c->size - at)
		return "";
	return (const char *)c->mo + at;
}

static const char *look_up(const struct catalogue *c, const char *text)
{
	uint32_t lo = 0, hi = word(c, 8), from = word(c, 12), to = word(c, 16);

	if (word(c, 0) != MO_MAGIC)
		return text;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(text, string(c, from, mid));

		if (cmp == 0)
			return string(c, to, mid);
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return text;
}

const char *rl_tr(const char *text)
{
	return now && *text ? look_up(now, text) : text;
}

/* A plural's key is its first form; the languages we have know one form only. */
const char *rl_ntr(const char *one, const char *many, unsigned long n)
{
	if (now) {
		const char *s = look_up(now, one);

		if (s != one)
			return s;
	}
	return n == 1 ? one : many;
}

/* ---- which ---- */

/* "zh_CN.UTF-8@x" is zh_CN; "zh" alone is the first that begins so. */
static bool is(const char *asked, size_t n, const char *have)
{
	return !strncmp(asked, have, n) && (have[n] == '\0' || have[n] == '_');
}

static bool set(const char *name, size_t n)
{
	size_t bare = 0;

	while (bare < n && name[bare] != '.' && name[bare] != '@')
		bare++;
	if (bare == 0)
		return false;
	if ((bare == 1 && *name == 'C') || (bare == 5 && !strncmp(name, "POSIX", bare)) ||
	    (bare >= 2 && !strncmp(name, "en", 2) && (bare == 2 || name[2] == '_'))) {
		now = NULL;
		return true;
	}
	for (size_t i = 0; i < sizeof(catalogues) / sizeof(catalogues[0]); i++) {
		if (is(name, bare, catalogues[i].name)) {
			now = &catalogues[i];
			return true;
		}
	}
	return false;
}

bool rl_lang_set(const char *name)
{
	return set(name, strlen(name));
}

/* As gettext: LANGUAGE is a list and only counts where the locale is not C. */
void rl_lang_from_env(void)
{
	static const char *const vars[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *locale = NULL, *list;

	for (size_t i = 0; i < 3 && !(locale && *locale); i++)
		locale = getenv(vars[i]);
	if (!locale || !*locale || !strcmp(locale, "C") || !strcmp(locale, "POSIX"))
		return;
	for (list = getenv("LANGUAGE"); list && *list; ) {
		size_t n = strcspn(list, ":");

		if (set(list, n))
			return;
		list += n + (list[n] == ':');
	}
	rl_lang_set(locale);
}

const char *rl_lang_name(void)
{
	return now ? now->name : "en";
}
