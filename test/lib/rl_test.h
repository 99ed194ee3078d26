/* SPDX-License-Identifier: MIT */
/*
 * The harness of the unit tests.  A file under test/unit/ is a program; its tests
 * register themselves:
 *
 *	TEST(seq_wraps)			a name, unique in the file
 *	{
 *		CHECK("0 follows the largest", seq_lt(seq_make(~0u), seq_make(0)));
 *		CHECK_EQ("distance", seq_diff(seq_make(1), seq_make(~0u)), 2);
 *	}
 *
 * A failed check is printed with file, line, label and both values; the test goes
 * on, so that a table shows all its rows.  REQUIRE ends the test instead.
 *
 *	prog [--list] [SUBSTRING...]
 *
 * The last line is "N passed, N failed"; exit status 1 after a failure.
 */
#ifndef RL_TEST_H
#define RL_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rl_test {
	const char	*name;
	void		(*fn)(void);
	const char	*file;
	int		 line;
	struct rl_test	*next;
};

void rl_test_register(struct rl_test *t);

/* All return whether the check held. */
bool rl_check(const char *file, int line, const char *label, bool ok,
	      const char *expr);
bool rl_check_eq(const char *file, int line, const char *label,
		 intmax_t got, intmax_t want);
bool rl_check_ueq(const char *file, int line, const char *label,
		  uintmax_t got, uintmax_t want);
bool rl_check_str(const char *file, int line, const char *label,
		  const char *got, const char *want);
bool rl_check_mem(const char *file, int line, const char *label,
		  const void *got, const void *want, size_t n);

/** Leave the test; the reason is printed and the test counts as skipped. */
void rl_test_skip(const char *why);

/** printf into a label that lives until the next four calls: rows of tables. */
const char *rl_label(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define TEST(id)							\
	static void test_##id(void);					\
	__attribute__((constructor)) static void register_##id(void)	\
	{								\
		static struct rl_test t = {				\
			#id, test_##id, __FILE__, __LINE__, NULL	\
		};							\
		rl_test_register(&t);					\
	}								\
	static void test_##id(void)

#define CHECK(label, cond) \
	rl_check(__FILE__, __LINE__, (label), (cond), #cond)
/* Integers of any type; unsigned 64-bit ones above INT64_MAX compare right too. */
#define CHECK_EQ(label, got, want) \
	rl_check_eq(__FILE__, __LINE__, (label), (intmax_t)(got), (intmax_t)(want))
#define CHECK_UEQ(label, got, want) \
	rl_check_ueq(__FILE__, __LINE__, (label), (uintmax_t)(got), (uintmax_t)(want))
#define CHECK_STR(label, got, want) \
	rl_check_str(__FILE__, __LINE__, (label), (got), (want))
#define CHECK_MEM(label, got, want, n) \
	rl_check_mem(__FILE__, __LINE__, (label), (got), (want), (n))
/** A check without which the rest of the test makes no sense. */
#define REQUIRE(label, cond)						\
	do {								\
		if (!CHECK(label, cond))				\
			return;						\
	} while (0)
#define SKIP(why)							\
	do {								\
		rl_test_skip(why);					\
		return;							\
	} while (0)

#endif
