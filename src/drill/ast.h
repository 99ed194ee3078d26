/* SPDX-License-Identifier: MIT */
/*
 * A packet script as the parser leaves it: options, commands, events.  Numbers
 * are the script's own ("script values"); what they are on the wire is decided
 * by flow.c while the script runs.  Everything lies in the script's arena and
 * lives as long as the script.
 */
#ifndef RL_DRILL_AST_H
#define RL_DRILL_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rill/types.h"

/* ---- arena ---- */

struct drill_arena {
	struct drill_block *blocks;
};

/** Zeroed memory; the program ends with a message when there is none. */
void *rl_drill_alloc(struct drill_arena *a, size_t n);
char *rl_drill_strndup(struct drill_arena *a, const char *s, size_t n);
void rl_drill_free_all(struct drill_arena *a);
/** What lies in @from lies in @to then. */
void rl_drill_arena_join(struct drill_arena *to, struct drill_arena *from);

/* ---- time ---- */

enum drill_time_kind {
	DRILL_AT,		/* T */
	DRILL_AFTER,		/* +T */
	DRILL_ANY_TIME,		/* * */
	DRILL_AT_RANGE,		/* T~U */
	DRILL_AFTER_RANGE,	/* +T~+U */
};

struct drill_time {
	enum drill_time_kind kind;
	int64_t	us, until_us;		/* until_us: ranges only */
};

/* ---- packets ---- */

enum drill_ecn {
	DRILL_ECN_UNSET, DRILL_NOECN, DRILL_ECT0, DRILL_ECT1, DRILL_CE,
	DRILL_ECT01,			/* outbound: either of the two */
};

struct drill_ipinfo {
	enum drill_ecn	ecn;
	bool		has_tos, has_flow, has_ttl;
	uint8_t		tos;		/* whole byte, or traffic class */
	uint8_t		ttl;		/* or hop limit */
	uint32_t	flow;		/* 20 bits */
};

enum drill_encap_kind { DRILL_ENCAP_IPV4, DRILL_ENCAP_IPV6, DRILL_ENCAP_GRE,
			DRILL_ENCAP_MPLS };

struct drill_mpls {
	uint32_t label;
	uint8_t	 tc, ttl;
	bool	 bottom;
};

#define DRILL_LABELS	8
#define DRILL_LAYERS	6

struct drill_encap {
	enum drill_encap_kind kind;
	struct drill_ipinfo ip;
	struct rill_ip	src, dst;	/* used as written */
	uint16_t	gre_flags;	/* 0x8000 checksum, 0x2000 key, 0x1000 seq */
	bool		has_gre_fields;
	uint16_t	gre_sum, gre_off;
	uint32_t	gre_key, gre_seq;
	struct drill_mpls labels[DRILL_LABELS];
	unsigned	nlabels;
};

enum drill_tcp_flags {			/* as on the wire; AE is the former NS */
	DRILL_FIN = 0x01, DRILL_SYN = 0x02, DRILL_RST = 0x04, DRILL_PSH = 0x08,
	DRILL_ACK = 0x10, DRILL_URG = 0x20, DRILL_ECE = 0x40, DRILL_CWR = 0x80,
	DRILL_AE = 0x100,
};

enum drill_seq_kind {
	DRILL_SEQ,			/* mapped to the live connection's */
	DRILL_SEQ_ABSOLUTE,		/* "!": as written */
	DRILL_SEQ_ANY,			/* "...(L)": outbound only */
};

enum drill_opt_kind {
	DRILL_OPT_NOP, DRILL_OPT_EOL, DRILL_OPT_MSS, DRILL_OPT_WSCALE,
	DRILL_OPT_SACKOK, DRILL_OPT_SACK, DRILL_OPT_TS, DRILL_OPT_MD5,
	DRILL_OPT_FO, DRILL_OPT_FOEXP, DRILL_OPT_ECN0, DRILL_OPT_ECN1,
	DRILL_OPT_RAW,			/* kind and data by number (NPLab) */
	DRILL_OPT_BYTES,		/* <0204...>: the whole list as it stands */
};

#define DRILL_SACKS	4

struct drill_opt {
	struct drill_opt *next;
	enum drill_opt_kind kind;
	uint32_t	value;		/* MSS, WSCALE; TS val */
	uint32_t	ecr;
	bool		any_val;	/* "TS val ..." */
	bool		any_ecr, abs_ecr; /* "ecr ...", "ecr N!" */
	struct { uint32_t from, to; } sack[DRILL_SACKS];
	unsigned	nsacks;
	/*
	 * MD5, FO, FOEXP (the cookie), BYTES; RAW (kind byte first, then data
	 * without the length)
	 */
	uint8_t		data[40];
	unsigned	len;
	/* AccECN counters in wire order, 24 bits */
	uint32_t	ctr[3];
	unsigned	nctrs;
};

enum drill_opts { DRILL_OPTS_NONE, DRILL_OPTS_LIST, DRILL_OPTS_ANY /* <...> */ };

struct drill_tcp {
	bool		has_ports;
	uint16_t	sport, dport;
	uint16_t	flags;		/* enum drill_tcp_flags, without ACE digits */
	bool		has_ace;	/* a digit other than 0 was written */
	uint8_t		ace;		/* then AE CWR ECE as a number */
	enum drill_seq_kind seq_kind;
	uint32_t	seq, len;	/* len up to 65535 */
	bool		has_ack, has_win;
	uint32_t	ack;
	uint16_t	win, urg;
	enum drill_opts	opts_kind;
	struct drill_opt *opts;
};

