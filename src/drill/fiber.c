/* SPDX-License-Identifier: MIT */
/*
 * A system call that waits while the script goes on: it runs on a stack of its
 * own, and comes back here when the socket layer has to wait.  One thread, so a
 * run is the same every time.
 */
#include <errno.h>
#include <stdlib.h>
#include <ucontext.h>

#include "base/types.h"
#include "drill/run.h"
#include "sock/host.h"

#define STACK_BYTES	(256u << 10)

/* AddressSanitizer must know which stack is in use. */
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN	1
#endif
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#define switch_begin(save, sp, n)	__sanitizer_start_switch_fiber(save, sp, n)
#define switch_end(save, sp, n)		__sanitizer_finish_switch_fiber(save, sp, n)
#else
#define switch_begin(save, sp, n)	((void)(save))
#define switch_end(save, sp, n)		((void)(save))
#endif

struct drill_fiber {
	ucontext_t	main, call;
	char		*stack;
	void		(*fn)(void *);
	void		*arg;
	bool		exists, inside;		/* started and not ended; running now */
	bool		blocked;		/* a call outside of a fiber had to wait */
	struct rl_waiter *w;			/* what it waits for */
	int64_t		until_ns;
	/* for the sanitizer: the fake stacks, and where the main stack lies */
	void		*main_fake, *call_fake;
	const void	*main_sp;
	size_t		main_size;
};

int rl_drill_fiber_open(struct drill_run *r)
{
	r->fiber = calloc(1, sizeof(*r->fiber));
	return r->fiber ? 0 : -ENOMEM;
}

/* A call that still waits is given up with its stack. */
void rl_drill_fiber_close(struct drill_run *r)
{
	if (!r->fiber)
		return;
	free(r->fiber->stack);
	free(r->fiber);
	r->fiber = NULL;
}

/* makecontext() passes ints only: the pointer comes in two halves. */
static void body(unsigned high, unsigned low)
{
	struct drill_fiber *f = (struct drill_fiber *)((uintptr_t)high << 16 << 16 | low);

	switch_end(NULL, &f->main_sp, &f->main_size);
	f->fn(f->arg);
	f->exists = false;
	switch_begin(NULL, f->main_sp, f->main_size);
}

static void enter(struct drill_fiber *f)
{
	f->inside = true;
	switch_begin(&f->main_fake, f->stack, STACK_BYTES);
	swapcontext(&f->main, &f->call);
	switch_end(f->main_fake, NULL, NULL);
	f->inside = false;
}

int rl_drill_fiber_start(struct drill_run *r, void (*fn)(void *), void *arg)
{
	struct drill_fiber *f = r->fiber;

	if (f->exists || f->inside)
		return -EBUSY;
	if (!f->stack)
		f->stack = malloc(STACK_BYTES);
	if (!f->stack || getcontext(&f->call) < 0)
		return -ENOMEM;
	f->call.uc_stack.ss_sp = f->stack;
	f->call.uc_stack.ss_size = STACK_BYTES;
	f->call.uc_link = &f->main;
	f->fn = fn;
	f->arg = arg;
	f->exists = true;
	makecontext(&f->call, (void (*)(void))body, 2,
		    (unsigned)((uintptr_t)f >> 16 >> 16), (unsigned)(uintptr_t)f);
	enter(f);
	return 0;
}

bool rl_drill_fiber_pending(const struct drill_run *r)
{
	return r->fiber && r->fiber->exists;
}

int64_t rl_drill_fiber_deadline(void *run)
{
	const struct drill_run *r = run;
	const struct drill_fiber *f = r->fiber;

	return f && f->exists && !f->inside ? f->until_ns : RL_NEVER;
}

void rl_drill_fiber_poll(struct drill_run *r)
{
	struct drill_fiber *f = r->fiber;

	if (!f || !f->exists || f->inside)
		return;
	if (f->w->ready || rl_drill_world_now(r->w) >= f->until_ns)
		enter(f);
}

int rl_drill_fiber_wait(void *run, struct rl_waiter *w, int64_t until_ns)
{
	struct drill_run *r = run;
	struct drill_fiber *f = r->fiber;

	if (rl_drill_world_now(r->w) >= until_ns)
		return 0;
	if (!f || !f->inside) {
		if (f)
			f->blocked = true;
		return -EINTR;
	}
	f->w = w;
	f->until_ns = until_ns;
	switch_begin(&f->call_fake, f->main_sp, f->main_size);
	swapcontext(&f->call, &f->main);
	switch_end(f->call_fake, &f->main_sp, &f->main_size);
	return w->ready ? 1 : 0;
}

bool rl_drill_fiber_blocked(struct drill_run *r)
{
	bool was = r->fiber->blocked;

	r->fiber->blocked = false;
	return was;
}
