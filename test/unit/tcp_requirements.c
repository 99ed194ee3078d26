/* SPDX-License-Identifier: MIT */
/*
 * Requirements of doc/requirements that no other file shows: what the options of
 * any segment do, what R1 does, losses to the byte, and what older stacks got wrong.
 */
#include <errno.h>
#include <stdio.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "stack/stack_int.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"

/* ---- options ---- */

/* [RFC9293:MUST-5] Options of any kind in data, ACK, FIN and RST change nothing. */
TEST(options_in_any_segment)
{
	static const uint8_t bytes[] = { 1, 1, 99, 4, 0, 0, 253, 6, 1, 2, 3, 4, 8, 10, 0, 0, 0, 1,
					 0, 0, 0, 0, 1, 1 };
	struct in_opts x = { .bytes = bytes, .n = sizeof(bytes) };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &x);
	fix_expect(&f, "data", ".", 1, 0, 11);
	fix_send(&f, 5);
	fix_expect(&f, "data of ours", "P.", 1, 5, 11);
	fix_in_opts(&f, ".", 11, 0, 6, 65535, &x);
	CHECK_EQ("ACK", fix_info(&f).unacked, 0);
	fix_in_opts(&f, "F.", 11, 0, 6, 65535, &x);
	fix_expect(&f, "FIN", ".", 6, 0, 12);
	CHECK_EQ("state", fix_state(&f), RILL_CLOSE_WAIT);
	fix_in_opts(&f, "R", 12, 0, 0, 0, &x);
	CHECK_EQ("RST", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* [RFC2018-01] What belongs into a SYN stands in no other segment. */
TEST(options_of_a_syn_only)
{
	struct out_seg o;
	struct fix f;
	int n = 0;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	fix_send(&f, 3000);
	fix_in(&f, "P.", 101, 10, 1, 65535);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	while ((o = fix_out(&f)).there) {
		CHECK("SACK permitted", !o.o.sack_ok);
		CHECK("window scale", !o.o.has_wscale);
		n++;
	}
	CHECK("some", n >= 4);
	fix_done(&f);
}

/* [RFC7323-21] A RST for nobody echoes the timestamp. */
TEST(reset_echoes_the_timestamp)
{
	struct in_opts x = { .ts_set = true, .ts_val = 77 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	f.peer_ts = true;
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	o = fix_out(&f);
	CHECK_EQ("RST", o.flags, TH_RST | TH_ACK);
	CHECK("timestamp", o.o.has_ts);
	CHECK_EQ("echo", o.o.ts_ecr, 77);
	CHECK_EQ("its own is 0", o.o.ts_val, 0);
	fix_done(&f);
}

/* [RFC7323-26] The first thing that is echoed is the SYN's. */
TEST(first_echo_is_of_the_syn)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct in_opts x = { .ts_set = true, .ts_val = 4711 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	f.lport = fix_out(&f).sport;
	f.peer_ts = true;
	fix_in_opts(&f, "S.", 0, 0, 1, 65535, &x);
	o = fix_out(&f);
	CHECK("ACK", o.there && o.o.has_ts);
	CHECK_EQ("echo", o.o.ts_ecr, 4711);
	fix_done(&f);
}

/* [RFC1191-07] The path MTU that was learned does not show in a later SYN. */
TEST(path_mtu_is_not_advertised)
{
	static const uint8_t mss[] = { 2, 4, 1400 >> 8, 1400 & 255 };
	struct in_opts x = { .bytes = mss, .n = sizeof(mss) };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish_opts(&f, mss, sizeof(mss));
	fix_send(&f, 1400);
	fix_drain(&f);
	fix_icmp(&f, 3, 4, 1, 1000);
	CHECK_EQ("learned", fix_info(&f).pmtu, 1000);
	fix_drain(&f);
	fix_peer(&f, 4321);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	o = fix_out(&f);
	CHECK_EQ("SYN+ACK", o.flags, TH_SYN | TH_ACK);
	CHECK_EQ("of the interface", o.o.mss, 1460);
	fix_done(&f);
}

/* ---- a peer that is not there ---- */

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 };

static void ether_init(struct fix *f)
{
	struct rill_stack_params par = { .now_ns = RL_SEC };
	struct rill_if_params ifp = { .name = "e0", .mtu = 1500,
				      .flags = RILL_IF_ETHER | RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000001);

	fix_init(f, false);			/* lends its allocator */
	par.mem = f->st->mem.hooks;
	rill_stack_destroy(f->st);
	memcpy(ifp.mac, our_mac, 6);
	f->now_ns = RL_SEC;
	CHECK_EQ("stack", rill_stack_create(&par, &f->st), 0);
	f->ifindex = rill_if_add(f->st, &ifp);
	CHECK_EQ("address", rill_if_addr_add(f->st, f->ifindex, &ip, 24), 0);
}

static void arp_from_peer(struct fix *f)
{
	struct arp_msg a = { .op = ARP_REPLY, .spa = rl_ip4(0x0a000002),
			     .tpa = rl_ip4(0x0a000001) };
	uint8_t frame[ETH_HDR_LEN + ARP_LEN];

	memcpy(a.sha, peer_mac, 6);
	memcpy(a.tha, our_mac, 6);
	rl_eth_write(frame, our_mac, peer_mac, ETH_ARP);
	rl_arp_write(&a, frame + ETH_HDR_LEN);
	CHECK_EQ("input", rill_stack_input(f->st, f->now_ns, f->ifindex, frame, sizeof(frame)), 0);
}

/* ARP requests among the frames that wait; the last TCP header goes to @h. */
static int arps_out(struct fix *f, struct tcp_hdr *h)
{
	uint8_t b[2000];
	struct rill_pkt *p;
	int arps = 0;

	while (rill_stack_output(f->st, 0, &p, 1) == 1) {
		size_t n = rill_pkt_bytes(p, b, sizeof(b));

		rill_pkt_put(f->st, p);
		if (get16(b + 12) == ETH_ARP)
			arps += get16(b + ETH_HDR_LEN + 6) == ARP_REQUEST && !(b[0] & 1);
		else if (n > 34 && b[ETH_HDR_LEN + 9] == 6)
			rl_tcp_hdr_parse(h, b + 34, n - 34);
	}
	return arps;
}

static void tcp_from_peer(struct fix *f, const struct tcp_hdr *to)
{
	uint8_t frame[54] = { 0 }, *ip = frame + 14;
	struct tcp_hdr h = { .sport = 80, .dport = to->sport, .hdr_len = 20, .win = 65535,
			     .flags = TH_SYN | TH_ACK, .ack = seq_add(to->seq, 1) };
	struct rill_ip src = rl_ip4(0x0a000002), dst = rl_ip4(0x0a000001);
	uint16_t sum;

	rl_eth_write(frame, our_mac, peer_mac, ETH_IPV4);
	ip[0] = 0x45;
	put16(ip + 2, 40);
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, src.b + 12, 4);
	memcpy(ip + 16, dst.b + 12, 4);
	sum = rl_sum_finish(rl_sum(ip, 20, 0));
	memcpy(ip + 10, &sum, 2);
	rl_tcp_hdr_write(&h, ip + 20);
	sum = rl_sum_finish(rl_sum(ip + 20, 20, rl_sum_pseudo(&src, &dst, 6, 20)));
	memcpy(ip + 36, &sum, 2);
	CHECK_EQ("input", rill_stack_input(f->st, f->now_ns, f->ifindex, frame, sizeof(frame)), 0);
}

