/* SPDX-License-Identifier: MIT */
/*
 * src/drill/setup.c: each option with its values, what is no value of it, and what is
 * filled in at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drill/run.h"
#include "rl_test.h"

static struct drill_config c;
static char why[300];

static int set(const char *name, const char *value)
{
	why[0] = 0;
	return rl_drill_config_set(&c, name, value, why, sizeof(why));
}

static const char *text_of(const struct rill_ip *ip)
{
	static char buf[INET6_ADDRSTRLEN];

	return inet_ntop(AF_INET6, ip->b, buf, sizeof(buf));
}

TEST(defaults)
{
	rl_drill_config_init(&c);
	CHECK_EQ("ipver", c.ipver, DRILL_IPV4);
	CHECK_EQ("bind_port", c.bind_port, 8080);
	CHECK_EQ("connect_port", c.connect_port, 8080);
	CHECK_EQ("mtu", c.mtu, 1500);
	CHECK_EQ("mss", c.mss, 0);
	CHECK_EQ("tolerance", c.tolerance_us, 4000);
	CHECK("percent", c.tolerance_percent == 12.5);
	CHECK_EQ("ticks", c.ts_tick_us, 0);
	CHECK("flags", !c.ts_ecr_scaled && !c.strict_segments && !c.anyip && !c.dry_run &&
	      !c.verbose && !c.non_fatal_packet && !c.non_fatal_syscall && !c.allow_shell);
}

TEST(numbers)
{
	rl_drill_config_init(&c);
	CHECK_EQ("bind_port", set("bind_port", "1"), 0);
	CHECK_EQ("connect_port", set("connect_port", "65535"), 0);
	CHECK_EQ("mtu", set("mtu", "9000"), 0);
	CHECK_EQ("mss", set("mss", "1460"), 0);
	CHECK_EQ("tolerance_usecs", set("tolerance_usecs", "10000"), 0);
	CHECK_EQ("tolerance_percent", set("tolerance_percent", "0.5"), 0);
	CHECK_EQ("tcp_ts_tick_usecs", set("tcp_ts_tick_usecs", "1000"), 0);
	CHECK_EQ("speed", set("speed", "10000"), 0);
	CHECK_EQ("bind_port", c.bind_port, 1);
	CHECK_EQ("connect_port", c.connect_port, 65535);
	CHECK_EQ("mtu", c.mtu, 9000);
	CHECK_EQ("mss", c.mss, 1460);
	CHECK_EQ("tolerance_usecs", c.tolerance_us, 10000);
	CHECK("tolerance_percent", c.tolerance_percent == 0.5);
	CHECK_EQ("tcp_ts_tick_usecs", c.ts_tick_us, 1000);
}

static const struct { const char *name; size_t at; } flags[] = {
#define FLAG(name, field) { name, offsetof(struct drill_config, field) }
	FLAG("tcp_ts_ecr_scaled", ts_ecr_scaled), FLAG("strict_segments", strict_segments),
	FLAG("is_anyip", anyip), FLAG("dry_run", dry_run), FLAG("verbose", verbose),
	FLAG("debug", verbose),
};

TEST(flags_with_and_without_value)
{
	static const struct { const char *value; bool on; } rows[] = {
		{ NULL, true }, { "1", true }, { "true", true }, { "0", false }, { "false", false },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			bool *field;

			rl_drill_config_init(&c);
			field = (bool *)(void *)((char *)&c + flags[i].at);
			*field = !rows[k].on;
			CHECK_EQ(flags[i].name, set(flags[i].name, rows[k].value), 0);
			CHECK_EQ(flags[i].name, *field, rows[k].on);
		}
}

TEST(versions)
{
	static const struct { const char *value; enum drill_ipver v; } rows[] = {
		{ "ipv6", DRILL_IPV6 }, { "ipv4", DRILL_IPV4 },
		{ "ipv4-mapped-ipv6", DRILL_MAPPED }, { "ipv4_mapped_ipv6", DRILL_MAPPED },
	};

	rl_drill_config_init(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(rows[i].value, set("ip_version", rows[i].value), 0);
		CHECK_EQ(rows[i].value, c.ipver, rows[i].v);
	}
}

TEST(non_fatal)
{
	rl_drill_config_init(&c);
	CHECK_EQ("packet", set("non_fatal", "packet"), 0);
	CHECK("packet only", c.non_fatal_packet && !c.non_fatal_syscall);
	CHECK_EQ("both", set("non_fatal", "packet,syscall"), 0);
	CHECK("both", c.non_fatal_packet && c.non_fatal_syscall);
	CHECK_EQ("empty part", set("non_fatal", "packet,"), -EINVAL);
}

TEST(addresses)
{
	rl_drill_config_init(&c);
	CHECK_EQ("local", set("local_ip", "10.1.2.3/8"), 0);
	CHECK_STR("local", text_of(&c.local_ip), "::ffff:10.1.2.3");
	CHECK_EQ("prefix", c.local_prefix, 8);
	CHECK_EQ("mask", set("netmask_ip", "255.255.254.0"), 0);
	CHECK_EQ("mask", c.local_prefix, 23);
	CHECK_EQ("length", set("netmask_ip", "64"), 0);
	CHECK_EQ("length", c.local_prefix, 64);
	CHECK_EQ("remote", set("remote_ip", "2001:db8::7/32"), 0);
	CHECK_STR("remote", text_of(&c.remote_ip), "2001:db8::7");
	CHECK_EQ("that of local_ip stays", c.local_prefix, 64);
	CHECK_EQ("gateway", set("gateway_ip", "10.0.0.1"), 0);
}

static const struct { const char *name, *value; } no_effect[] = {
	{ "code_command", "/usr/bin/python3" }, { "code_command", "python" },
	{ "code_format", "python" }, { "code_sockopt", "auto" }, { "code_sockopt", "TCP_INFO" },
	{ "send_omit_free", NULL }, { "define", "A=b" }, { "persistent_tun_dev", NULL },
	{ "tun_device", "tun7" }, { "no_cleanup", NULL },
};

TEST(accepted_without_effect)
{
	struct drill_config before;

	for (size_t i = 0; i < sizeof(no_effect) / sizeof(no_effect[0]); i++) {
		rl_drill_config_init(&c);
		before = c;
		CHECK_EQ(no_effect[i].name, set(no_effect[i].name, no_effect[i].value), 0);
		CHECK_MEM(no_effect[i].name, &c, &before, sizeof(c));
	}
}

static const struct { const char *name, *value, *why; } invalid[] = {
	{ "nonsense", "1", "there is no option --nonsense" },
	{ "mtu", NULL, "--mtu needs a value: --mtu=BYTES" },
	{ "mtu", "67", "--mtu=67: give a whole number from 68 to 65535" },
	{ "mtu", "65536", "--mtu=65536: give a whole number from 68 to 65535" },
	{ "mtu", "1500x", "--mtu=1500x: give a whole number from 68 to 65535" },
	{ "mtu", "", "--mtu=: give a whole number from 68 to 65535" },
	{ "mtu", "99999999999999999999",
	  "--mtu=99999999999999999999: give a whole number from 68 to 65535" },
	{ "mss", "65496", "--mss=65496: give a whole number from 0 to 65495" },
	{ "bind_port", "0", "--bind_port=0: give a whole number from 1 to 65535" },
	{ "connect_port", "65536", "--connect_port=65536: give a whole number from 1 to 65535" },
	{ "speed", "fast", "--speed=fast: give a whole number from 0 to 2147483647" },
	{ "tolerance_usecs", "-1",
	  "--tolerance_usecs=-1: give a whole number from 0 to 1000000000" },
	{ "tolerance_percent", "101", "--tolerance_percent=101: give a number from 0 to 100" },
	{ "tolerance_percent", "-0.1", "--tolerance_percent=-0.1: give a number from 0 to 100" },
	{ "tolerance_percent", "nan", "--tolerance_percent=nan: give a number from 0 to 100" },
	{ "tolerance_percent", "5%", "--tolerance_percent=5%: give a number from 0 to 100" },
	{ "tcp_ts_tick_usecs", "-1",
	  "--tcp_ts_tick_usecs=-1: give a whole number from 0 to 1000000" },
	{ "strict_segments", "yes", "--strict_segments=yes: give no value, or 1 or 0" },
	{ "ip_version", "ipv5", "--ip_version=ipv5: give ipv4, ipv6 or ipv4-mapped-ipv6" },
	{ "non_fatal", "code", "--non_fatal=code: give packet, syscall or packet,syscall" },
	{ "local_ip", "10.0.0", "--local_ip=10.0.0: no address that a host can have" },
	{ "local_ip", "0.0.0.0", "--local_ip=0.0.0.0: no address that a host can have" },
	{ "local_ip", "::", "--local_ip=::: no address that a host can have" },
	{ "local_ip", "ff02::1", "--local_ip=ff02::1: no address that a host can have" },
	{ "local_ip", "224.0.0.1", "--local_ip=224.0.0.1: no address that a host can have" },
	{ "local_ip", "10.0.0.1/33", "--local_ip=10.0.0.1/33: no such prefix length" },
	{ "local_ip", "10.0.0.1/", "--local_ip=10.0.0.1/: no such prefix length" },
	{ "local_ip", "10.0.0.1/8x", "--local_ip=10.0.0.1/8x: no such prefix length" },
	{ "netmask_ip", "8x", "--netmask_ip=8x: give a mask or the length of a prefix" },
	{ "netmask_ip", "0", "--netmask_ip=0: give a mask or the length of a prefix" },
	{ "remote_ip", "2001:db8::1/129", "--remote_ip=2001:db8::1/129: no such prefix length" },
	{ "remote_ip", "12345678901234567890123456789012345678901234567890",
	  "--remote_ip=12345678901234567890123456789012345678901234567890: no address" },
	{ "gateway_ip", "x", "--gateway_ip=x: no address that a host can have" },
	{ "netmask_ip", "255.0.255.0", "--netmask_ip=255.0.255.0: a mask is ones and then zeros" },
	{ "netmask_ip", "0.0.0.0", "--netmask_ip=0.0.0.0: a mask is ones and then zeros" },
	{ "netmask_ip", "129", "--netmask_ip=129: give a mask or the length of a prefix" },
};

TEST(no_values)
{
	struct drill_config before;

	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		const char *label = rl_label("--%s=%s", invalid[i].name,
					     invalid[i].value ? invalid[i].value : "(none)");

		rl_drill_config_init(&c);
		before = c;
		CHECK_EQ(label, set(invalid[i].name, invalid[i].value), -EINVAL);
		CHECK_STR(label, why, invalid[i].why);
		CHECK_MEM(label, &c, &before, sizeof(c));
	}
}

static const struct { const char *name, *value, *why; } unsupported[] = {
	{ "so_filename", "x.so",
	  "--so_filename=x.so is not supported: the stack is Rill, built in" },
	{ "so_flags", "x", "--so_flags=x is not supported: the stack is Rill, built in" },
	{ "psp_udp_port", "1000", "--psp_udp_port=1000 is not supported: Rill has no PSP" },
	{ "wire_server_ip", "10.0.0.1", "--wire_server_ip=10.0.0.1 is not supported: two-machine "
	  "mode: Rill is the only stack here" },
	{ "wire_client", NULL, "--wire_client=1 is not supported: two-machine mode: Rill is the "
	  "only stack here" },
	{ "code_command", "perl", "--code_command=perl is not supported: code is evaluated by Rill "
	  "itself, as Python" },
	{ "code_format", "perl", "--code_format=perl is not supported: code is Python" },
	{ "code_sockopt", "TCP", "--code_sockopt=TCP is not supported: Rill's is TCP_INFO" },
	{ "tcp_md5_secret", "x", "--tcp_md5_secret=x is not supported: Rill has no TCP MD5 "
	  "signatures" },
	{ "udp_encapsulation", "sctp", "--udp_encapsulation=sctp is not supported: Rill has no "
	  "TCP over UDP" },
};

TEST(not_supported)
{
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
		rl_drill_config_init(&c);
		CHECK_EQ(unsupported[i].name, set(unsupported[i].name, unsupported[i].value),
			 -EOPNOTSUPP);
		CHECK_STR(unsupported[i].name, why, unsupported[i].why);
	}
}

/* ---- the end ---- */

