/* SPDX-License-Identifier: MIT */
/* udp/udp_opt.c: socket options and memberships. [A24] */
#include "net_fixture.h"
#include "stack/sockopt_nums.h"

static rill_id udp(struct net *n)
{
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 0, &id), 0);
	return id;
}

static int get(struct net *n, rill_id id, int level, int name, int32_t *v)
{
	size_t len = sizeof(*v);

	return rl_udp_getsockopt(n->st, id, level, name, v, &len);
}

/* Integer options: what is set, what is then read. */
static const struct {
	const char *name;
	int level, opt;
	int32_t set;
	int r;
	int32_t get;
} rows[] = {
	{ "SO_REUSEADDR", RL_SOL_SOCKET, RL_SO_REUSEADDR, 5, 0, 1 },
	{ "SO_REUSEPORT", RL_SOL_SOCKET, RL_SO_REUSEPORT, 5, 0, 1 },
	{ "SO_BROADCAST", RL_SOL_SOCKET, RL_SO_BROADCAST, 5, 0, 1 },
	{ "SO_RCVBUF doubles", RL_SOL_SOCKET, RL_SO_RCVBUF, 50000, 0, 100000 },
	{ "SO_RCVBUF least", RL_SOL_SOCKET, RL_SO_RCVBUF, 1, 0, 2304 },
	{ "SO_RCVBUF negative", RL_SOL_SOCKET, RL_SO_RCVBUF, -1, 0, 2304 },
	{ "SO_RCVBUF most", RL_SOL_SOCKET, RL_SO_RCVBUF, 1 << 30, 0, 2 * 4194304 },
	{ "SO_SNDBUF", RL_SOL_SOCKET, RL_SO_SNDBUF, 1, 0, 4608 },
	{ "SO_SNDBUF most", RL_SOL_SOCKET, RL_SO_SNDBUF, 1 << 30, 0, 2 * 4194304 },
	{ "SO_BINDTOIFINDEX", RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, 1, 0, 1 },
	{ "SO_BINDTOIFINDEX none", RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, 7, -ENODEV, 0 },
	{ "SO_ERROR is read only", RL_SOL_SOCKET, RL_SO_ERROR, 1, -ENOPROTOOPT, 0 },
	{ "SO_ACCEPTCONN", RL_SOL_SOCKET, RL_SO_ACCEPTCONN, 1, -ENOPROTOOPT, 0 },
	{ "SO_TYPE", RL_SOL_SOCKET, RL_SO_TYPE, 1, -ENOPROTOOPT, RL_SOCK_DGRAM },
	{ "SO_PROTOCOL", RL_SOL_SOCKET, RL_SO_PROTOCOL, 1, -ENOPROTOOPT, 17 },
	{ "SO_DOMAIN", RL_SOL_SOCKET, RL_SO_DOMAIN, 1, -ENOPROTOOPT, RL_AF_INET6 },
	{ "IP_TOS", RL_SOL_IP, RL_IP_TOS, 0xb8, 0, 0xb8 },
	{ "IP_TTL", RL_SOL_IP, RL_IP_TTL, 1, 0, 1 },
	{ "IP_TTL default", RL_SOL_IP, RL_IP_TTL, -1, 0, 64 },
	{ "IP_TTL 0", RL_SOL_IP, RL_IP_TTL, 0, -EINVAL, 64 },
	{ "IP_TTL 256", RL_SOL_IP, RL_IP_TTL, 256, -EINVAL, 64 },
	{ "IP_MINTTL", RL_SOL_IP, RL_IP_MINTTL, 255, 0, 255 },
	{ "IP_MINTTL 256", RL_SOL_IP, RL_IP_MINTTL, 256, -EINVAL, 0 },
	{ "IP_MTU_DISCOVER", RL_SOL_IP, RL_IP_MTU_DISCOVER, 2, 0, 2 },
	{ "IP_MTU_DISCOVER 9", RL_SOL_IP, RL_IP_MTU_DISCOVER, 9, -EINVAL, 1 },
	{ "IP_MULTICAST_TTL", RL_SOL_IP, RL_IP_MULTICAST_TTL, 8, 0, 8 },
	{ "IP_MULTICAST_TTL 300", RL_SOL_IP, RL_IP_MULTICAST_TTL, 300, -EINVAL, 1 },
	{ "IP_MULTICAST_LOOP", RL_SOL_IP, RL_IP_MULTICAST_LOOP, 0, 0, 0 },
	{ "IP_OPTIONS is refused", RL_SOL_IP, RL_IP_OPTIONS, 1, -ENOPROTOOPT, -1 },
	{ "IPV6_TCLASS", RL_SOL_IPV6, RL_IPV6_TCLASS, 255, 0, 255 },
	{ "IPV6_TCLASS 256", RL_SOL_IPV6, RL_IPV6_TCLASS, 256, -EINVAL, 0 },
	{ "IPV6_UNICAST_HOPS", RL_SOL_IPV6, RL_IPV6_UNICAST_HOPS, 3, 0, 3 },
	{ "IPV6_UNICAST_HOPS default", RL_SOL_IPV6, RL_IPV6_UNICAST_HOPS, -1, 0, 64 },
	{ "IPV6_MULTICAST_HOPS", RL_SOL_IPV6, RL_IPV6_MULTICAST_HOPS, 3, 0, 3 },
	{ "IPV6_MULTICAST_LOOP", RL_SOL_IPV6, RL_IPV6_MULTICAST_LOOP, 0, 0, 0 },
	{ "IPV6_MULTICAST_IF", RL_SOL_IPV6, RL_IPV6_MULTICAST_IF, 1, 0, 1 },
	{ "IPV6_MULTICAST_IF none", RL_SOL_IPV6, RL_IPV6_MULTICAST_IF, 5, -ENODEV, 0 },
	{ "IPV6_MTU_DISCOVER", RL_SOL_IPV6, RL_IPV6_MTU_DISCOVER, 0, 0, 0 },
	{ "IPV6_V6ONLY", RL_SOL_IPV6, RL_IPV6_V6ONLY, 1, 0, 1 },
	{ "another level", 99, 1, 1, -ENOPROTOOPT, -1 },
	{ "a TCP option", RL_SOL_TCP, RL_TCP_NODELAY, 1, -ENOPROTOOPT, -1 },
};