/* [RFC9293:MUST-20] [RFC9293:SHLD-10] At R1, the third repetition, the neighbour is asked. */
TEST(r1_asks_the_neighbour)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 };
	struct tcp_hdr syn = { 0 }, last = { 0 };
	struct fix f;

	ether_init(&f);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	arps_out(&f, &syn);
	arp_from_peer(&f);
	arps_out(&f, &syn);
	CHECK_EQ("SYN", syn.flags, TH_SYN);
	tcp_from_peer(&f, &syn);
	arps_out(&f, &last);
	CHECK_EQ("connected", fix_info(&f).state, RILL_ESTABLISHED);
	fix_send(&f, 100);
	CHECK_EQ("known", arps_out(&f, &last), 0);
	fix_advance_ms(&f, 201);		/* repeated at 200, 600, 1400 ms */
	CHECK_EQ("first", arps_out(&f, &last), 0);
	fix_advance_ms(&f, 400);
	CHECK_EQ("second", arps_out(&f, &last), 0);
	CHECK_EQ("two so far", fix_info(&f).retransmits, 2);
	fix_advance_ms(&f, 800);
	CHECK_EQ("R1", fix_info(&f).retransmits, 3);
	CHECK_EQ("asked, the peer alone", arps_out(&f, &last), 1);
	CHECK_EQ("goes on", fix_info(&f).state, RILL_ESTABLISHED);
	fix_done(&f);
}

