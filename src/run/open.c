// SPDX-License-Identifier: MIT
/*
 * Making an engine from text: memory, seed, stack, device with its wrappers,
 * addresses, routes, tunables, control socket.  Every failure leaves one line in
 * @why that says what to do, and nothing behind.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "run/engine_int.h"
#include "run/netcfg.h"

#define SPIN_NS		(50 * RL_US)
#define DAD_WAIT_NS	(15 * RL_SEC)

/* One attempt. */
struct opening {
	const struct rill_engine_params *par;
	struct rill_engine *e;
	char	*why;
	size_t	 why_len;
};

static int fail(const struct opening *o, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct opening *o, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (o->why_len)
		vsnprintf(o->why, o->why_len, fmt, ap);
	va_end(ap);
	return err < 0 ? err : -err;
}

/* ---- the stack ---- */

static void *mem_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void mem_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static uint64_t half_the_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : 0;
}

static int make_seed(const struct opening *o, uint8_t seed[32])
{
	if (!o->par->has_seed && !o->par->seed)
		return getrandom(seed, 32, 0) == 32 ? 0 :
		       fail(o, errno, "no random numbers from the system; give a --seed");
	memset(seed, 0, 32);
	memcpy(seed, &o->par->seed, sizeof(o->par->seed));
	return 0;
}

static int make_stack(const struct opening *o)
{
	struct rill_stack_params sp = {
		.mem = { .alloc = mem_alloc, .free = mem_free },
		.mem_max = o->par->mem_max ? o->par->mem_max : half_the_memory(),
		.now_ns = rl_engine_clock(o->e),
		.trace_events = o->par->trace ? RL_TRACE_EVENTS : 0,
	};
	int r = make_seed(o, sp.seed);

	if (r < 0)
		return r;
	r = rill_stack_create(&sp, &o->e->st);
	return r < 0 ? fail(o, r, "no memory for the stack: %s", strerror(-r)) : 0;
}

static int set_sysctl(const struct opening *o, const char *pair)
{
	const char *eq = strchr(pair, '='), *no;
	char name[128];
	int r;

	if (!eq || (size_t)(eq - pair) >= sizeof(name))
		return fail(o, EINVAL, "'%s': write it as NAME=VALUE; `rill sysctl` lists "
			    "the names", pair);
	memcpy(name, pair, (size_t)(eq - pair));
	name[eq - pair] = '\0';
	no = rill_sysctl_refusal(name);
	r = rill_sysctl_set(o->e->st, name, eq + 1);
	if (r < 0 && no)
		return fail(o, r, "%s is not supported: %s", name, no);
	if (r == -ENOENT)
		return fail(o, r, "there is no tunable %s; `rill sysctl` lists them", name);
	if (r < 0)
		return fail(o, r, "%s can't be '%s'; `rill sysctl` shows its range", name,
			    eq + 1);
	return 0;
}

static int set_sysctls(const struct opening *o)
{
	const char *const *s = o->par->sysctls;
	int r = 0;

	for (; s && *s && r == 0; s++)
		r = set_sysctl(o, *s);
	return r;
}

/* ---- the device ---- */

static int open_device(const struct opening *o, struct rl_dev **out)
{
	const char *spec = o->par->dev;
	unsigned mtu = o->par->mtu;

	if (!spec)
		return fail(o, EINVAL, "no device; give tap:NAME or packet:INTERFACE");
	if (mtu && (mtu < 68 || mtu > 65535))
		return fail(o, EINVAL, "MTU %u: choose one from 68 (1280 with IPv6) to 65535",
			    mtu);
	if (!strncmp(spec, "tap:", 4))
		return rl_dev_tap_open(spec, mtu, out, o->why, o->why_len);
	if (!strncmp(spec, "packet:", 7))
		return rl_dev_packet_open(spec, mtu, out, o->why, o->why_len);
	return fail(o, ENODEV, "device '%s' is unknown; give tap:NAME or packet:INTERFACE",
		    spec);
}