TEST(integers)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int32_t v = -1;
		struct net n;
		rill_id id;

		net_init(&n, 0);
		id = udp(&n);
		CHECK_EQ(rows[i].name, rl_udp_setsockopt(n.st, id, rows[i].level, rows[i].opt,
							 &rows[i].set, 4), rows[i].r);
		CHECK_EQ(rows[i].name, get(&n, id, rows[i].level, rows[i].opt, &v),
			 rows[i].get == -1 ? -ENOPROTOOPT : 0);
		CHECK_EQ(rows[i].name, v, rows[i].get);
		net_fini(&n);
	}
}

TEST(lengths)
{
	uint8_t one = 1;
	int32_t v = 1;
	size_t len = 2;
	uint8_t two[2];
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = udp(&n);
	CHECK_EQ("short", rl_udp_setsockopt(n.st, id, 1, RL_SO_REUSEADDR, &v, 3), -EINVAL);
	CHECK_EQ("a byte will do", rl_udp_setsockopt(n.st, id, 0, RL_IP_MULTICAST_TTL, &one, 1), 0);
	CHECK_EQ("cut", rl_udp_getsockopt(n.st, id, 1, RL_SO_TYPE, two, &len), 0);
	CHECK_EQ("length", len, 2);
	CHECK_EQ("gone", rl_udp_setsockopt(n.st, 3, 1, RL_SO_REUSEADDR, &v, 4), -EBADF);
	CHECK_EQ("gone", get(&n, 3, 1, RL_SO_REUSEADDR, &v), -EBADF);
	net_fini(&n);
}

TEST(defaults_by_tunables)
{
	struct net n;
	int32_t v;
	rill_id id;

	net_init(&n, 0);
	rill_sysctl_set(n.st, "net.core.rmem_default", "10000");
	rill_sysctl_set(n.st, "net.core.wmem_default", "20000");
	rill_sysctl_set(n.st, "net.core.rmem_max", "30000");
	rill_sysctl_set(n.st, "net.core.wmem_max", "40000");
	id = udp(&n);
	CHECK_EQ("get", get(&n, id, 1, RL_SO_RCVBUF, &v), 0);
	CHECK_EQ("rmem_default", v, 10000);
	get(&n, id, 1, RL_SO_SNDBUF, &v);
	CHECK_EQ("wmem_default", v, 20000);
	v = 1000000;
	rl_udp_setsockopt(n.st, id, 1, RL_SO_RCVBUF, &v, 4);
	rl_udp_setsockopt(n.st, id, 1, RL_SO_SNDBUF, &v, 4);
	get(&n, id, 1, RL_SO_RCVBUF, &v);
	CHECK_EQ("rmem_max", v, 60000);
	get(&n, id, 1, RL_SO_SNDBUF, &v);
	CHECK_EQ("wmem_max", v, 80000);
	net_fini(&n);
}

