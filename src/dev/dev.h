/* SPDX-License-Identifier: MIT */
/*
 * A device moves packets between a stack's interface and something outside.
 * Wrappers (pcap, fault) are devices around a device.
 */
#ifndef RL_DEV_DEV_H
#define RL_DEV_DEV_H

#include "buf/pkt.h"
#include "stack/stack_int.h"

struct rl_dev;

struct rl_dev_ops {
	const char *name;
	/*
	 * Receive up to @n packets into packets of @st without waiting.
	 * Return: how many, or -errno when the device is gone.
	 */
	int (*rx)(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n);
	/*
	 * Send @n packets, all taken over; what does not go out is dropped and
	 * counted in tx_drops.  Return: 0, or -errno when the device is gone.
	 */
	int (*tx)(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n);
	/* Earliest time a wrapper has something to do by itself; RL_NEVER. May be NULL. */
	int64_t (*deadline)(struct rl_dev *d);
	void (*close)(struct rl_dev *d);
};

struct rl_dev {
	const struct rl_dev_ops	*ops;
	struct rl_dev		*inner;		/* of a wrapper, or NULL */
	int			fd;		/* readable when rx has something; -1: none */
	struct rill_if_params	par;		/* MTU, MAC, offloads it offers */
	uint64_t		rx_frames, tx_frames, rx_drops, tx_drops;
};

/* Each returns 0 and a device, or -errno with one line in @why (n bytes). */

/** tap:NAME[,nooffload]: made when it does not exist; with virtio-net header. */
int rl_dev_tap_open(const char *spec, unsigned mtu, struct rl_dev **out, char *why, size_t n);

/** packet:IFNAME[,nooffload]: AF_PACKET on an interface without own addresses. */
int rl_dev_packet_open(const char *spec, unsigned mtu, struct rl_dev **out, char *why, size_t n);

/**
 * True when the kernel has @ip on an interface, named in @ifname: then it would
 * answer, and reset, what Rill does on a packet device with that address.
 */
bool rl_dev_kernel_has_addr(const struct rill_ip *ip, char *ifname, size_t n);

/** Two ends in one process; each may belong to a stack of its own thread. */
int rl_dev_pair_open(unsigned mtu, bool offload, struct rl_dev **a, struct rl_dev **b);

/** Writes all packets of @inner to a pcapng file and, if @tap, calls it. */
typedef void rl_pcap_tap(void *ctx, int64_t now_ns, bool out, const uint8_t *frame, size_t n);
int rl_dev_pcap_open(struct rl_dev *inner, const char *path, rl_pcap_tap *tap, void *ctx,
		     struct rl_dev **out, char *why, size_t n);

/** The stack's clock is virtual: its times are written as they are. */
void rl_dev_pcap_virtual(struct rl_dev *pcap);

/**
 * Faults by a seed: "loss=2%,burst=3,dup=1%,reorder=2%,delay=10ms,jitter=2ms,
 * rate=10mbit,queue=100,corrupt=0.1%"; "in:" or "out:" in front of a list holds
 * for one direction, ';' separates lists.
 */
int rl_dev_fault_open(struct rl_dev *inner, const char *spec, uint64_t seed,
		      struct rl_dev **out, char *why, size_t n);

/** With its inner ones; before the stack is destroyed whose packets it may hold. */
void rl_dev_close(struct rl_dev *d);

#endif