/* Faults happen outside of what the capture sees, as on a real wire. */
static int wrap_device(const struct opening *o, struct rl_dev **dev)
{
	int r = 0;

	if (o->par->fault) {
		uint64_t seed = o->par->seed;

		if (!o->par->has_seed && !seed &&
		    getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
			seed = (uint64_t)rl_clock_ns();
		r = rl_dev_fault_open(*dev, o->par->fault, seed, dev, o->why, o->why_len);
	}
	if (r == 0 && o->par->trace)
		r = rl_trace_open(o->par->trace, rl_engine_clock(o->e), &o->e->trace, o->why,
				  o->why_len);
	o->e->spied = o->e->trace != NULL;
	if (r == 0 && (o->par->pcap || o->par->trace))
		r = rl_dev_pcap_open(*dev, o->par->pcap,
				     o->par->trace ? rl_trace_frame : NULL, o->e->trace,
				     dev, o->why, o->why_len);
	if (r == 0 && o->par->pcap && o->e->virt)
		rl_dev_pcap_virtual(*dev);
	return r;
}

/* Takes @dev over. */
static int use_device(const struct opening *o, struct rl_dev *dev)
{
	struct rill_if_params ifp;
	int r;

	o->e->dev = dev;
	r = wrap_device(o, &o->e->dev);
	if (r < 0)
		return r;
	ifp = o->e->dev->par;
	if (o->par->no_dad)
		ifp.flags |= RILL_IF_NO_DAD;
	r = rill_if_add(o->e->st, &ifp);
	if (r < 0)
		return fail(o, r, "interface %s with MTU %u: %s", ifp.name, ifp.mtu,
			    strerror(-r));
	o->e->ifindex = r;
	return 0;
}

/* ---- addresses and routes ---- */

static int bad_prefix(const struct opening *o, const char *text)
{
	return fail(o, EINVAL, "bad address '%s': write it as ADDRESS/LENGTH, such as "
		    "10.77.0.2/24 or fd77::2/64", text);
}

static int add_addr(const struct opening *o, const char *text)
{
	char owner[16];
	struct rill_ip ip;
	unsigned len;
	int r = rl_netcfg_prefix(text, &ip, &len);

	if (r < 0)
		return bad_prefix(o, text);
	if (o->par->dev && rl_dev_kernel_has_addr(&ip, owner, sizeof(owner)))
		return fail(o, EADDRINUSE, "address %s in use: the kernel has it on %s; "
			    "choose another, or take it away: ip addr del %s dev %s",
			    text, owner, text, owner);
	r = rill_if_addr_add(o->e->st, o->e->ifindex, &ip, len);
	if (r == -EINVAL && !rl_ip_is4(&ip) && o->e->dev->par.mtu < 1280)
		return fail(o, r, "address %s: IPv6 needs an MTU of 1280 or more", text);
	if (r < 0)
		return fail(o, r, "address %s: %s", text,
			    r == -EEXIST ? "given twice; leave one out" :
			    r == -ENOSPC ? "too many addresses; leave some out" :
			    "not an address of a single host; choose another");
	return 0;
}

static int add_peer(const struct opening *o, const char *text)
{
	const char *ifname = o->e->dev->par.name;
	struct rill_ip ip;
	unsigned len;
	int r = rl_netcfg_prefix(text, &ip, &len);

	if (r < 0)
		return bad_prefix(o, text);
	if (!o->par->dev || strncmp(o->par->dev, "tap:", 4))
		return fail(o, EINVAL, "peer address %s: only a tap device has a side of "
			    "the kernel's", text);
	r = rl_netcfg_addr_add(ifname, &ip, len);
	if (r == -EPERM || r == -EACCES)
		return fail(o, r, "peer address %s: not permitted on %s; run it as root or in "
			    "a namespace of your own (unshare -rn)%s", text, ifname,
			    rl_ip_is4(&ip) ? "" : ", and with IPv6 enabled");
	if (r < 0)
		return fail(o, r, "peer address %s on %s: %s", text, ifname, strerror(-r));
	return 0;
}

static int add_gateway(const struct opening *o, const char *text)
{
	struct rill_ip any = { 0 }, gw;
	int r = rl_netcfg_ip(text, &gw);

	if (r < 0)
		return fail(o, r, "bad gateway '%s': write an address such as 10.77.0.1",
			    text);
	if (rl_ip_is4(&gw))
		any = rl_ip4(0);
	r = rill_route_add(o->e->st, &any, 0, &gw,
			   rl_ip_is_linklocal(&gw) ? o->e->ifindex : 0);
	if (r == -ENETUNREACH)
		return fail(o, r, "gateway %s is on no network of ours; give an address of "
			    "its network first", text);
	if (r < 0)
		return fail(o, r, "gateway %s: %s", text,
			    r == -EEXIST ? "one of this family is enough" : strerror(-r));
	return 0;
}

static int for_all(const struct opening *o, const char *const *list,
		   int (*fn)(const struct opening *, const char *))
{
	int r = 0;

	for (; list && *list && r == 0; list++)
		r = fn(o, *list);
	return r;
}

/* ---- duplicate address detection ---- */

enum dad { DAD_DONE, DAD_RUNS, DAD_DUPLICATE };

static enum dad dad_state(const struct rill_engine *e)
{
	const struct rl_netif *nif = rl_netif_get(e->st, (unsigned)e->ifindex);
	enum dad state = DAD_DONE;

	for (int i = 0; nif && i < nif->naddrs; i++) {
		if (nif->addr[i].duplicate)
			return DAD_DUPLICATE;
		if (nif->addr[i].tentative)
			state = DAD_RUNS;
	}
	return state;
}

/* An address that does not answer yet is of no use to the caller. */
static int wait_dad(const struct opening *o)
{
	int64_t until_ns = rl_clock_ns() + DAD_WAIT_NS;
	enum dad d;

	while ((d = dad_state(o->e)) == DAD_RUNS && rl_clock_ns() < until_ns)
		rill_engine_run(o->e, 100);
	if (d == DAD_DUPLICATE)
		return fail(o, EADDRINUSE, "IPv6 address in use: another host on %s has it; "
			    "choose another", o->e->dev->par.name);
	return 0;
}

/* ---- putting it together ---- */

static int make_engine(const struct opening *o)
{
	struct rill_engine *e = o->e;

	pthread_mutex_init(&e->lock, NULL);
	list_init(&e->waiters);
	e->sleep_until_ns = RL_AWAKE;
	e->spin_ns = e->spin_max_ns = SPIN_NS;
	e->rx_want = 1;
	e->loop_fd = e->timer_fd = e->event_fd = -1;
	snprintf(e->name, sizeof(e->name), "%s",
		 o->par->name ? o->par->name : program_invocation_short_name);
	e->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->wake_fd < 0)
		return fail(o, errno, "no descriptor left: %s; raise `ulimit -n`",
			    strerror(errno));
	return make_stack(o);
}

