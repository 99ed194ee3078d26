/* SPDX-License-Identifier: MIT */
/*
 * The kernel's state changes, as they happen, out of the kernel.  The programs
 * are assembled here (bpf_asm.h) for the layout that the running kernel states in
 * its BTF, so neither a compiler nor tracefs is needed.
 *
 * The one program sits on the tracepoint inet_sock_set_state.  It leaves when the
 * socket is of another network namespace or protocol, puts one record together on
 * its stack and hands it to the ring; when the ring is full, it counts that.
 *
 * The tracepoint tells of sockets: TIME-WAIT and half-open peers, which are none,
 * are looked after by events_after.c.
 *
 * Called by events.c.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/bpf_asm.h"
#include "look/events_int.h"

#define RING_BYTES	(4u << 20)
#define NESTED_MAX	32		/* unnamed structs within one struct */
#define REC		(-8 - (int)sizeof(struct trace_rec))	/* from the frame pointer */
#define AT(field)	(REC + (int)offsetof(struct trace_rec, field))

_Static_assert(sizeof(struct trace_rec) == 104, "the programs clear it by eights");

/* Where the kernel keeps what we want, in bytes; -1: this kernel has no such field. */
struct layout {
	int	net, inum, family, sport, dport, laddr, paddr, laddr6, paddr6;
	int	cookie, ifindex, protocol;
};

struct rl_trace_src {
	int		 ring_fd, lost_fd;
	int		 prog, link;
	struct ring_buffer *ring;
	trace_each	*each;
	void		*ctx;
};

/* ---- layout ---- */

/* Offset in bytes of member @name of struct @id, unnamed structs looked into; -1. */
static int member_of(const struct btf *btf, int id, const char *name, int *type)
{
	struct { int id, base; } todo[NESTED_MAX] = { { id, 0 } };

	for (unsigned at = 0, n = 1; at < n; at++) {
		const struct btf_type *t = btf__type_by_id(btf, (uint32_t)todo[at].id);
		const struct btf_member *m = btf_members(t);

		for (unsigned i = 0; i < btf_vlen(t); i++) {
			const char *got = btf__name_by_offset(btf, m[i].name_off);
			int off = todo[at].base + (int)btf_member_bit_offset(t, i) / 8;
			int inner = btf__resolve_type(btf, m[i].type);

			if (*got && !strcmp(got, name)) {
				if (btf_member_bitfield_size(t, i))
					return -1;
				if (type)
					*type = inner;
				return off;
			}
			if (!*got && inner > 0 && n < NESTED_MAX &&
			    btf_is_composite(btf__type_by_id(btf, (uint32_t)inner))) {
				todo[n].id = inner;
				todo[n++].base = off;
			}
		}
	}
	return -1;
}

static int field(const struct btf *btf, const char *in, const char *name)
{
	int id = btf__find_by_name_kind(btf, in, BTF_KIND_STRUCT);

	return id < 0 ? -1 : member_of(btf, id, name, NULL);
}

/* Of struct net the inode of its namespace, one struct deeper. */
static int inum_offset(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "net", BTF_KIND_STRUCT), type = -1, ns, inum;

	if (id < 0)
		return -1;
	ns = member_of(btf, id, "ns", &type);
	if (ns < 0 || type < 0)
		return -1;
	inum = member_of(btf, type, "inum", NULL);
	return inum < 0 ? -1 : ns + inum;
}

static bool read_layout(const struct btf *btf, struct layout *l)
{
	static const char c[] = "sock_common";

	*l = (struct layout){
		.net = field(btf, c, "skc_net"), .inum = inum_offset(btf),
		.family = field(btf, c, "skc_family"),
		.sport = field(btf, "inet_sock", "inet_sport"),
		.dport = field(btf, c, "skc_dport"), .laddr = field(btf, c, "skc_rcv_saddr"),
		.paddr = field(btf, c, "skc_daddr"),
		.laddr6 = field(btf, c, "skc_v6_rcv_saddr"),
		.paddr6 = field(btf, c, "skc_v6_daddr"), .cookie = field(btf, c, "skc_cookie"),
		.ifindex = field(btf, c, "skc_bound_dev_if"),
		.protocol = field(btf, "sock", "sk_protocol"),
	};
	return l->net >= 0 && l->inum >= 0 && l->family >= 0 && l->sport >= 0 &&
	       l->dport >= 0 && l->laddr >= 0 && l->paddr >= 0 && l->protocol >= 0;
}

/* ---- the programs ---- */