/* [RFC9293:MAY-7] What lies beyond a closed window is repeated all the same. */
TEST(repeats_beyond_the_window)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 500);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 0);
	fix_advance_ms(&f, 201);
	fix_expect(&f, "the data", "P.", 1, 500, 1);
	fix_done(&f);
}

/* ---- losses ---- */

static void dupacks(struct fix *f, uint32_t ack, int n)
{
	for (int i = 0; i < n; i++)
		fix_in(f, ".", 1, 0, ack, 65535);
}

/* [RFC5681-07] Nothing is known of the path at first. */
TEST(first_ssthresh_is_high)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("passive", fix_info(&f).snd_ssthresh, INT32_MAX);
	fix_done(&f);
	fix_init(&f, false);
	fix_connect(&f, false, false);
	CHECK_EQ("active", fix_info(&f).snd_ssthresh, INT32_MAX);
	fix_done(&f);
}

/*
 * [RFC5681-18] [RFC5681-19] [RFC5681-20] Without SACK each duplicate stands for a
 * segment that left the network, but for no more than there were.
 */
TEST(inflation_is_bounded)
{
	uint32_t ssthresh;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	dupacks(&f, 1, 3);
	fix_expect(&f, "the lost one", ".", 1, 1000, 1);
	ssthresh = fix_info(&f).snd_ssthresh;
	CHECK_EQ("three left", fix_info(&f).snd_cwnd, ssthresh + 3);
	dupacks(&f, 1, 1);
	CHECK_EQ("four left", fix_info(&f).snd_cwnd, ssthresh + 4);
	dupacks(&f, 1, 50);
	CHECK_EQ("forged ones", fix_info(&f).snd_cwnd, 11);
	fix_in(&f, ".", 1, 0, 10001, 65535);
	CHECK("deflated", fix_info(&f).snd_cwnd <= ssthresh);
	fix_done(&f);
}

/* [RFC5681-21] Duplicates in recovery let new data out, one segment each. */
TEST(new_data_in_recovery)
{
	struct fix f;
	uint32_t at;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(&f, false, false);
	fix_send(&f, 40000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	for (int i = 0; i < 3; i++) {
		dupacks(&f, 1, 1);
		CHECK_EQ("two by limited transmit, then the lost one", fix_drain(&f), 1);
	}
	dupacks(&f, 1, 20);
	at = fix_out(&f).seq;
	CHECK_EQ("new data", at, 12001);
	fix_done(&f);
}

/* [RFC6675-10] Duplicates count from the last ACK that moved on. */
TEST(progress_forgets_duplicates)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	dupacks(&f, 1, 2);
	fix_in(&f, ".", 1, 0, 1001, 65535);
	dupacks(&f, 1001, 2);
	fix_drain(&f);
	CHECK_EQ("nothing is lost", fix_counter(&f, "tcp.retrans_segs"), 0);
	dupacks(&f, 1001, 1);
	fix_expect(&f, "now it is", ".", 1001, 1000, 1);
	fix_done(&f);
}

/* [RFC3042-03] With SACK an ACK that tells nothing new is no duplicate. */
TEST(duplicates_without_news)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(&f, true, false);
	fix_send(&f, 40000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	dupacks(&f, 1, 5);
	fix_expect_none(&f, "neither limited transmit nor a repetition");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK("news", fix_drain(&f) > 0);
	for (int i = 0; i < 5; i++)
		fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	fix_expect_none(&f, "known already");
	fix_done(&f);
}

