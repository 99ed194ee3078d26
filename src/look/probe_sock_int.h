/* SPDX-License-Identifier: MIT */
/* What probe_sock.c and probe_tcp.c share. */
#ifndef RL_LOOK_PROBE_SOCK_INT_H
#define RL_LOOK_PROBE_SOCK_INT_H

#include "look/probe_sock.h"

void probe_to_ip(const struct sockaddr *sa, struct rill_ip *ip);
void probe_set_port(struct sockaddr_storage *ss, uint16_t port);
uint16_t probe_get_port(const struct sockaddr_storage *ss);
void probe_set_ttl(struct probe_sock *ps, int fd, unsigned ttl);

/** One entry of the error queue.  Return: bytes quoted; -ENOMSG: not ICMP's. */
ssize_t probe_read_error(struct probe_sock *ps, int fd, struct probe_answer *a);

/* ---- probe_tcp.c ---- */

int probe_conn_start(struct probe_sock *ps, uint16_t seq, unsigned ttl, unsigned lane);
bool probe_conn_receive(struct probe_sock *ps, struct probe_answer *a);

/** @abort: by RST, so that the port is free at once. */
void probe_conn_close(struct probe_sock *ps, struct probe_conn *c, bool abort);

#endif