TEST(device_by_name)
{
	char name[16] = "";
	size_t len = sizeof(name);
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = udp(&n);
	CHECK_EQ("none", rl_udp_setsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, "test9", 5), -ENODEV);
	CHECK_EQ("prefix", rl_udp_setsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, "test", 4), -ENODEV);
	CHECK_EQ("set", rl_udp_setsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, "test0", 6), 0);
	CHECK_EQ("get", rl_udp_getsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, name, &len), 0);
	CHECK_STR("name", name, "test0");
	CHECK_EQ("any", rl_udp_setsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, "", 0), 0);
	CHECK_EQ("get", rl_udp_getsockopt(n.st, id, 1, RL_SO_BINDTODEVICE, name, &len), 0);
	CHECK_EQ("empty", len, 0);
	net_fini(&n);
}

TEST(path_mtu)
{
	struct rill_addr to = { peer4(1), 7, 0 }, to6 = { peer6(1), 7, 0 };
	struct net n;
	int32_t v = 0;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("not connected", get(&n, id, RL_SOL_IP, RL_IP_MTU, &v), -ENOTCONN);
	rill_udp_connect(n.st, id, &to, 0);
	CHECK_EQ("get", get(&n, id, RL_SOL_IP, RL_IP_MTU, &v), 0);
	CHECK_EQ("mtu", v, 1500);
	rl_pmtu_lower(n.st, &to.ip, 1400);
	get(&n, id, RL_SOL_IP, RL_IP_MTU, &v);
	CHECK_EQ("learned", v, 1400);
	CHECK_EQ("IPv6", get(&n, id, RL_SOL_IPV6, RL_IPV6_MTU, &v), -ENOTCONN);
	rill_udp_connect(n.st, id, &to6, 0);
	CHECK_EQ("IPv6", get(&n, id, RL_SOL_IPV6, RL_IPV6_MTU, &v), 0);
	net_fini(&n);
}

static int member(struct net *n, rill_id id, int name, struct rill_ip g, struct rill_ip own,
		  int32_t ifindex, size_t len)
{
	uint8_t b[20];

	if (!rl_ip_is4(&g)) {
		memcpy(b, g.b, 16);
		memcpy(b + 16, &ifindex, 4);
		return rl_udp_setsockopt(n->st, id, RL_SOL_IPV6, name, b, len);
	}
	memcpy(b, g.b + 12, 4);
	memcpy(b + 4, own.b + 12, 4);
	memcpy(b + 8, &ifindex, 4);
	return rl_udp_setsockopt(n->st, id, RL_SOL_IP, name, b, len);
}

TEST(memberships_ipv4)
{
	struct rill_ip g = ip4(239, 1, 1, 1), any = rl_ip4(0), own = peer4(2);
	int add = RL_IP_ADD_MEMBERSHIP, drop = RL_IP_DROP_MEMBERSHIP;
	struct rl_netif *nif;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	nif = &n.st->netif[0];
	id = udp(&n);
	CHECK_EQ("short", member(&n, id, add, g, any, 0, 7), -EINVAL);
	CHECK_EQ("no group", member(&n, id, add, peer4(1), any, 0, 8), -EINVAL);
	CHECK_EQ("no interface", member(&n, id, add, g, any, 9, 12), -ENODEV);
	CHECK_EQ("not joined", member(&n, id, drop, g, any, 0, 8), -EADDRNOTAVAIL);
	CHECK_EQ("join", member(&n, id, add, g, any, 0, 8), 0);
	CHECK("joined", rl_netif_has_group(nif, &g));
	CHECK_EQ("twice", member(&n, id, add, g, own, 0, 8), -EADDRINUSE);
	CHECK_EQ("leave", member(&n, id, drop, g, any, 0, 8), 0);
	CHECK("left", !rl_netif_has_group(nif, &g));
	CHECK_EQ("by number", member(&n, id, add, g, any, 1, 12), 0);
	CHECK_EQ("close", rill_udp_close(n.st, id), 0);
	CHECK("left with the endpoint", !rl_netif_has_group(nif, &g));
	net_fini(&n);
}

