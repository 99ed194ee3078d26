/* SPDX-License-Identifier: MIT */
/*
 * AF_PACKET on an interface of the kernel (a veth, a network card), with the
 * virtio-net header in both directions: a veth hands over super-segments whose
 * checksums are open, and only the header says so.  "nooffload" therefore
 * concerns what is sent.
 *
 * Rill takes the interface's MAC address; its IP addresses must not be the
 * kernel's (rl_dev_kernel_has_addr()).  Receives are batched as far as the last
 * batch was used up, so that a lone frame does not cost 16 prepared packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev/dev_int.h"

#define RX_BATCH	16
#define TX_BATCH	64
#define SOCKBUF		(16 << 20)	/* bytes, as the kernel counts them */

struct packet {
	struct rl_dev		d;
	uint32_t		max_frame;
	int			burst;		/* packets to prepare for the next rx */

	/* what waits for sendmmsg() */
	int			ntx;
	struct rill_pkt		*txp[TX_BATCH];
	struct mmsghdr		txm[TX_BATCH];
	struct rl_vnet_hdr	txh[TX_BATCH];
	struct iovec		txv[TX_BATCH][RL_DEV_IOV];
};

static struct packet *to_packet(struct rl_dev *d)
{
	return container_of(d, struct packet, d);
}

/* ---- receiving ---- */

struct rx_batch {
	int			n;
	struct rill_pkt		*p[RX_BATCH];
	struct mmsghdr		m[RX_BATCH];
	struct rl_vnet_hdr	h[RX_BATCH];
	struct iovec		v[RX_BATCH][3];
};

static void prepare_rx(struct packet *k, struct rill_stack *st, struct rx_batch *b, int n)
{
	for (b->n = 0; b->n < n; b->n++) {
		struct rill_pkt *p = rl_pkt_new_rx(&st->bufs, k->max_frame);
		struct rill_iov part[2];
		int i = b->n, np;

		if (!p)
			return;
		np = rl_pkt_rx_iov(p, part);
		b->p[i] = p;
		b->v[i][0] = (struct iovec){ &b->h[i], sizeof(b->h[i]) };
		for (int j = 0; j < np; j++)
			b->v[i][j + 1] = (struct iovec){ part[j].base, part[j].len };
		b->m[i].msg_hdr = (struct msghdr){ .msg_iov = b->v[i],
						   .msg_iovlen = (size_t)np + 1 };
	}
}

/* Return: whether packet @i of the batch is good. */
static bool finish_rx(struct rill_stack *st, struct rx_batch *b, int i)
{
	uint32_t len = b->m[i].msg_len;
	bool whole = len > sizeof(b->h[i]) &&
		     !(b->m[i].msg_hdr.msg_flags & MSG_TRUNC);

	rl_pkt_rx_done(&st->bufs, b->p[i],
		       whole ? len - (uint32_t)sizeof(b->h[i]) : 0);
	return whole && rl_vnet_to_pkt(&b->h[i], b->p[i]);
}

/* Without memory the frame is taken off the queue all the same. */
static void discard_one(struct packet *k, struct rill_stack *st)
{
	uint8_t head[sizeof(struct rl_vnet_hdr) + 1];

	if (recv(k->d.fd, head, sizeof(head), MSG_DONTWAIT) < 0)
		return;
	k->d.rx_drops++;
	rl_drop(st, RL_DROP_NO_MEMORY);
}

static int rx_batch(struct packet *k, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct rx_batch b;
	int r, got = 0;

	prepare_rx(k, st, &b, RL_MIN(n, k->burst));
	if (!b.n) {
		discard_one(k, st);
		return -EAGAIN;
	}
	r = recvmmsg(k->d.fd, b.m, (unsigned)b.n, MSG_DONTWAIT, NULL);
	if (r < 0)
		r = -errno;
	k->burst = r == k->burst ? RL_MIN(2 * k->burst, RX_BATCH) : RL_MAX(r, 1);
	for (int i = 0; i < b.n; i++) {
		if (i < r && finish_rx(st, &b, i)) {
			pkts[got++] = b.p[i];
			continue;
		}
		k->d.rx_drops += i < r;
		rl_pkt_free(&st->bufs, b.p[i]);
	}
	k->d.rx_frames += (uint64_t)got;
	return r < 0 ? r : got;
}

static int packet_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct packet *k = to_packet(d);
	int got = 0, r;

	do {
		int want = RL_MIN(n - got, k->burst);

		r = rx_batch(k, st, pkts + got, n - got);
		got += RL_MAX(r, 0);
		if (r < want)
			break;
	} while (got < n);
	if (got || r >= 0 || r == -EAGAIN || r == -EINTR)
		return got;
	/* a link that is down may come up again; an interface that is gone may not */
	if (r == -ENETDOWN && if_nametoindex(d->par.name))
		return 0;
	return r == -ENETDOWN ? -ENODEV : r;
}

/* ---- sending ---- */

static bool is_gone(int err)
{
	return err == ENXIO || err == EBADF || err == ENODEV;
}

/* Send what was gathered.  Return: 0, or -errno when the interface is gone. */
static int flush_tx(struct packet *k, struct rill_stack *st)
{
	int at = 0, gone = 0;

	while (at < k->ntx) {
		int r = sendmmsg(k->d.fd, k->txm + at, (unsigned)(k->ntx - at), MSG_DONTWAIT);

		if (r > 0) {
			k->d.tx_frames += (uint64_t)r;
			at += r;
			continue;
		}
		/* the first one was refused: it is lost, the others get their turn */
		gone = is_gone(errno) ? -errno : gone;
		k->d.tx_drops++;
		at++;
	}
	for (int i = 0; i < k->ntx; i++)
		rl_pkt_free(&st->bufs, k->txp[i]);
	k->ntx = 0;
	return gone;
}