static int finish(void)
{
	why[0] = 0;
	return rl_drill_config_finish(&c, why, sizeof(why));
}

TEST(filled_in)
{
	rl_drill_config_init(&c);
	CHECK_EQ("IPv4", finish(), 0);
	CHECK_STR("local", text_of(&c.local_ip), "::ffff:192.168.0.1");
	CHECK_STR("remote", text_of(&c.remote_ip), "::ffff:192.0.2.1");
	CHECK_EQ("prefix", c.local_prefix, 16);
	rl_drill_config_init(&c);
	set("ip_version", "ipv6");
	CHECK_EQ("IPv6", finish(), 0);
	CHECK_STR("local", text_of(&c.local_ip), "fd3d:fa7b:d17d::1");
	CHECK_STR("remote", text_of(&c.remote_ip), "2001:db8::1");
	CHECK_EQ("prefix", c.local_prefix, 48);
	rl_drill_config_init(&c);
	set("ip_version", "ipv4-mapped-ipv6");
	set("netmask_ip", "32");
	CHECK_EQ("all bits", finish(), 0);
	rl_drill_config_init(&c);
	set("ip_version", "ipv6");
	CHECK_EQ("all bits", set("netmask_ip", "128"), 0);
	CHECK_EQ("all bits", finish(), 0);
	CHECK_EQ("all bits", c.local_prefix, 128);
	rl_drill_config_init(&c);
	set("local_ip", "10.0.0.9/24");
	CHECK_EQ("given", finish(), 0);
	CHECK_STR("local", text_of(&c.local_ip), "::ffff:10.0.0.9");
	CHECK_EQ("prefix", c.local_prefix, 24);
}

