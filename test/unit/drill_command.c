/* SPDX-License-Identifier: MIT */
/*
 * src/drill/command.c, words.c, tunable*.c: each command on a stack of its own, with
 * the tunable that it leaves, or the message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drill/command.h"
#include "rl_test.h"

#define V4	"net.ipv4."
#define PROC	"/proc/sys/net/ipv4/"

static struct drill_result res;
static struct drill_run r;
static int64_t start_ns;

static bool begin(bool allow_shell)
{
	static const struct drill_world_params par = {
		.local = { { .b = { [10] = 0xff, 0xff, 192, 168, 0, 1 } } },
		.prefix = { 16 }, .mtu = 1500,
	};
	char why[200];

	memset(&r, 0, sizeof(r));
	memset(&res, 0, sizeof(res));
	r.res = &res;
	r.cfg.allow_shell = allow_shell;
	if (rl_drill_world_open(&par, &r.w, why, sizeof(why)) < 0)
		return false;
	start_ns = rl_drill_world_now(r.w);
	return true;
}

static void end(void)
{
	rl_drill_world_close(r.w);
}

static const char *value_of(const char *name)
{
	static char buf[300];

	buf[0] = 0;
	rill_sysctl_get(rl_drill_world_stack(r.w), name, buf, sizeof(buf));
	return buf;
}

/* ---- what is set ---- */

struct row {
	const char *text, *name, *value;
};

