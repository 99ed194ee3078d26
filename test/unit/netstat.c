/* SPDX-License-Identifier: MIT */
/* Tests of look/netstat*.c: the texts of /proc/net, names, differences.  [B3] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl_test.h"
#include "look/netstat.h"

typedef int parser(struct netstat *s, char *text);

static int parse(parser *p, struct netstat *s, const char *text)
{
	char *copy = strdup(text);
	int r = p(s, copy);

	free(copy);
	return r;
}

static const char snmp[] =
	"Ip: Forwarding InReceives\nIp: 2 3034\n"
	"Tcp: RtoMin MaxConn ActiveOpens CurrEstab\nTcp: 200 -1 14 3\n";
static const char ext[] =
	"TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 18446744073709551615\n"
	"IpExt: InOctets\nIpExt: 96204141\n";
static const char snmp6[] =
	"Ip6InReceives                   \t1\nIcmp6InMsgs\t7\nUdp6NoPorts 2\n"
	"UdpLite6InDatagrams 9\n";
static const char sockstat[] =
	"sockets: used 16\nTCP: inuse 1 orphan 0 tw 5 alloc 1 mem 20\nFRAG: inuse 0 memory 0\n";
static const char softnet[] =
	"0005b33c 00000002 00000001 00000000 00000000 00000000 00000000 00000000 00000000 "
	"00000000 00000003 00000004 00000000 00000000 00000000\n"
	"00018cd3 00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	"00000000 00000000 00000001 00000001 00000000 00000000\n";
static const char dev[] =
	"Inter-|   Receive                        |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes ...\n"
	"    lo:    3267      29    0    1    0     0          0         0     3267      29"
	"    0    2    0     0       0          0\n"
	"eth0.7:96243170    3008    0    5    0     0          0         0   142562    2010"
	"    0    0    0     0       0          0\n"
	" a:b:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

static const struct {
	parser *p;
	const char *text, *name;
	int64_t value;
	bool gauge;
} rows[] = {
	{ netstat_parse_pairs, snmp, "Ip.InReceives", 3034, false },
	{ netstat_parse_pairs, snmp, "Tcp.ActiveOpens", 14, false },
	{ netstat_parse_pairs, snmp, "Tcp.MaxConn", -1, true },
	{ netstat_parse_pairs, snmp, "Tcp.CurrEstab", 3, true },
	{ netstat_parse_pairs, ext, "TcpExt.ListenOverflows", -1, false },
	{ netstat_parse_pairs, ext, "IpExt.InOctets", 96204141, false },
	{ netstat_parse_snmp6, snmp6, "Ip6.InReceives", 1, false },
	{ netstat_parse_snmp6, snmp6, "Icmp6.InMsgs", 7, false },
	{ netstat_parse_snmp6, snmp6, "UdpLite6.InDatagrams", 9, false },
	{ netstat_parse_sockstat, sockstat, "sockstat.sockets.used", 16, true },
	{ netstat_parse_sockstat, sockstat, "sockstat.TCP.tw", 5, true },
	{ netstat_parse_sockstat, sockstat, "sockstat.FRAG.memory", 0, true },
	{ netstat_parse_softnet, softnet, "softnet.processed", 0x5b33c + 0x18cd3, false },
	{ netstat_parse_softnet, softnet, "softnet.dropped", 0x12, false },
	{ netstat_parse_softnet, softnet, "softnet.backlog_len", 5, true },
	{ netstat_parse_dev, dev, "dev.lo.rx_drop", 1, false },
	{ netstat_parse_dev, dev, "dev.lo.tx_drop", 2, false },
	{ netstat_parse_dev, dev, "dev.eth0.7.rx_bytes", 96243170, false },
	{ netstat_parse_dev, dev, "dev.a:b.tx_compressed", 16, false },
};

TEST(netstat_texts)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct netstat s = { 0 };
		bool gauge = !rows[i].gauge;
		int64_t v = 0;

		CHECK_EQ(rows[i].name, parse(rows[i].p, &s, rows[i].text), 0);
		CHECK(rows[i].name, netstat_get(&s, rows[i].name, &v));
		CHECK_EQ(rows[i].name, v, rows[i].value);
		CHECK_EQ(rows[i].name, s.skipped, 0);
		for (unsigned k = 0; k < s.n; k++)
			if (!strcmp(s.e[k].name, rows[i].name))
				gauge = s.e[k].gauge;
		CHECK_EQ(rows[i].name, gauge, rows[i].gauge);
		netstat_free(&s);
	}
}

static const struct {
	parser *p;
	const char *text;
	unsigned entries, skipped;
} odd_rows[] = {
	{ netstat_parse_pairs, "", 0, 0 },
	{ netstat_parse_pairs, "Tcp: A B\n", 0, 1 },
	{ netstat_parse_pairs, "Tcp: A B\nUdp: 1 2\n", 0, 1 },
	{ netstat_parse_pairs, "Tcp: A B C\nTcp: 1 2\n", 2, 0 },
	{ netstat_parse_pairs, "Tcp: A B\nTcp: 1 2 3", 2, 0 },
	{ netstat_parse_pairs, "Tcp: A B\nTcp: x 2\n", 1, 1 },
	{ netstat_parse_pairs, "Tcp: A\nTcp: 99999999999999999999\n", 0, 1 },
	{ netstat_parse_pairs, "\n\n\n", 0, 2 },
	{ netstat_parse_pairs,
	  "T: 0123456789012345678901234567890123456789012345678901234567890123456789 B\n"
	  "T: 1 2\n", 1, 1 },
	{ netstat_parse_snmp6, "Ip6\nIp6A\nA 1\nIp6 1\nIp6A x\n", 0, 5 },
	{ netstat_parse_sockstat, "TCP: inuse\n\nTCP: inuse 1 x y z 2\n", 2, 3 },
	{ netstat_parse_softnet, "0 1\n", 2, 1 },
	{ netstat_parse_softnet, "x\n", 0, 1 },
	{ netstat_parse_softnet, "1 2 3\n", 3, 0 },
	{ netstat_parse_dev, "eth0\neth0: 1 2\n", 2, 2 },
};

TEST(netstat_odd_texts)
{
	for (size_t i = 0; i < sizeof(odd_rows) / sizeof(odd_rows[0]); i++) {
		struct netstat s = { 0 };
		const char *label = rl_label("row %zu", i);

		CHECK_EQ(label, parse(odd_rows[i].p, &s, odd_rows[i].text), 0);
		CHECK_EQ(label, s.n, odd_rows[i].entries);
		CHECK_EQ(label, s.skipped, odd_rows[i].skipped);
		netstat_free(&s);
	}
}

TEST(netstat_many_entries_have_an_end)
{
	struct netstat s = { 0 };
	int r = 0;

	for (unsigned i = 0; !r && i < 200000; i++)
		r = netstat_add(&s, i, "n.%u", i);
	CHECK_EQ("refused", r, -ENOMEM);
	CHECK_EQ("so many", s.n, 65536);
	CHECK_EQ("kept", netstat_value(&s, "n.65535"), 65535);
	netstat_free(&s);
}

TEST(netstat_differences)
{
	struct netstat a = { .at_ns = 1000000000 }, b = { .at_ns = 3000000000 };
	struct netstat_delta d;
	int64_t v = 7;

	netstat_add(&a, 10, "Tcp.InSegs");
	netstat_add(&b, 30, "Tcp.InSegs");
	netstat_add(&a, 10, "Tcp.OutSegs");	/* began anew */
	netstat_add(&b, 4, "Tcp.OutSegs");
	netstat_add(&a, 10, "Tcp.CurrEstab");
	netstat_add(&b, 4, "Tcp.CurrEstab");
	netstat_add(&a, 5, "dev.a.rx_drop");
	netstat_add(&b, 6, "dev.a.rx_drop");
	netstat_add(&b, 1000, "dev.new.rx_drop");
	netstat_add(&b, 3, "dev.a.tx_drop");
	netstat_add(&a, -2, "IpExt.InOctets");	/* 2^64 - 2 */
	netstat_add(&b, 3, "IpExt.InOctets");
	d = netstat_between(&a, &b);
	CHECK_EQ("ms", d.seconds * 1000, 2000);
	CHECK_EQ("counter", netstat_growth(&d, "Tcp.InSegs"), 20);
	CHECK_EQ("rate", netstat_rate(&d, "Tcp.InSegs"), 10);
	CHECK_EQ("began anew", netstat_growth(&d, "Tcp.OutSegs"), 4);
	CHECK_EQ("gauge", netstat_growth(&d, "Tcp.CurrEstab"), -6);
	CHECK_EQ("over 2^64", netstat_growth(&d, "IpExt.InOctets"), 5);
	CHECK_EQ("missing", netstat_growth(&d, "Tcp.Nothing"), 0);
	CHECK_EQ("a new device brings no past", netstat_growth_sum(&d, "dev.", ".rx_drop"), 1);
	CHECK_EQ("sum", netstat_sum(&b, "dev.", ".rx_drop"), 1006);
	CHECK("not there", !netstat_get(&b, "Tcp.Nothing", &v));
	CHECK_EQ("and 0", v, 0);
	d = netstat_between(&b, &b);
	CHECK("never by zero", d.seconds > 0);
	netstat_free(&a);
	netstat_free(&b);
}