static void gather(struct packet *k, struct rill_pkt *p)
{
	struct rill_iov part[RL_PKT_FRAGS + 1];
	int i = k->ntx++, n = rl_pkt_iov(p, part);

	k->txp[i] = p;
	rl_vnet_from_pkt(p, &k->txh[i]);
	k->txv[i][0] = (struct iovec){ &k->txh[i], sizeof(k->txh[i]) };
	for (int j = 0; j < n; j++)
		k->txv[i][j + 1] = (struct iovec){ part[j].base, part[j].len };
	k->txm[i].msg_hdr = (struct msghdr){ .msg_iov = k->txv[i],
					     .msg_iovlen = (size_t)n + 1 };
}

static int packet_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct packet *k = to_packet(d);
	int gone = 0, r;

	for (int i = 0; i < n; i++) {
		struct rill_pkt *p = rl_dev_fit(d, st, pkts[i]);

		while (p) {
			struct rill_pkt *next = p->next;

			gather(k, p);
			if (k->ntx == TX_BATCH) {
				r = flush_tx(k, st);
				gone = r ? r : gone;
			}
			p = next;
		}
	}
	r = flush_tx(k, st);
	return r ? r : gone;
}

static void packet_close(struct rl_dev *d)
{
	close(d->fd);
	free(to_packet(d));
}

static const struct rl_dev_ops packet_ops = {
	.name = "packet", .rx = packet_rx, .tx = packet_tx, .close = packet_close,
};

/* ---- opening ---- */

/*
 * The kernel strips VLAN tags before a packet socket sees the frame, so frames
 * of VLANs, which are other networks, are sorted out by a filter.
 */
static int refuse_vlans(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_LEN(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* As large as we may. */
static void set_buffer(int fd, int force, int plain)
{
	int n = SOCKBUF;

	if (setsockopt(fd, SOL_SOCKET, force, &n, sizeof(n)))
		setsockopt(fd, SOL_SOCKET, plain, &n, sizeof(n));
}

static int set_options(int fd, int ifindex)
{
	struct packet_mreq all = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI };
	int one = 1;

	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
	    refuse_vlans(fd))
		return -errno;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return 0;
}

/* Protocol 0 until bind(), so that no frame of another interface comes in. */
static int open_socket(int ifindex)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_ifindex = ifindex,
				  .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = set_options(fd, ifindex);
	if (!r && bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		r = -errno;
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* The interface as it is; the link is brought up. */
static int look_at(const struct rl_dev_spec *s, struct rl_netdev *dev, char *why, size_t n)
{
	int r = rl_netdev_get(s->name, dev);

	if (r)
		return rl_dev_fail(why, n, -r, "packet:%s: cannot read its settings: %s",
				   s->name, strerror(-r));
	if (!dev->ether)
		return rl_dev_fail(why, n, EINVAL, "packet:%s: this is no Ethernet; use a veth "
				   "or a network card", s->name);
	if (!dev->up && rl_netdev_up(s->name))
		return rl_dev_fail(why, n, ENETDOWN, "packet:%s: the link is down; bring it up: "
				   "ip link set %s up", s->name, s->name);
	return 0;
}

static int set_params(struct packet *k, const struct rl_dev_spec *s, unsigned mtu,
		      char *why, size_t n)
{
	struct rill_if_params *par = &k->d.par;
	struct rl_netdev dev = { 0 };
	int r = look_at(s, &dev, why, n);

	if (r)
		return r;
	if (mtu > dev.mtu)
		return rl_dev_fail(why, n, EINVAL, "packet:%s: MTU %u is above the "
				   "interface's %u; change that first: ip link set %s mtu %u",
				   s->name, mtu, dev.mtu, s->name, mtu);
	par->mtu = mtu ? mtu : RL_MIN(dev.mtu, 65535u);
	memcpy(par->mac, dev.mac, sizeof(par->mac));
	memcpy(par->name, s->name, sizeof(par->name));
	par->flags = RILL_IF_ETHER;
	if (s->offload) {
		par->flags |= RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6;
		par->gso_max = 65535;
	}
	k->max_frame = RL_FRAME_MAX;
	k->burst = 1;
	return 0;
}

int rl_dev_packet_open(const char *spec, unsigned mtu, struct rl_dev **out, char *why, size_t n)
{
	struct rl_dev_spec s;
	struct packet *k;
	unsigned ifindex;
	int r = rl_dev_spec_parse(spec, "packet", &s, why, n);

	if (r)
		return r;
	ifindex = if_nametoindex(s.name);
	if (!ifindex)
		return rl_dev_fail(why, n, ENODEV, "packet:%s: no such interface; 'ip link' "
				   "lists them", s.name);
	k = calloc(1, sizeof(*k));
	if (!k)
		return rl_dev_fail(why, n, ENOMEM, "%s: no memory", spec);
	k->d.ops = &packet_ops;
	r = set_params(k, &s, mtu, why, n);
	if (r) {
		free(k);
		return r;
	}
	k->d.fd = open_socket((int)ifindex);
	if (k->d.fd >= 0) {
		*out = &k->d;
		return 0;
	}
	r = k->d.fd;
	free(k);
	if (r == -EPERM || r == -EACCES)
		return rl_dev_fail(why, n, -r, "packet:%s: not permitted; run it as root or "
				   "with CAP_NET_RAW", s.name);
	return rl_dev_fail(why, n, -r, "packet:%s: cannot open it: %s", s.name, strerror(-r));
}