static const struct row set_rows[] = {
	{ "sysctl -q net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sysctl -q -w net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sysctl -qw net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sysctl net.ipv4.tcp_sack = 0", V4 "tcp_sack", "0" },
	{ "sysctl net/ipv4/tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sudo /sbin/sysctl --quiet net.ipv4.tcp_sack=0 > /dev/null 2>&1", V4 "tcp_sack", "0" },
	{ "sysctl -q net.ipv4.tcp_dsack=0 net.ipv4.tcp_sack=0", V4 "tcp_dsack", "0" },
	{ "sysctl -q net.ipv4.tcp_dsack=0 net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sysctl -q net.ipv4.tcp_rmem=\"4096 8192\t16384\"", V4 "tcp_rmem", "4096 8192 16384" },
	{ "sysctl net.ipv4.tcp_rmem='4096 8192 16384'", V4 "tcp_rmem", "4096 8192 16384" },
	{ "sysctl net.ipv4.tcp_rmem=4096\\ 8192\\ 16384", V4 "tcp_rmem", "4096 8192 16384" },
	{ "sysctl net.ipv4.tcp_wmem=\"4096 $((16*1024)) $(( 1 << 20 ))\"", V4 "tcp_wmem",
	  "4096 16384 1048576" },
	{ "sysctl net.ipv4.tcp_reordering=0x7", V4 "tcp_reordering", "7" },
	{ "sysctl net.ipv4.tcp_congestion_control=reno", V4 "tcp_congestion_control", "reno" },
	{ "\n  # first\n  sysctl net.ipv4.tcp_sack=0 # off\n\n", V4 "tcp_sack", "0" },
	{ "sysctl net.ipv4.tcp_sack=0; sysctl net.ipv4.tcp_sack=1", V4 "tcp_sack", "1" },
	{ "sysctl net.ipv4.tcp_sack=0\nsysctl net.ipv4.tcp_dsack=0", V4 "tcp_dsack", "0" },
	{ "true && sysctl net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "true || sysctl net.ipv4.tcp_sack=0", V4 "tcp_sack", "1" },
	{ "true || true && sysctl net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "sysctl \\\n net.ipv4.tcp_sack=0", V4 "tcp_sack", "0" },
	{ "echo 0 > " PROC "tcp_sack", V4 "tcp_sack", "0" },
	{ "echo\t0\t1>\t" PROC "tcp_sack\r\n", V4 "tcp_sack", "0" },
	{ "echo 0 >> " PROC "tcp_sack", V4 "tcp_sack", "0" },
	{ "echo 0 &> " PROC "tcp_sack", V4 "tcp_sack", "0" },
	{ "echo 0 2> " PROC "tcp_sack", V4 "tcp_sack", "1" },
	{ "echo -n 0 >" PROC "tcp_sack", V4 "tcp_sack", "0" },
	{ "echo 4096 8192 16384 > " PROC "tcp_rmem", V4 "tcp_rmem", "4096 8192 16384" },
	{ "echo hello > /dev/null; echo hello", V4 "tcp_sack", "1" },
	{ "../common/set_sysctls.py " PROC "tcp_sack=0 \\\n  " PROC "tcp_dsack=0", V4 "tcp_dsack",
	  "0" },
	{ "./set_sysctls.py " PROC "tcp_rmem=\"4096 8192 16384\"", V4 "tcp_rmem",
	  "4096 8192 16384" },
	/* the suite's defaults */
	{ "../common/defaults.sh", V4 "tcp_rmem", "4096 540000 15728640" },
	{ "./defaults.sh", V4 "tcp_wmem", "4096 262144 4194304" },
	{ "./defaults.sh", V4 "tcp_syn_retries", "5" },
	{ "./defaults.sh", V4 "tcp_slow_start_after_idle", "0" },
	{ "./defaults.sh\n./set_sysctls.py " PROC "tcp_syn_retries=2", V4 "tcp_syn_retries", "2" },
	/* without effect */
	{ "/tmp/sysctl_restore_${PPID}.sh", V4 "tcp_sack", "1" },
	{ "ip tcp_metrics flush all > /dev/null 2>&1", V4 "tcp_sack", "1" },
	{ "sysctl -n net.ipv4.tcp_sack", V4 "tcp_sack", "1" },
	{ "sysctl net.ipv4.tcp_ecn net.inet.tcp.msl", V4 "tcp_sack", "1" },
	{ "kldload -n cc_newreno", V4 "tcp_sack", "1" },
	{ "ethtool -K tun0 tso off gso off gro on", V4 "tcp_sack", "1" },
	{ "", V4 "tcp_sack", "1" },
	/* what Rill does anyway; a script that never asks for ECN sees none */
	{ "sysctl -q net.ipv4.tcp_ecn=2 net.inet.tcp.ecn.enable=2", V4 "tcp_sack", "1" },
	{ "sysctl -q net.ipv4.tcp_ecn=0 net.ipv4.tcp_fastopen=0 net.ipv4.tcp_syncookies=0 "
	  "net.ipv4.tcp_recovery=0 net.ipv4.tcp_early_retrans=0x0 net.ipv4.tcp_frto=0",
	  V4 "tcp_sack", "1" },
	{ "sysctl -q net.ipv4.tcp_min_tso_segs=10 net.ipv4.conf.all.rp_filter=0 "
	  "net.ipv4.conf.tun0.forwarding=0 net.ipv4.tcp_notsent_lowat=-1", V4 "tcp_sack", "1" },
	/* FreeBSD's */
	{ "sysctl net.inet.tcp.keepidle=30000", V4 "tcp_keepalive_time", "30" },
	{ "sysctl net.inet.tcp.keepintvl=5000", V4 "tcp_keepalive_intvl", "5" },
	{ "sysctl net.inet.tcp.keepcnt=3", V4 "tcp_keepalive_probes", "3" },
	{ "sysctl net.inet.tcp.msl=1000", "net.rill.tcp_time_wait_ms", "2000" },
	{ "sysctl net.inet.tcp.finwait2_timeout=20000", V4 "tcp_fin_timeout", "20" },
	{ "sysctl net.inet.tcp.rexmit_min=30", V4 "tcp_rto_min_us", "30000" },
	{ "sysctl net.inet.tcp.rfc1323=0", V4 "tcp_timestamps", "0" },
	{ "sysctl net.inet.tcp.rfc1323=0", V4 "tcp_window_scaling", "0" },
	{ "sysctl net.inet.tcp.rfc1323=2", V4 "tcp_timestamps", "0" },
	{ "sysctl net.inet.tcp.rfc1323=2", V4 "tcp_window_scaling", "1" },
	{ "sysctl net.inet.tcp.rfc1323=3", V4 "tcp_window_scaling", "0" },
	{ "sysctl net.inet.tcp.rfc1323=3", V4 "tcp_timestamps", "1" },
	{ "sysctl net.inet.tcp.ts_offset_per_conn=0", V4 "tcp_timestamps", "2" },
	{ "sysctl net.inet.tcp.rfc1323=0; sysctl net.inet.tcp.ts_offset_per_conn=1",
	  V4 "tcp_timestamps", "0" },
	{ "sysctl net.inet.tcp.sack.enable=0", V4 "tcp_sack", "0" },
	{ "sysctl net.inet.tcp.path_mtu_discovery=0", V4 "ip_no_pmtu_disc", "1" },
	{ "sysctl net.inet.tcp.cc.algorithm=newreno", V4 "tcp_congestion_control", "reno" },
	{ "sysctl net.inet.tcp.syncache.rexmtlimit=2", V4 "tcp_synack_retries", "2" },
	{ "sysctl net.inet.tcp.sendspace=32768", V4 "tcp_wmem", "4096 32768 4194304" },
	{ "sysctl net.inet.tcp.tolerate_missing_ts=1", V4 "tcp_sack", "1" },
	{ "sysctl net.inet.tcp.recvspace=10000", V4 "tcp_rmem", "4096 20000 33554432" },
	{ "sysctl net.inet.tcp.recvspace=1000", V4 "tcp_rmem", "2000 2000 33554432" },
	{ "sysctl net.inet.tcp.recvbuf_max=50000", V4 "tcp_rmem", "4096 100000 100000" },
	{ "sysctl net.inet.ip.portrange.first=50000", V4 "ip_local_port_range", "50000 60999" },
	{ "sysctl net.inet.ip.portrange.last=20000", V4 "ip_local_port_range", "20000 20000" },
	{ "sysctl net.inet.ip.ttl=30", V4 "ip_default_ttl", "30" },
	{ "sysctl net.inet6.ip6.hlim=30", "net.ipv6.conf.all.hop_limit", "30" },
	{ "sysctl kern.ipc.soacceptqueue=5", "net.core.somaxconn", "5" },
	{ "sysctl kern.ipc.maxsockbuf=500000", "net.core.wmem_max", "500000" },
	{ "sysctl net.inet.tcp.hostcache.purgenow=1 kern.timecounter.alloweddeviation=0 "
	  "net.inet.tcp.ecn.enable=0 net.inet.tcp.delacktime=40", V4 "tcp_sack", "1" },
};

TEST(set)
{
	for (size_t i = 0; i < sizeof(set_rows) / sizeof(set_rows[0]); i++) {
		const struct row *row = &set_rows[i];

		REQUIRE("world", begin(false));
		CHECK_EQ(row->text, rl_drill_command(&r, row->text), 0);
		CHECK_STR(row->text, value_of(row->name), row->value);
		CHECK_STR(row->text, res.why, "");
		CHECK_EQ("no time passes", rl_drill_world_now(r.w), start_ns);
		end();
	}
}

/* ---- what isn't ---- */

struct refusal {
	const char	*text;
	bool		skipped;	/* otherwise failed */
	const char	*why;
};

#define REFUSED(s) "refused to run `" s "`: only sysctl and the like are understood; " \
	"--allow-shell runs it"

static const struct refusal refusals[] = {
	{ "sysctl net.ipv4.tcp_recovery=1", true,
	  "net.ipv4.tcp_recovery=1 is not supported: RACK is not built yet" },
	{ "sysctl net.ipv4.tcp_ecn=3", true,
	  "net.ipv4.tcp_ecn=3 is not supported: ECN is not built yet" },
	{ "ethtool -K tun0 tso", false, REFUSED("ethtool -K tun0 tso") },
	{ "ethtool -K tun0 tso off gso", false, REFUSED("ethtool -K tun0 tso off gso") },
	{ "ethtool -K tun0 tso 1", false, REFUSED("ethtool -K tun0 tso 1") },
	{ "ethtool -K tun0 s off", false, REFUSED("ethtool -K tun0 s off") },
	{ "ethtool -G tun0 rx off", false, REFUSED("ethtool -G tun0 rx off") },
	{ "sysctl net.ipv4.tcp_congestion_control=cubic", true,
	  "net.ipv4.tcp_congestion_control=cubic is not supported: Rill has reno" },
	{ "sysctl net.ipv4.tcp_mem='1 2 3'", true, "net.ipv4.tcp_mem=1 2 3 is not supported: "
	  "memory has one limit, given when the stack starts" },
	{ "sysctl net.ipv4.tcp_nonsense=1", true,
	  "net.ipv4.tcp_nonsense=1 is not supported: Rill doesn't know it" },
	{ "sysctl -n vm.swappiness", true,
	  "reading vm.swappiness is not supported: Rill doesn't know it" },
	{ "sysctl net.ipv4.tcp_reordering=500", true, "net.ipv4.tcp_reordering=500 is not "
	  "supported: net.ipv4.tcp_reordering takes 1 to 127" },
	{ "sysctl net.ipv4.conf.all.rp_filter=1", true, "net.ipv4.conf.all.rp_filter=1 is not "
	  "supported: sources are not checked by route" },
	{ "sysctl net.ipv4.tcp_sack=on", false, "net.ipv4.tcp_sack=on: no value of it" },
	{ "sysctl net.ipv4.tcp_sack=", false, "net.ipv4.tcp_sack=: no value of it" },
	{ "sysctl net.ipv4.tcp_available_congestion_control=reno", false,
	  "net.ipv4.tcp_available_congestion_control=reno: read only" },
	{ "echo 1 > " PROC "tcp_recovery", true,
	  "net.ipv4.tcp_recovery=1 is not supported: RACK is not built yet" },
	{ "./set_sysctls.py " PROC "tcp_fastopen=0x602", true,
	  "net.ipv4.tcp_fastopen=0x602 is not supported: Fast Open is not built yet" },
	{ "sysctl net.inet.tcp.keepidle=1500", true,
	  "net.inet.tcp.keepidle=1500 is not supported: Rill counts whole seconds here" },
	{ "sysctl net.inet.tcp.ecn.enable=1", true,
	  "net.inet.tcp.ecn.enable=1 is not supported: ECN is not built yet" },
	{ "sysctl net.inet.tcp.tolerate_missing_ts=0", true, "net.inet.tcp.tolerate_missing_ts=0 "
	  "is not supported: segments without it are taken" },
	{ "sysctl net.inet.tcp.delacktime=100", true,
	  "net.inet.tcp.delacktime=100 is not supported: the delay of ACKs is 40 ms" },
	{ "sysctl net.inet.tcp.cc.algorithm=cubic", true,
	  "net.inet.tcp.cc.algorithm=cubic is not supported: Rill has reno" },
	{ "sysctl net.inet.tcp.nonsense=1", true, "net.inet.tcp.nonsense=1 is not supported: it "
	  "has no counterpart that means the same" },
	{ "sysctl net.ipv4.tcp_reordering=1x", false,
	  "net.ipv4.tcp_reordering=1x: no value of it" },
	{ "sysctl net.inet.tcp.msl=4000000000", false,
	  "net.inet.tcp.msl=4000000000: not a number" },
	{ "sysctl net.inet.tcp.msl=1x", false, "net.inet.tcp.msl=1x: not a number" },
	{ "sysctl net.inet.tcp.msl=x", false, "net.inet.tcp.msl=x: not a number" },
	{ "sysctl net.inet.tcp.rfc1323=4", false, "net.inet.tcp.rfc1323=4: no value of it" },
	{ "rm -rf /nowhere", false, REFUSED("rm -rf /nowhere") },
	{ "true; ls; rm x", false, REFUSED("ls") },
	{ "sysctl -p /etc/sysctl.conf", false, REFUSED("sysctl -p /etc/sysctl.conf") },
	{ "sysctl", false, REFUSED("sysctl") },
	{ "sysctl net.ipv4.tcp_sack=$X", false, REFUSED("sysctl net.ipv4.tcp_sack=$X") },
	{ "sysctl net.ipv4.tcp_*=0", false, REFUSED("sysctl net.ipv4.tcp_*=0") },
	{ "sysctl net.ipv4.tcp_sack=$(cat x)", false,
	  REFUSED("sysctl net.ipv4.tcp_sack=$(cat x)") },
	{ "sysctl net.ipv4.tcp_sack=$((x))", false, REFUSED("sysctl net.ipv4.tcp_sack=$((x))") },
	{ "sysctl net.ipv4.tcp_sack > /tmp/x", false,
	  REFUSED("sysctl net.ipv4.tcp_sack > /tmp/x") },
	{ "echo 1 | sysctl net.ipv4.tcp_sack=0", false,
	  REFUSED("echo 1 | sysctl net.ipv4.tcp_sack=0") },
	{ "for i in 1; do\ntrue; done", false, REFUSED("for i in 1; do...") },
	{ "X=1 sysctl net.ipv4.tcp_sack=0", false, REFUSED("X=1 sysctl net.ipv4.tcp_sack=0") },
	{ "cd /; sysctl net.ipv4.tcp_sack=0", false, REFUSED("cd /; sysctl net.ipv4.tcp_sack=0") },
	{ "(true)", false, REFUSED("(true)") }, { "true &", false, REFUSED("true &") },
	{ "echo \"abc", false, REFUSED("echo \"abc") },
	{ "echo 'abc", false, REFUSED("echo 'abc") },
	{ "> /tmp/x", false, REFUSED("> /tmp/x") }, { "echo 1 > /tmp/x", false,
	  REFUSED("echo 1 > /tmp/x") }, { "sleep", false, REFUSED("sleep") },
	{ "sleep -1", false, REFUSED("sleep -1") }, { "sleep inf", false, REFUSED("sleep inf") },
	{ "ip route flush cache", false, REFUSED("ip route flush cache") },
	{ "ip tcp_metrics show", false, REFUSED("ip tcp_metrics show") },
	{ "sleep 1x", false, REFUSED("sleep 1x") }, { "ip link set x up", false,
	  REFUSED("ip link set x up") }, { "./set_sysctls.py x", false,
	  REFUSED("./set_sysctls.py x") },
};

TEST(refused)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];

		REQUIRE("world", begin(false));
		CHECK_EQ(row->text, rl_drill_command(&r, row->text), -1);
		CHECK_EQ(row->text, r.skipped, row->skipped);
		CHECK_EQ(row->text, r.failed, !row->skipped);
		CHECK_STR(row->text, res.why, row->why);
		end();
	}
}

