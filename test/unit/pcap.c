/* SPDX-License-Identifier: MIT */
/* dev/pcap.c: the file, block by block, and tshark's opinion of it. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "dev_fixture.h"
#include "rl_test.h"

static char path[64];
static int seen_in, seen_out;

static void on_frame(void *ctx, int64_t now_ns, bool out, const uint8_t *frame, size_t n)
{
	CHECK("context", ctx == path);
	CHECK_EQ("time", now_ns, 12345);
	CHECK("frame is finished", test_frame_ok(frame, (uint32_t)n));
	seen_in += !out;
	seen_out += out;
}

static struct rl_dev *open_pcap(struct list_dev *inner, rl_pcap_tap *tap)
{
	struct rl_dev *d = NULL;
	char why[256];

	snprintf(path, sizeof(path), "/tmp/rill-test-pcap.%ld", (long)getpid());
	CHECK_EQ("open", rl_dev_pcap_open(&inner->d, path, tap, path, &d, why, sizeof(why)), 0);
	return d;
}

/* Return: bytes of the file, in @buf. */
static size_t slurp(uint8_t *buf, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(buf, 1, max, f) : 0;

	if (f)
		fclose(f);
	return n;
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* Two segments out, one of them a super-segment, and one in. */
static void pass_three(struct rl_dev *d, struct list_dev *inner, struct rill_stack *st)
{
	struct rill_pkt *p[4] = { test_segment(st, 1, 100, 0),
				  test_segment(st, 101, 60000, 1448) };

	inner->in[inner->nin++] = test_segment(st, 7, 33, 0);
	st->now_ns = 12345;
	d->ops->tx(d, st, p, 2);
	CHECK_EQ("two went on", inner->nout, 2);
	CHECK_EQ("one came", d->ops->rx(d, st, p, 4), 1);
	CHECK("as it was", p[0]->flags & RL_PKT_CSUM_PARTIAL);
	rl_pkt_free(&st->bufs, p[0]);
}

TEST(pcap_blocks)
{
	static const uint32_t len[3] = { TEST_HDRS + 100, TEST_HDRS + 60000, TEST_HDRS + 33 };
	static uint8_t file[100000];
	struct rill_stack *st = test_stack();
	struct list_dev *inner = list_dev();
	struct rl_dev *d = open_pcap(inner, on_frame);
	size_t n, at;

	REQUIRE("device", d);
	pass_three(d, inner, st);
	CHECK_EQ("callback, out", seen_out, 2);
	CHECK_EQ("callback, in", seen_in, 1);
	rl_dev_close(d);
	n = slurp(file, sizeof(file));
	CHECK_EQ("section header", word(file), 0x0a0d0d0a);
	CHECK_EQ("byte order", word(file + 8), 0x1a2b3c4d);
	at = word(file + 4);
	CHECK_EQ("interface", word(file + at), 1);
	CHECK_EQ("Ethernet", word(file + at + 8) & 0xffff, 1);
	at += word(file + at + 4);
	for (int i = 0; i < 3 && at + 32 < n; i++) {
		uint32_t total = word(file + at + 4), padded = (len[i] + 3) & ~3u;

		CHECK_EQ("packet", word(file + at), 6);
		CHECK_EQ("captured", word(file + at + 20), len[i]);
		CHECK_EQ("original", word(file + at + 24), len[i]);
		CHECK("finished", test_frame_ok(file + at + 28, len[i]));
		CHECK_EQ("direction", word(file + at + 28 + padded + 4), i < 2 ? 2 : 1);
		CHECK_EQ("length again", word(file + at + total - 4), total);
		at += total;
	}
	CHECK_EQ("nothing more", at, n);
	unlink(path);
	list_free(inner, st);
	CHECK_EQ("all given back", test_stack_free(st), 0);
}

/* What lies in the buffer is written some time later without being asked. */
TEST(pcap_flushes_when_idle)
{
	static uint8_t file[100000];
	struct rill_stack *st = test_stack();
	struct list_dev *inner = list_dev();
	struct rl_dev *d = open_pcap(inner, NULL);
	struct rill_pkt *none[4];
	size_t empty;

	REQUIRE("device", d);
	empty = slurp(file, sizeof(file));
	CHECK("head is there", empty > 0);
	CHECK_EQ("nothing to do", d->ops->deadline(d), RL_NEVER);
	pass_three(d, inner, st);
	CHECK_EQ("not yet", slurp(file, sizeof(file)), empty);
	CHECK("something to do", d->ops->deadline(d) < RL_SEC);
	st->now_ns = d->ops->deadline(d);
	CHECK_EQ("idle", d->ops->rx(d, st, none, 4), 0);
	CHECK("written", slurp(file, sizeof(file)) > empty + 60000);
	CHECK_EQ("nothing to do any more", d->ops->deadline(d), RL_NEVER);
	rl_dev_close(d);
	unlink(path);
	list_free(inner, st);
	CHECK_EQ("all given back", test_stack_free(st), 0);
}

TEST(pcap_cannot_write)
{
	struct list_dev *inner = list_dev();
	struct rl_dev *d = NULL;
	char why[256] = "";

	CHECK_EQ("error", rl_dev_pcap_open(&inner->d, "/no/such/dir/x", NULL, NULL, &d, why,
					   sizeof(why)), -ENOENT);
	CHECK("named", strstr(why, "/no/such/dir/x"));
	free(inner);
}

TEST(pcap_tshark)
{
	struct rill_stack *st = test_stack();
	struct list_dev *inner = list_dev();
	struct rl_dev *d = open_pcap(inner, NULL);
	char cmd[400], line[256];
	int frames = 0;
	FILE *f;

	REQUIRE("device", d);
	pass_three(d, inner, st);
	rl_dev_close(d);
	list_free(inner, st);
	CHECK_EQ("all given back", test_stack_free(st), 0);
	if (system("command -v tshark >/dev/null"))
		SKIP("tshark is not installed");
	snprintf(cmd, sizeof(cmd), "tshark -r %s -o tcp.check_checksum:TRUE "
		 "-o ip.check_checksum:TRUE -T fields -e tcp.checksum.status "
		 "-e ip.checksum.status -e frame.interface_name -e tcp.len "
		 "-e _ws.malformed 2>/dev/null", path);
	f = popen(cmd, "r");
	while (f && fgets(line, sizeof(line), f)) {
		static const char *const want[3] = {
			"1\t1\tlist\t100\t\n", "1\t1\tlist\t60000\t\n", "1\t1\tlist\t33\t\n",
		};

		if (frames < 3)
			CHECK_STR("good checksums", line, want[frames]);
		frames++;
	}
	CHECK_EQ("frames", frames, 3);
	if (f)
		pclose(f);
	unlink(path);
}
