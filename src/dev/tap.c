/* SPDX-License-Identifier: MIT */
/*
 * Linux's TAP: Ethernet frames of a kernel interface through a file, with the
 * virtio-net header in front, so that super-segments of 64 KiB and unfinished
 * checksums pass in both directions.
 *
 * One readv() scatters header, head and bulk of a frame straight into packet
 * memory, one writev() gathers them from the send queue's blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dev/dev_int.h"

struct tap {
	struct rl_dev	d;
	uint32_t	vnet_len;	/* bytes of virtio header; 0 without offload */
	uint32_t	max_frame;
};

static struct tap *to_tap(struct rl_dev *d)
{
	return container_of(d, struct tap, d);
}

/* Without memory the frame is taken off the queue all the same. */
static void discard_one(struct tap *t, struct rill_stack *st)
{
	uint8_t head[sizeof(struct rl_vnet_hdr) + 1];

	if (read(t->d.fd, head, sizeof(head)) < 0)
		return;
	t->d.rx_drops++;
	rl_drop(st, RL_DROP_NO_MEMORY);
}

/* Return: frame length, 0 when the device gave nothing of use, -errno. */
static ssize_t read_frame(struct tap *t, struct rill_pkt *p, struct rl_vnet_hdr *h)
{
	struct rill_iov part[2];
	struct iovec iov[3] = { { h, t->vnet_len } };
	int n = rl_pkt_rx_iov(p, part);
	ssize_t r;

	for (int i = 0; i < n; i++)
		iov[i + 1] = (struct iovec){ part[i].base, part[i].len };
	r = readv(t->d.fd, iov, n + 1);
	if (r < 0)
		return -errno;
	return r > (ssize_t)t->vnet_len ? r - (ssize_t)t->vnet_len : 0;
}

/* Return: 1 a packet in *@out, 0 a frame that was dropped, -errno. */
static int rx_one(struct tap *t, struct rill_stack *st, struct rill_pkt **out)
{
	struct rill_pkt *p = rl_pkt_new_rx(&st->bufs, t->max_frame);
	struct rl_vnet_hdr h = { 0 };
	ssize_t r;

	if (!p) {
		discard_one(t, st);
		return -EAGAIN;
	}
	r = read_frame(t, p, &h);
	rl_pkt_rx_done(&st->bufs, p, r > 0 ? (uint32_t)r : 0);
	if (r > 0 && rl_vnet_to_pkt(&h, p)) {
		t->d.rx_frames++;
		*out = p;
		return 1;
	}
	if (r >= 0)
		t->d.rx_drops++;
	rl_pkt_free(&st->bufs, p);
	return r < 0 ? (int)r : 0;
}

static int tap_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct tap *t = to_tap(d);
	int got = 0, r = 0;

	for (int i = 0; i < n && r >= 0; i++) {
		r = rx_one(t, st, &pkts[got]);
		if (r > 0)
			got++;
	}
	/* EIO: the link is down, which may change */
	if (got || r >= 0 || r == -EAGAIN || r == -EINTR || r == -EIO)
		return got;
	return r;
}

static int write_frame(struct tap *t, const struct rill_pkt *p)
{
	struct rill_iov part[RL_PKT_FRAGS + 1];
	struct iovec iov[RL_DEV_IOV];
	struct rl_vnet_hdr h;
	int n = rl_pkt_iov(p, part);

	rl_vnet_from_pkt(p, &h);
	iov[0] = (struct iovec){ &h, t->vnet_len };
	for (int i = 0; i < n; i++)
		iov[i + 1] = (struct iovec){ part[i].base, part[i].len };
	return writev(t->d.fd, iov, n + 1) < 0 ? -errno : 0;
}

static int tx_one(struct tap *t, struct rill_stack *st, struct rill_pkt *p)
{
	int gone = 0;

	p = rl_dev_fit(&t->d, st, p);
	while (p) {
		struct rill_pkt *next = p->next;
		int r = write_frame(t, p);

		if (r)
			t->d.tx_drops++;
		else
			t->d.tx_frames++;
		if (r == -EBADFD || r == -EBADF)
			gone = r;
		rl_pkt_free(&st->bufs, p);
		p = next;
	}
	return gone;
}

static int tap_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	int gone = 0;

	for (int i = 0; i < n; i++) {
		int r = tx_one(to_tap(d), st, pkts[i]);

		gone = r ? r : gone;
	}
	return gone;
}

