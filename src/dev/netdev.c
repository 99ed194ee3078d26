/* SPDX-License-Identifier: MIT */
/* Kernel interfaces by ioctl (netdevice(7)), for dev/tap.c and dev/packet.c. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev/dev_int.h"

static int if_ioctl(unsigned long req, const char *name, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = 0;

	if (fd < 0)
		return -errno;
	strncpy(ifr->ifr_name, name, sizeof(ifr->ifr_name) - 1);
	if (ioctl(fd, req, ifr) < 0)
		r = -errno;
	close(fd);
	return r;
}

int rl_netdev_get(const char *name, struct rl_netdev *out)
{
	struct ifreq ifr = { 0 };
	int r = if_ioctl(SIOCGIFMTU, name, &ifr);

	if (r)
		return r;
	out->mtu = (uint32_t)ifr.ifr_mtu;
	r = if_ioctl(SIOCGIFHWADDR, name, &ifr);
	if (r)
		return r;
	out->ether = ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	memcpy(out->mac, ifr.ifr_hwaddr.sa_data, 6);
	r = if_ioctl(SIOCGIFFLAGS, name, &ifr);
	out->up = ifr.ifr_flags & IFF_UP;
	return r;
}

int rl_netdev_set_mtu(const char *name, unsigned mtu)
{
	struct ifreq ifr = { .ifr_mtu = (int)mtu };

	return if_ioctl(SIOCSIFMTU, name, &ifr);
}

int rl_netdev_up(const char *name)
{
	struct ifreq ifr = { 0 };
	int r = if_ioctl(SIOCGIFFLAGS, name, &ifr);

	if (r || (ifr.ifr_flags & IFF_UP))
		return r;
	ifr.ifr_flags |= IFF_UP;
	return if_ioctl(SIOCSIFFLAGS, name, &ifr);
}

static bool same_addr(const struct sockaddr *sa, const struct rill_ip *ip)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return rl_ip_is4(ip) && !memcmp(&in->sin_addr, ip->b + 12, 4);
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		return !memcmp(&in6->sin6_addr, ip->b, 16);
	}
	return false;
}

bool rl_dev_kernel_has_addr(const struct rill_ip *ip, char *ifname, size_t n)
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (i = all; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || !same_addr(i->ifa_addr, ip))
			continue;
		found = true;
		strncpy(ifname, i->ifa_name, n - 1);
		ifname[n - 1] = '\0';
	}
	freeifaddrs(all);
	return found;
}
