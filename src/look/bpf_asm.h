/* SPDX-License-Identifier: MIT */
/*
 * A BPF program written as calls: each adds an instruction.  Jumps go forward to
 * one place, the end (asm_end()).  r6 to r9 keep their values over calls.
 */
#ifndef RL_LOOK_BPF_ASM_H
#define RL_LOOK_BPF_ASM_H

#include <linux/bpf.h>
#include <stdint.h>

#define ASM_MAX		512
#define ASM_JUMPS	16

struct bpf_asm {
	struct bpf_insn	insn[ASM_MAX];
	unsigned	n;
	unsigned	jump[ASM_JUMPS], njumps;	/* to the end */
};

static inline void asm_put(struct bpf_asm *a, unsigned code, unsigned dst, unsigned src, int off,
			   int32_t imm)
{
	if (a->n == ASM_MAX)
		return;			/* the kernel refuses what lacks its end */
	a->insn[a->n++] = (struct bpf_insn){
		.code = (uint8_t)code, .dst_reg = dst & 15, .src_reg = src & 15,
		.off = (int16_t)off, .imm = imm,
	};
}

static inline void asm_mov(struct bpf_asm *a, unsigned dst, unsigned src)
{
	asm_put(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static inline void asm_imm(struct bpf_asm *a, unsigned dst, int32_t v)
{
	asm_put(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, v);
}

static inline void asm_add(struct bpf_asm *a, unsigned dst, int32_t v)
{
	asm_put(a, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, v);
}

/* @size: BPF_B, BPF_H, BPF_W, BPF_DW */
static inline void asm_load(struct bpf_asm *a, unsigned size, unsigned dst, unsigned src, int off)
{
	asm_put(a, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static inline void asm_store(struct bpf_asm *a, unsigned size, unsigned dst, int off, unsigned src)
{
	asm_put(a, BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

static inline void asm_store_imm(struct bpf_asm *a, unsigned size, unsigned dst, int off, int32_t v)
{
	asm_put(a, BPF_ST | BPF_MEM | size, dst, 0, off, v);
}

static inline void asm_call(struct bpf_asm *a, int32_t func)
{
	asm_put(a, BPF_JMP | BPF_CALL, 0, 0, 0, func);
}

static inline void asm_map(struct bpf_asm *a, unsigned dst, int fd)
{
	asm_put(a, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	asm_put(a, 0, 0, 0, 0, 0);
}

/* To the end when @reg OP @v; @class: BPF_JMP, or BPF_JMP32 for the lower half. */
static inline void asm_end_if(struct bpf_asm *a, unsigned class, unsigned op, unsigned reg,
			      int32_t v)
{
	if (a->njumps < ASM_JUMPS)
		a->jump[a->njumps++] = a->n;
	asm_put(a, class | op | BPF_K, reg, 0, 0, v);
}

/* The end: return 0. */
static inline void asm_end(struct bpf_asm *a)
{
	for (unsigned i = 0; i < a->njumps; i++)
		a->insn[a->jump[i]].off = (int16_t)(a->n - a->jump[i] - 1);
	asm_imm(a, 0, 0);
	asm_put(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

#endif