/* Read @n bytes at @reg + @from to the stack at @to; an unknown field stays 0. */
static void probe(struct bpf_asm *a, int to, int n, unsigned reg, int from)
{
	if (from < 0)
		return;
	asm_mov(a, BPF_REG_1, BPF_REG_10);
	asm_add(a, BPF_REG_1, to);
	asm_imm(a, BPF_REG_2, n);
	asm_mov(a, BPF_REG_3, reg);
	asm_add(a, BPF_REG_3, from);
	asm_call(a, BPF_FUNC_probe_read_kernel);
}

/* r8: the namespace's inode; the end when it is not @netns. */
static void check_netns(struct bpf_asm *a, const struct layout *l, uint32_t netns)
{
	asm_store_imm(a, BPF_DW, BPF_REG_10, -8, 0);
	probe(a, -8, 8, BPF_REG_7, l->net);
	asm_load(a, BPF_DW, BPF_REG_8, BPF_REG_10, -8);
	asm_store_imm(a, BPF_DW, BPF_REG_10, -8, 0);
	probe(a, -8, 4, BPF_REG_8, l->inum);
	asm_load(a, BPF_W, BPF_REG_8, BPF_REG_10, -8);
	if (netns)
		asm_end_if(a, BPF_JMP32, BPF_JNE, BPF_REG_8, (int32_t)netns);
}

static void check_tcp(struct bpf_asm *a, const struct layout *l)
{
	asm_store_imm(a, BPF_DW, BPF_REG_10, -8, 0);
	probe(a, -8, 2, BPF_REG_7, l->protocol);
	asm_load(a, BPF_H, BPF_REG_1, BPF_REG_10, -8);
	asm_end_if(a, BPF_JMP, BPF_JNE, BPF_REG_1, IPPROTO_TCP);
}

static void fill_socket(struct bpf_asm *a, const struct layout *l)
{
	for (int i = 0; i < (int)sizeof(struct trace_rec); i += 8)
		asm_store_imm(a, BPF_DW, BPF_REG_10, REC + i, 0);
	asm_call(a, BPF_FUNC_ktime_get_ns);
	asm_store(a, BPF_DW, BPF_REG_10, AT(ns), BPF_REG_0);
	asm_store(a, BPF_DW, BPF_REG_10, AT(obj), BPF_REG_7);
	probe(a, AT(cookie), 8, BPF_REG_7, l->cookie);
	asm_store(a, BPF_W, BPF_REG_10, AT(netns), BPF_REG_8);
	probe(a, AT(ifindex), 4, BPF_REG_7, l->ifindex);
	probe(a, AT(family), 2, BPF_REG_7, l->family);
	/* not skc_num: that is 0 already when a socket closes */
	probe(a, AT(lport), 2, BPF_REG_7, l->sport);
	probe(a, AT(pport), 2, BPF_REG_7, l->dport);
	probe(a, AT(laddr4), 4, BPF_REG_7, l->laddr);
	probe(a, AT(paddr4), 4, BPF_REG_7, l->paddr);
	probe(a, AT(laddr6), 16, BPF_REG_7, l->laddr6);
	probe(a, AT(paddr6), 16, BPF_REG_7, l->paddr6);
}

static void fill_caller(struct bpf_asm *a)
{
	asm_call(a, BPF_FUNC_get_current_pid_tgid);
	asm_put(a, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32);
	asm_store(a, BPF_W, BPF_REG_10, AT(pid), BPF_REG_0);
	asm_mov(a, BPF_REG_1, BPF_REG_10);
	asm_add(a, BPF_REG_1, AT(comm));
	asm_imm(a, BPF_REG_2, sizeof(((struct trace_rec *)0)->comm));
	asm_call(a, BPF_FUNC_get_current_comm);
}

static void fill_states(struct bpf_asm *a)
{
	asm_load(a, BPF_DW, BPF_REG_1, BPF_REG_6, 8);
	asm_store(a, BPF_B, BPF_REG_10, AT(from), BPF_REG_1);
	asm_load(a, BPF_DW, BPF_REG_1, BPF_REG_6, 16);
	asm_store(a, BPF_B, BPF_REG_10, AT(to), BPF_REG_1);
}