/* Of a set of tunables those before the one that is refused are set: no matter. */
TEST(too_long)
{
	char text[6000] = "echo ";

	memset(text + 5, 'a', sizeof(text) - 6);
	REQUIRE("world", begin(false));
	CHECK_EQ("a word", rl_drill_command(&r, text), -1);
	CHECK("failed", r.failed);
	end();
	for (size_t i = 5; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? 'a' : ' ';
	REQUIRE("world", begin(false));
	CHECK_EQ("words", rl_drill_command(&r, text), -1);
	CHECK("failed", r.failed);
	end();
}

/* ---- time ---- */

TEST(sleep)
{
	static const struct { const char *text; int64_t us; } rows[] = {
		{ "sleep 1", 1000000 }, { "sleep 0.25", 250000 }, { "sleep 2s", 2000000 },
		{ "sleep 1m", 60000000 }, { "sleep 1h", INT64_C(3600000000) },
		{ "sleep 1d", INT64_C(86400000000) },
		{ "usleep 300", 300 }, { "sleep 1; sleep 1 && usleep 5", 2000005 },
		{ "sleep 0", 0 }, { "sleep 0.000001", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REQUIRE("world", begin(false));
		CHECK_EQ(rows[i].text, rl_drill_command(&r, rows[i].text), 0);
		CHECK_EQ(rows[i].text, rl_drill_world_now(r.w),
			 start_ns + rows[i].us * 1000);
		end();
	}
}

/* ---- the host's shell ---- */

TEST(shell)
{
	static const struct { const char *text; int status; } rows[] = {
		{ "test 1 = 1", 0 }, { "for i in 1 2; do :; done", 0 },
		{ "test $PPID = $PACKETDRILL_PID", 0 }, { "test 1 = 2", 1 }, { "(exit 7)", 7 },
		{ "test 1 = 2 || test 1 = 1", 0 }, { "test 1 = 2 && no_such_command", 1 },
		{ "test 1 = 2; true", 0 }, { "true | true", 0 }, { "kill -9 $$", 137 },
		{ "X=1; test $X = 1", 0 },
	};
	char want[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REQUIRE("world", begin(true));
		CHECK_EQ(rows[i].text, rl_drill_command(&r, rows[i].text),
			 rows[i].status ? -1 : 0);
		snprintf(want, sizeof(want), "`%s` ended with exit status %d", rows[i].text,
			 rows[i].status);
		CHECK_STR(rows[i].text, res.why, rows[i].status ? want : "");
		end();
	}
}

/* With a shell too a sysctl is Rill's. */
TEST(sysctl_with_shell)
{
	REQUIRE("world", begin(true));
	CHECK_EQ("done", rl_drill_command(&r, "test 1 = 1 && sysctl net.ipv4.tcp_sack=0"), 0);
	CHECK_STR("set", value_of(V4 "tcp_sack"), "0");
	end();
}

/* ---- in a script ---- */

#define LISTEN	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n" \
		"+0 listen(3, 1) = 0\n"

static const struct {
	const char *text;
	enum drill_verdict verdict;
	const char *why;
} scripts[] = {
	{ "`sysctl -q net.ipv4.tcp_sack=0`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	  "`/tmp/sysctl_restore_${PPID}.sh`\n", DRILL_PASSED, "" },
	{ "\n`ls`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", DRILL_FAILED,
	  "t:2: " REFUSED("ls") },
	{ "`sysctl -q net.ipv4.tcp_ecn=1`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n",
	  DRILL_SKIPPED, "t:1: net.ipv4.tcp_ecn=1 is not supported: ECN is not built yet" },
	/* what the packets say that the script needs */
	{ "`sysctl -q net.ipv4.tcp_ecn=2`\n" LISTEN "+0 < SEW 0:0(0) win 9 <mss 9>\n",
	  DRILL_SKIPPED, "t:1: net.ipv4.tcp_ecn=2 is not supported: ECN is not built yet" },
	{ "`sysctl -q net.ipv4.tcp_ecn=2`\n" LISTEN "+0 < [ect0] S 0:0(0) win 9 <mss 9>\n",
	  DRILL_SKIPPED, "t:1: net.ipv4.tcp_ecn=2 is not supported: ECN is not built yet" },
	{ "`sysctl -q net.ipv4.tcp_ecn=2`\n" LISTEN "+0 < [noecn] S 0:0(0) win 9 <mss 9>\n"
	  "+0 > S. 0:0(0) ack 1 <...>\n", DRILL_PASSED, "" },
	{ "`defaults.sh`\n" LISTEN "+0 < S 0:9(9) win 9 <mss 9,FOEXP,nop,nop,nop,nop>\n",
	  DRILL_SKIPPED, "t:1: Fast Open is not built yet" },
	{ "`defaults.sh`\n" LISTEN "+0 < S 0:0(0) win 9 <mss 9>\n", DRILL_PASSED, "" },
	{ LISTEN "+0 < S 0:9(9) win 9 <mss 9,FOEXP,nop,nop,nop,nop>\n"
	  "+0 > S. 0:0(0) ack 1 <...>\n", DRILL_PASSED, "" },
	{ "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 > S 0:0(0) <mss 9,mpcapable v1>\n",
	  DRILL_SKIPPED, "unsupported: t:2: MPTCP" },
	{ "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 `sleep 1`\n+0 `no_such`\n",
	  DRILL_FAILED, "t:3: " REFUSED("no_such") },
	{ "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 `sleep 1`\n1.5 close(3) = 0\n",
	  DRILL_PASSED, "" },
	{ "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 `sleep 1`\n0.5 close(3) = 0\n",
	  DRILL_FAILED,
	  "t:3: event too late: at 1.000000, expected 0.500000 (tolerance 0.062500)" },
};

TEST(in_scripts)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct drill_result result;
		struct drill_config cfg;

		rl_drill_config_init(&cfg);
		rl_drill_run_text("t", scripts[i].text, strlen(scripts[i].text), &cfg, NULL, NULL,
				  &result);
		CHECK_EQ(scripts[i].text, result.verdict, scripts[i].verdict);
		CHECK_STR(scripts[i].text, result.why, scripts[i].why);
	}
}