TEST(memberships_ipv6)
{
	struct rill_ip g = ip6(0xff05, 9), any = rl_ip4(0);
	struct net n;
	rill_id a, b;

	net_init(&n, NET_ETHER);
	a = udp(&n);
	b = udp(&n);
	CHECK_EQ("short", member(&n, a, RL_IPV6_JOIN_GROUP, g, any, 0, 19), -EINVAL);
	CHECK_EQ("no group", member(&n, a, RL_IPV6_JOIN_GROUP, peer6(1), any, 0, 20), -EINVAL);
	CHECK_EQ("no interface", member(&n, a, RL_IPV6_JOIN_GROUP, g, any, 5, 20), -ENODEV);
	CHECK_EQ("join", member(&n, a, RL_IPV6_JOIN_GROUP, g, any, 0, 20), 0);
	CHECK_EQ("another", member(&n, b, RL_IPV6_JOIN_GROUP, g, any, 1, 20), 0);
	CHECK_EQ("leave", member(&n, a, RL_IPV6_LEAVE_GROUP, g, any, 1, 20), 0);
	CHECK("one is left", rl_netif_has_group(&n.st->netif[0], &g));
	CHECK_EQ("leave", member(&n, b, RL_IPV6_LEAVE_GROUP, g, any, 0, 20), 0);
	CHECK("none", !rl_netif_has_group(&n.st->netif[0], &g));
	CHECK_EQ("again", member(&n, b, RL_IPV6_LEAVE_GROUP, g, any, 0, 20), -EADDRNOTAVAIL);
	net_fini(&n);
}

TEST(memberships_are_bounded)
{
	struct rill_ip any = rl_ip4(0);
	struct net n;
	rill_id id;
	int r = 0, k = 0;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	while (!r && k < 100)
		r = member(&n, id, RL_IP_ADD_MEMBERSHIP, ip4(239, 3, 3, ++k), any, 1, 12);
	CHECK_EQ("full", r, -ENOBUFS);
	CHECK_EQ("20, as on Linux", k, 21);
	net_fini(&n);
}

TEST(multicast_if_errors)
{
	struct rill_ip not_ours = peer4(9);
	uint8_t got[4];
	size_t len = 4;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("short", rl_udp_setsockopt(n.st, id, 0, RL_IP_MULTICAST_IF, got, 3), -EINVAL);
	CHECK_EQ("not ours", rl_udp_setsockopt(n.st, id, 0, RL_IP_MULTICAST_IF,
					       not_ours.b + 12, 4), -EADDRNOTAVAIL);
	CHECK_EQ("get", rl_udp_getsockopt(n.st, id, 0, RL_IP_MULTICAST_IF, got, &len), 0);
	CHECK_MEM("none", got, "\0\0\0\0", 4);
	net_fini(&n);
}

TEST(v6only_before_bind)
{
	struct rill_addr a = { .port = 9 };
	int32_t one = 1;
	struct net n;
	rill_id id;

	net_init(&n, 0);
	id = udp(&n);
	CHECK_EQ("bind", rill_udp_bind(n.st, id, &a, 0), 0);
	CHECK_EQ("late", rl_udp_setsockopt(n.st, id, RL_SOL_IPV6, RL_IPV6_V6ONLY, &one, 4), -EINVAL);
	net_fini(&n);
}

TEST(ioctls)
{
	struct rill_ip s = peer4(1), d = peer4(2);
	struct rill_addr a = { .port = 9 }, to = { s, 7, 0 };
	struct rill_iov v = { "abc", 3 };
	struct net n;
	rill_id id;
	int val = -1;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	rill_udp_bind(n.st, id, &a, 0);
	CHECK_EQ("empty", rl_udp_ioctl(n.st, id, RL_SIOCINQ, &val), 0);
	CHECK_EQ("0", val, 0);
	net_in_udp(&n, &s, &d, 7, 9, "hello", 5);
	net_in_udp(&n, &s, &d, 7, 9, "me", 2);
	CHECK_EQ("SIOCINQ", rl_udp_ioctl(n.st, id, RL_SIOCINQ, &val), 0);
	CHECK_EQ("of the next one", val, 5);
	rill_udp_send(n.st, id, &v, 1, &to, 0);
	CHECK_EQ("SIOCOUTQ", rl_udp_ioctl(n.st, id, RL_SIOCOUTQ, &val), 0);
	CHECK("waits", val > 3);
	net_drain(&n);
	rl_udp_ioctl(n.st, id, RL_SIOCOUTQ, &val);
	CHECK_EQ("gone", val, 0);
	CHECK_EQ("another", rl_udp_ioctl(n.st, id, 0x1234, &val), -EINVAL);
	CHECK_EQ("gone", rl_udp_ioctl(n.st, 5, RL_SIOCINQ, &val), -EBADF);
	net_fini(&n);
}