static void hand_over(struct bpf_asm *a, const struct rl_trace_src *t)
{
	asm_map(a, BPF_REG_1, t->ring_fd);
	asm_mov(a, BPF_REG_2, BPF_REG_10);
	asm_add(a, BPF_REG_2, REC);
	asm_imm(a, BPF_REG_3, sizeof(struct trace_rec));
	asm_imm(a, BPF_REG_4, 0);
	asm_call(a, BPF_FUNC_ringbuf_output);
	asm_end_if(a, BPF_JMP, BPF_JSGE, BPF_REG_0, 0);
	asm_store_imm(a, BPF_DW, BPF_REG_10, -8, 0);
	asm_map(a, BPF_REG_1, t->lost_fd);
	asm_mov(a, BPF_REG_2, BPF_REG_10);
	asm_add(a, BPF_REG_2, -8);
	asm_call(a, BPF_FUNC_map_lookup_elem);
	asm_end_if(a, BPF_JMP, BPF_JEQ, BPF_REG_0, 0);
	asm_imm(a, BPF_REG_1, 1);
	asm_put(a, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD);
}

/* The tracepoint's arguments are (socket, old state, new state). */
static void assemble(struct bpf_asm *a, const struct rl_trace_src *t, const struct layout *l,
		     uint32_t netns)
{
	asm_mov(a, BPF_REG_6, BPF_REG_1);
	asm_load(a, BPF_DW, BPF_REG_7, BPF_REG_6, 0);
	check_netns(a, l, netns);
	check_tcp(a, l);
	fill_socket(a, l);
	fill_states(a);
	fill_caller(a);
	hand_over(a, t);
	asm_end(a);
}

/* ---- loading ---- */

static int load(struct rl_trace_src *t, const struct layout *l, uint32_t netns)
{
	static struct bpf_asm a;

	a.n = a.njumps = 0;
	assemble(&a, t, l, netns);
	/* the helpers that read kernel memory are for programs under GPL too */
	t->prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "rill_watch", "Dual MIT/GPL",
				a.insn, a.n, NULL);
	if (t->prog < 0)
		return t->prog;
	t->link = bpf_raw_tracepoint_open("inet_sock_set_state", t->prog);
	return t->link < 0 ? t->link : 0;
}

static int on_record(void *ctx, void *data, size_t n)
{
	const struct rl_trace_src *t = ctx;

	if (n >= sizeof(struct trace_rec))
		t->each(t->ctx, data);
	return 0;
}

static int make_maps(struct rl_trace_src *t)
{
	t->ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "rill_ring", 0, 0, RING_BYTES, NULL);
	if (t->ring_fd < 0)
		return t->ring_fd;
	t->lost_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rill_lost", 4, 8, 1, NULL);
	if (t->lost_fd < 0)
		return t->lost_fd;
	t->ring = ring_buffer__new(t->ring_fd, on_record, t, NULL);
	return t->ring ? 0 : -errno;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int refuse(struct rl_trace_src *t, struct btf *btf, char *why, size_t n, const char *what,
		  int err)
{
	snprintf(why, n, "%s: %s", what, err == EPERM || err == EACCES ?
		 "needs root or CAP_BPF and CAP_PERFMON" : strerror(err));
	btf__free(btf);
	rl_trace_src_close(t);
	return err ? -err : -EIO;
}

int rl_trace_src_open(struct rl_trace_src **out, uint32_t netns, trace_each *each, void *ctx,
		      char *why, size_t n)
{
	struct rl_trace_src *t = calloc(1, sizeof(*t));
	struct btf *btf = NULL;
	struct layout l;
	int r;

	if (!t)
		return -ENOMEM;
	libbpf_set_print(quiet);
	t->ring_fd = t->lost_fd = t->prog = t->link = -1;
	t->each = each;
	t->ctx = ctx;
	r = make_maps(t);
	if (r < 0)
		return refuse(t, btf, why, n, "BPF", -r);
	btf = btf__load_vmlinux_btf();
	if (!btf || !read_layout(btf, &l))
		return refuse(t, btf, why, n, "/sys/kernel/btf/vmlinux", btf ? ENOTSUP : errno);
	r = load(t, &l, netns);
	if (r < 0)
		return refuse(t, btf, why, n, "tracepoint inet_sock_set_state", -r);
	btf__free(btf);
	*out = t;
	return 0;
}

int rl_trace_src_fd(const struct rl_trace_src *t)
{
	return ring_buffer__epoll_fd(t->ring);
}

int rl_trace_src_read(struct rl_trace_src *t)
{
	int r = ring_buffer__consume(t->ring);

	return r < 0 ? r : 0;
}

uint64_t rl_trace_src_lost(const struct rl_trace_src *t)
{
	uint32_t key = 0;
	uint64_t v = 0;

	bpf_map_lookup_elem(t->lost_fd, &key, &v);
	return v;
}

void rl_trace_src_close(struct rl_trace_src *t)
{
	if (!t)
		return;
	ring_buffer__free(t->ring);
	close_fd(t->link);
	close_fd(t->prog);
	close_fd(t->lost_fd);
	close_fd(t->ring_fd);
	free(t);
}
