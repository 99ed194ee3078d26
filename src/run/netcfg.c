// SPDX-License-Identifier: MIT
/*
 * Addresses as text, and the one thing that a TAP needs of the kernel: an address
 * on its side, set by rtnetlink(7), since ioctl() can't ask for IFA_F_NODAD.
 * Called by open.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/netcfg.h"

int rl_netcfg_ip(const char *text, struct rill_ip *ip)
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		*ip = rl_ip4(get32(v4));
		return 0;
	}
	return inet_pton(AF_INET6, text, ip->b) == 1 ? 0 : -EINVAL;
}

int rl_netcfg_prefix(const char *text, struct rill_ip *ip, unsigned *prefix_len)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN], *end;
	size_t n;
	long len;

	if (!slash)
		return -EINVAL;
	n = (size_t)(slash - text);
	if (n >= sizeof(addr) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (rl_netcfg_ip(addr, ip) < 0)
		return -EINVAL;
	len = strtol(slash + 1, &end, 10);
	if (*end || len > (rl_ip_is4(ip) ? 32 : 128))
		return -EINVAL;
	*prefix_len = (unsigned)len;
	return 0;
}

struct request {
	struct nlmsghdr	 h;
	struct ifaddrmsg a;
	uint8_t		 attrs[96];
};

static void add_attr(struct request *q, uint16_t type, const void *data, uint16_t len)
{
	struct rtattr at = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };
	uint8_t *to = (uint8_t *)q + NLMSG_ALIGN(q->h.nlmsg_len);

	memcpy(to, &at, sizeof(at));
	memcpy(to + RTA_LENGTH(0), data, len);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(at.rta_len);
}

static void fill(struct request *q, unsigned ifindex, const struct rill_ip *ip,
		 unsigned prefix_len)
{
	bool v4 = rl_ip_is4(ip);
	const uint8_t *bytes = ip->b + (v4 ? 12 : 0);
	uint16_t n = v4 ? 4 : 16;
	uint32_t flags = IFA_F_NODAD | IFA_F_PERMANENT;

	q->h.nlmsg_len = NLMSG_LENGTH(sizeof(q->a));
	q->h.nlmsg_type = RTM_NEWADDR;
	q->h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	q->a.ifa_family = v4 ? AF_INET : AF_INET6;
	q->a.ifa_prefixlen = (uint8_t)prefix_len;
	q->a.ifa_index = ifindex;
	add_attr(q, IFA_LOCAL, bytes, n);
	add_attr(q, IFA_ADDRESS, bytes, n);
	add_attr(q, IFA_FLAGS, &flags, sizeof(flags));
	if (v4 && prefix_len < 31) {
		uint8_t bcast[4];

		put32(bcast, get32(bytes) | UINT32_MAX >> prefix_len);
		add_attr(q, IFA_BROADCAST, bcast, 4);
	}
}

/* Return: 0 or the kernel's -errno. */
static int ask(int fd, const struct request *q)
{
	struct { struct nlmsghdr h; struct nlmsgerr e; uint8_t rest[512]; } a;
	ssize_t n;

	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &a, sizeof(a), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(a.h) + sizeof(a.e.error) || a.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return a.e.error;
}

int rl_netcfg_addr_add(const char *ifname, const struct rill_ip *ip, unsigned prefix_len)
{
	unsigned ifindex = if_nametoindex(ifname);
	struct request q = { 0 };
	int fd, r;

	if (!ifindex)
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	fill(&q, ifindex, ip, prefix_len);
	r = ask(fd, &q);
	close(fd);
	return r == -EEXIST ? 0 : r;
}