static void tap_close(struct rl_dev *d)
{
	close(d->fd);
	free(to_tap(d));
}

static const struct rl_dev_ops tap_ops = {
	.name = "tap", .rx = tap_rx, .tx = tap_tx, .close = tap_close,
};

/* ---- opening ---- */

static int open_error(const struct rl_dev_spec *s, int err, char *why, size_t n)
{
	switch (err) {
	case EACCES:
		return rl_dev_fail(why, n, err, "tap:%s: /dev/net/tun is not open to this user; "
				   "as root: chmod 666 /dev/net/tun; or use packet:IF",
				   s->name);
	case EPERM:
		return rl_dev_fail(why, n, err, "tap:%s: not permitted; run it as root or "
				   "in a namespace of your own (unshare -rn)", s->name);
	case EBUSY:
		return rl_dev_fail(why, n, err, "tap:%s: another program uses it; end that "
				   "or choose another name", s->name);
	case ENOENT:
	case ENODEV:
		return rl_dev_fail(why, n, err, "tap:%s: /dev/net/tun is missing; load the "
				   "kernel module (modprobe tun)", s->name);
	case EINVAL:
		return rl_dev_fail(why, n, err, "tap:%s: there is an interface of this name "
				   "that is no TAP; choose another name", s->name);
	}
	return rl_dev_fail(why, n, err, "tap:%s: cannot open it: %s", s->name, strerror(err));
}

static int set_offloads(int fd, bool offload)
{
	unsigned want = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int len = sizeof(struct rl_vnet_hdr);

	if (!offload)	/* a persistent TAP remembers what its last user wanted */
		return ioctl(fd, TUNSETOFFLOAD, 0UL);
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0)
		return -1;
	if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long)(want | TUN_F_TSO_ECN)))
		return 0;
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)want);
}

/* Return: a descriptor or -errno. */
static int attach(const struct rl_dev_spec *s)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	if (s->offload)
		ifr.ifr_flags |= IFF_VNET_HDR;
	memcpy(ifr.ifr_name, s->name, sizeof(s->name));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || set_offloads(fd, s->offload) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* MTU, link state and the address of our end. */
static int set_link(const struct rl_dev_spec *s, unsigned mtu,
		    struct rill_if_params *par, char *why, size_t n)
{
	struct rl_netdev dev;
	int r = mtu ? rl_netdev_set_mtu(s->name, mtu) : 0;

	if (r)
		return rl_dev_fail(why, n, -r, "tap:%s: cannot set the MTU to %u: %s",
				   s->name, mtu, strerror(-r));
	r = rl_netdev_up(s->name);
	if (!r)
		r = rl_netdev_get(s->name, &dev);
	if (r)
		return rl_dev_fail(why, n, -r, "tap:%s: cannot bring the link up: %s",
				   s->name, strerror(-r));
	par->mtu = dev.mtu;
	/* the kernel's end has that one; ours is as unique and stays the same */
	memcpy(par->mac, dev.mac, sizeof(par->mac));
	par->mac[0] = (uint8_t)((par->mac[0] | 2) & ~1);
	par->mac[5] ^= 1;
	return 0;
}

static void set_params(struct tap *t, const struct rl_dev_spec *s)
{
	struct rill_if_params *par = &t->d.par;

	memcpy(par->name, s->name, sizeof(par->name));
	par->flags = RILL_IF_ETHER;
	t->max_frame = par->mtu + RL_ETH_HDR + 4;
	if (!s->offload)
		return;
	par->flags |= RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6;
	par->gso_max = 65535;
	t->vnet_len = sizeof(struct rl_vnet_hdr);
	t->max_frame = RL_FRAME_MAX;
}

int rl_dev_tap_open(const char *spec, unsigned mtu, struct rl_dev **out, char *why, size_t n)
{
	struct rl_dev_spec s;
	struct tap *t;
	int r = rl_dev_spec_parse(spec, "tap", &s, why, n);

	if (r)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return rl_dev_fail(why, n, ENOMEM, "%s: no memory", spec);
	t->d.ops = &tap_ops;
	t->d.fd = attach(&s);
	if (t->d.fd < 0) {
		r = open_error(&s, -t->d.fd, why, n);
		free(t);
		return r;
	}
	r = set_link(&s, mtu, &t->d.par, why, n);
	if (r) {
		tap_close(&t->d);
		return r;
	}
	set_params(t, &s);
	*out = &t->d;
	return 0;
}