/* Another address with another seed, the same with the same. */
TEST(from_the_seed)
{
	struct rill_ip first;

	for (int six = 0; six < 2; six++) {
		for (uint64_t seed = 1; seed < 200; seed++) {
			rl_drill_config_init(&c);
			set("ip_version", six ? "ipv6" : "ipv4");
			c.seed = seed;
			CHECK_EQ("finish", finish(), 0);
			CHECK("a host's", c.local_ip.b[15] != 0 && c.local_ip.b[15] != 255);
			CHECK_EQ("in its network", c.local_ip.b[six ? 5 : 13], six ? 0x7d : 168);
			if (seed == 1)
				first = c.local_ip;
		}
		CHECK("varies", memcmp(&first, &c.local_ip, sizeof(first)));
		c.seed = 1;
		memset(&c.local_ip, 0, sizeof(c.local_ip));
		CHECK_EQ("finish", finish(), 0);
		CHECK_MEM("repeats", &first, &c.local_ip, sizeof(first));
	}
}

static const struct { const char *name[2], *value[2], *why; } together[] = {
	{ { "local_ip", NULL }, { "fd00::1", NULL },
	  "--local_ip is an IPv6 address, but --ip_version is ipv4" },
	{ { "ip_version", "remote_ip" }, { "ipv6", "10.0.0.1" },
	  "--remote_ip is an IPv4 address, but --ip_version is ipv6" },
	{ { "local_ip", "remote_ip" }, { "10.0.0.1", "10.0.0.1" },
	  "--local_ip and --remote_ip are the same" },
	{ { "ip_version", "mtu" }, { "ipv6", "1279" }, "--mtu=1279: IPv6 needs 1280 or more" },
	{ { "netmask_ip", NULL }, { "33", NULL }, "--netmask_ip=33: IPv4 has 32 bits" },
};

TEST(against_each_other)
{
	for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++) {
		rl_drill_config_init(&c);
		for (int k = 0; k < 2 && together[i].name[k]; k++)
			set(together[i].name[k], together[i].value[k]);
		CHECK_EQ(together[i].why, finish(), -EINVAL);
		CHECK_STR(together[i].why, why, together[i].why);
	}
}

TEST(init_scripts)
{
	static const struct {
		bool shell, dry;
		const char *value;
		int want;
		const char *why;
	} rows[] = {
		{ false, false, "true", -EOPNOTSUPP,
		  "--init_scripts=true runs host commands: --allow-shell allows it" },
		{ true, false, "true,test 1 = 1", 0, "" },
		{ true, false, "true,false", -EINVAL,
		  "--init_scripts: `false` ended with status 1" },
		{ true, true, "false", 0, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rl_drill_config_init(&c);
		c.allow_shell = rows[i].shell;
		c.dry_run = rows[i].dry;
		CHECK_EQ(rows[i].value, set("init_scripts", rows[i].value), 0);
		CHECK_EQ(rows[i].value, finish(), rows[i].want);
		CHECK_STR(rows[i].value, why, rows[i].why);
	}
}