static int configure(const struct opening *o)
{
	int r = set_sysctls(o);

	if (r == 0)
		r = for_all(o, o->par->addrs, add_addr);
	if (r == 0)
		r = for_all(o, o->par->peer_addrs, add_peer);
	if (r == 0)
		r = for_all(o, o->par->gateways, add_gateway);
	if (r == 0)
		r = wait_dad(o);
	if (r == 0 && !o->par->no_ctl) {
		r = rl_ctl_open(o->e, o->e->name, &o->e->ctl);
		if (r < 0)
			return fail(o, r, "control socket: %s; set RILL_RUN_DIR to a "
				    "directory of yours", strerror(-r));
	}
	return r;
}

/* Undo what make_engine() and use_device() did. */
static void undo(struct rill_engine *e)
{
	if (e->dev)
		rl_dev_close(e->dev);
	if (e->st)
		rill_stack_destroy(e->st);
	if (e->trace)
		rl_trace_close(e->trace);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* With @dev, which is taken over, or the device of the parameters. */
static int open_with(const struct rill_engine_params *par, struct rl_virtual *v,
		     struct rl_dev *dev, struct rill_engine **out, char *why, size_t why_len)
{
	struct opening o = { .par = par, .why = why, .why_len = why_len };
	int r;

	if (why_len)
		why[0] = '\0';
	o.e = calloc(1, sizeof(*o.e));
	if (!o.e) {
		if (dev)
			rl_dev_close(dev);
		return fail(&o, ENOMEM, "no memory");
	}
	o.e->virt = v;
	r = make_engine(&o);
	if (r == 0 && !dev)
		r = open_device(&o, &dev);
	if (r == 0)
		r = use_device(&o, dev);
	else if (dev)
		rl_dev_close(dev);
	if (r == 0)
		r = configure(&o);
	if (r < 0) {
		undo(o.e);
		return r;
	}
	*out = o.e;
	return 0;
}

int rill_engine_open(const struct rill_engine_params *par, struct rill_engine **out,
		     char *why, size_t why_len)
{
	return open_with(par, NULL, NULL, out, why, why_len);
}

int rl_engine_open_virtual(struct rl_virtual *v, const struct rill_engine_params *par,
			   struct rl_dev *dev, struct rill_engine **out,
			   char *why, size_t why_len)
{
	struct rill_engine_params p = *par;

	p.dev = NULL;
	p.no_ctl = p.no_dad = true;
	return open_with(&p, v, dev, out, why, why_len);
}

/* DAD would wait for an end that nobody drives yet. */
static int open_end(const struct rill_engine_params *par, struct rl_dev *dev,
		    struct rill_engine **out, char *why, size_t why_len)
{
	struct rill_engine_params p = *par;

	p.dev = NULL;
	p.no_dad = true;
	return open_with(&p, NULL, dev, out, why, why_len);
}

int rill_engine_open_pair(const struct rill_engine_params *a,
			  const struct rill_engine_params *b,
			  struct rill_engine **ea, struct rill_engine **eb,
			  char *why, size_t why_len)
{
	bool offload = !a->dev || !strstr(a->dev, "nooffload");
	struct rl_dev *da, *db;
	int r = rl_dev_pair_open(a->mtu, offload, &da, &db);

	if (r < 0) {
		snprintf(why, why_len, "no pair device with MTU %u: %s", a->mtu,
			 strerror(-r));
		return r;
	}
	r = open_end(a, da, ea, why, why_len);
	if (r < 0) {
		rl_dev_close(db);
		return r;
	}
	r = open_end(b, db, eb, why, why_len);
	if (r < 0)
		rill_engine_close(*ea);
	return r;
}