static const struct {
	const char *rill, *name;
} map_rows[] = {
	{ "tcp.active_opens", "Tcp.ActiveOpens" },
	{ "tcp.listen_overflows", "TcpExt.ListenOverflows" },
	{ "icmp.in_too_bigs", "Icmp6.InPktTooBigs" },
	{ "tcp.in_bytes", "rill.tcp.in_bytes" },
	{ "drop.PAWS", "rill.drop.PAWS" },
	{ "pool.time_wait", "sockstat.TCP.tw" },
	{ "dev.rx_drops", "dev.rill.rx_drop" },
	{ "", "rill." },
};

TEST(netstat_names_of_rill)
{
	char buf[NETSTAT_NAME];

	for (size_t i = 0; i < sizeof(map_rows) / sizeof(map_rows[0]); i++)
		CHECK_STR(map_rows[i].rill,
			  netstat_of_rill(map_rows[i].rill, buf, sizeof(buf)),
			  map_rows[i].name);
}

/* The kernel's own files: all are understood, and the names are those expected. */
TEST(netstat_of_this_kernel)
{
	static const char *const names[] = {
		"Ip.InReceives", "Icmp.InMsgs", "Tcp.ActiveOpens", "Tcp.RetransSegs",
		"Udp.NoPorts", "TcpExt.ListenOverflows", "TcpExt.TW", "IpExt.InOctets",
		"sockstat.TCP.tw", "softnet.dropped", "dev.lo.rx_bytes",
	};
	struct netstat s = { 0 };
	int64_t v;

	if (netstat_read_kernel(&s, NULL) < 0)
		SKIP("no /proc/net/snmp");
	CHECK_EQ("understood", s.skipped, 0);
	CHECK("many", s.n > 200);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(names[i], netstat_get(&s, names[i], &v));
	CHECK_EQ("again, over the old one", netstat_read_kernel(&s, "/proc/self/net"), 0);
	CHECK_EQ("no such process", netstat_read_kernel(&s, "/nowhere/net"), -ENOENT);
	CHECK_EQ("all are missing", s.unread, 7);
	CHECK_EQ("nothing stays", s.n, 0);
	netstat_free(&s);
}