struct drill_udp {
	bool		has_ports;
	uint16_t	sport, dport;
	uint16_t	len;
};

enum drill_echoed {			/* what an ICMP error quotes */
	DRILL_ECHO_NONE,		/* no bracket: TCP with sequence number 0 */
	DRILL_ECHO_TCP, DRILL_ECHO_UDP, DRILL_ECHO_RAW,
};

struct drill_icmp {
	uint8_t		type, code;	/* numbers of the script's IP version */
	bool		has_mtu, has_id;
	uint32_t	mtu;
	uint16_t	id;
	enum drill_echoed echoed;
	uint32_t	seq, len;
};

enum drill_proto { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

struct drill_packet {
	bool		in;		/* "<": towards the stack */
	bool		bad_sum;	/* Rill's own "badsum": inbound only */
	struct drill_encap encap[DRILL_LAYERS];
	unsigned	nencap;
	struct drill_ipinfo ip;		/* of the innermost IP header */
	enum drill_proto proto;
	struct drill_tcp tcp;
	struct drill_udp udp;
	struct drill_icmp icmp;
};

/* ---- system calls ---- */

enum drill_expr_kind {
	DRILL_E_INT,			/* num; also hex */
	DRILL_E_SYMBOL,			/* text: AF_INET, or a field's name */
	DRILL_E_STRING,			/* text with escapes resolved, len */
	DRILL_E_ELLIPSIS,		/* ... */
	DRILL_E_OR,			/* list of two or more: a | b | c */
	DRILL_E_LIST,			/* [a, b] */
	DRILL_E_STRUCT,			/* {a, b} or {name=value, name(n)=value} */
	DRILL_E_CALL,			/* name(a): htons(80), inet_addr("1.2.3.4") */
};

/* An expression; in a list also its place there and the name before "=". */
struct drill_expr {
	struct drill_expr *next;	/* of the list that it is in */
	const char	*name;		/* "fd" in {fd=3}, "SYM" in SYM = value; or NULL */
	struct drill_expr *count;	/* (N) behind the name: msg_iov(2)=..., or NULL */
	enum drill_expr_kind kind;
	int64_t		num;
	const char	*text;		/* SYMBOL, STRING, CALL's function */
	size_t		len;		/* STRING */
	struct drill_expr *list;	/* OR, LIST, STRUCT, CALL's arguments */
};

struct drill_call {
	bool		blocks;		/* "...END" */
	int64_t		end_us;		/* relative or absolute as the event's time */
	const char	*name;
	struct drill_expr *args;
	unsigned	nargs;
	int64_t		result;		/* -1 with err_name for "= ECONNRESET" */
	const char	*err_name;	/* "ECONNRESET", or NULL: not compared */
};

/* ---- events ---- */

enum drill_event_kind {
	DRILL_PACKET, DRILL_CALL, DRILL_COMMAND, DRILL_CODE,
	/* Rill's own */
	DRILL_DROP,			/* drop PAWS */
	DRILL_STATE,			/* state ESTABLISHED */
	DRILL_HOLD,			/* hold RWND */
	DRILL_QUIET,			/* quiet: nothing was sent that no line took */
	DRILL_USE,			/* use established(mss 1000, sackOK) */
};

struct drill_param {			/* of a fixture */
	struct drill_param *next;
	const char	*name;
	bool		has_value;
	int64_t		value;
};

struct drill_event {
	struct drill_event *next;
	struct drill_time time;
	const char	*file;		/* a fixture's name inside of one */
	int		line;		/* where the event's time stands */
	const char	*text;		/* as written, one line, comments removed */
	enum drill_event_kind kind;
	struct drill_packet *packet;
	struct drill_call *call;
	const char	*word;		/* COMMAND, CODE: text; DROP...: the name */
	struct drill_param *params;	/* USE */
};

/* ---- the script ---- */

struct drill_option {			/* --name=value, in the script's head */
	struct drill_option *next;
	const char	*name, *value;	/* value: NULL without "=" */
	int		line;
};

struct drill_script {
	struct drill_arena arena;
	const char	*file;
	struct drill_option *options;
	const char	*init, *cleanup; /* commands, or NULL */
	int		init_line, cleanup_line;
	struct drill_event *events;
	unsigned	nevents;
};

struct drill_define {			/* -D NAME=VALUE, an array ended by NULL */
	const char	*name, *value;
};

/* What ICMP names and addresses without further words mean. */
enum drill_parse_flags {
	DRILL_PARSE_IPV6 = 1,		/* IPv6; else IPv4 */
	DRILL_PARSE_FIXED = 2,		/* even if the script's --ip_version says otherwise */
};

/**
 * rl_drill_parse() - parse a script
 * @file:	its name, for messages and events
 * @text, @len:	bytes; need not end in NUL
 * @defines:	ended by a NULL name; or NULL
 * @flags:	enum drill_parse_flags
 * @why:	gets "FILE:LINE: what is wrong" after a failure
 *
 * Return: 0, or -EINVAL.  rl_drill_script_free() either way.
 */
int rl_drill_parse(struct drill_script *s, const char *file, const char *text, size_t len,
		   const struct drill_define *defines, unsigned flags,
		   char *why, size_t why_len);
void rl_drill_script_free(struct drill_script *s);

/* The language's names of ICMP numbers, or NULL. */
const char *rl_drill_icmp_type(bool ipv6, uint8_t type);
const char *rl_drill_icmp_code(bool ipv6, uint8_t type, uint8_t code);

#endif