/* [RFC5681-28] [RFC6675-06] [RFC6675-11] The repetition is lost too: slower once more. */
TEST(lost_repetition_reduces_again)
{
	uint32_t first, end = 10001;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(&f, true, false);
	fix_send(&f, 40000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	fix_advance_ms(&f, 50);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 4001 });
	fix_expect(&f, "the hole", ".", 1, 1000, 1);
	first = fix_info(&f).snd_ssthresh;
	fix_advance_ms(&f, 50);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 10001 });
	while ((o = fix_out(&f)).there) {
		CHECK_EQ("then new data", o.seq, end);
		end = o.seq + o.len;
	}
	CHECK("some", end > 10001);
	CHECK_EQ("once", fix_counter(&f, "tcp.retrans_segs"), 1);
	fix_advance_ms(&f, 50);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, end });
	fix_expect(&f, "the hole again", ".", 1, 1000, 1);
	CHECK("slower once more", fix_info(&f).snd_ssthresh < first);
	fix_done(&f);
}

/* [RFC6675-12] An ACK at the recovery point ends it; what is known beyond stays known. */
TEST(recovery_ends_at_its_point)
{
	uint32_t end = 10001;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(&f, true, false);
	fix_send(&f, 40000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 4001 });
	fix_expect(&f, "the hole", ".", 1, 1000, 1);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 10001 });
	while ((o = fix_out(&f)).there)
		end = o.seq + o.len;
	CHECK("new data", end >= 13001);
	fix_sack(&f, 1, 2, (uint32_t[]){ 11001, 12001, 1001, 10001 });
	fix_sack(&f, 9001, 2, (uint32_t[]){ 11001, 12001, 9001, 10001 });
	CHECK_EQ("not yet", fix_info(&f).ca_state, 3);
	fix_sack(&f, 10001, 1, (uint32_t[]){ 11001, 12001 });
	CHECK_EQ("over", fix_info(&f).ca_state, 0);
	CHECK_EQ("still known", fix_info(&f).sacked, 1);
	fix_done(&f);
}

/* [RFC6675-13] After a timeout duplicates start no recovery until all of it is through. */
TEST(no_recovery_during_a_timeout)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	fix_advance_ms(&f, 201);
	fix_drain(&f);
	CHECK_EQ("loss", fix_info(&f).ca_state, 4);
	fix_sack(&f, 1001, 1, (uint32_t[]){ 3001, 4001 });
	fix_sack(&f, 1001, 1, (uint32_t[]){ 3001, 6001 });
	fix_sack(&f, 1001, 1, (uint32_t[]){ 3001, 8001 });
	fix_sack(&f, 2001, 1, (uint32_t[]){ 3001, 9001 });
	CHECK_EQ("still", fix_info(&f).ca_state, 4);
	CHECK_EQ("none", fix_counter(&f, "tcp.reno_recovery"), 0);
	fix_in(&f, ".", 1, 0, 10001, 65535);
	CHECK_EQ("through", fix_info(&f).ca_state, 0);
	fix_done(&f);
}

/* [RFC2525-04] The same numbers always carry the same bytes. */
TEST(repetition_has_the_same_bytes)
{
	uint8_t a[100], b[100];
	struct rill_iov va = { a, sizeof(a) }, vb = { b, sizeof(b) };
	struct out_seg o;
	struct fix f;

	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] = (uint8_t)(3 * i + 1);
		b[i] = (uint8_t)(5 * i + 2);
	}
	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("send", rill_tcp_send(f.st, f.fd, &va, 1, 0), 100);
	o = fix_out(&f);
	CHECK_MEM("first", o.data, a, 64);
	CHECK_EQ("send", rill_tcp_send(f.st, f.fd, &vb, 1, 0), 100);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 51, 65535);	/* half of it, and it is cut anew */
	fix_drain(&f);
	fix_advance_ms(&f, 500);
	o = fix_out(&f);
	CHECK("from the middle", o.there && o.seq == 51 && o.len >= 50);
	CHECK_MEM("the rest of the first", o.data, a + 50, 50);
	if (o.len > 50)
		CHECK_MEM("then the second", o.data + 50, b, 14);
	fix_done(&f);
}
