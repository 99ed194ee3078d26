/* SPDX-License-Identifier: MIT */
/*
 * TCP and its neighbour on an Ethernet: progress proves that the neighbour is there
 * [RFC4861:7.3.1], and R1 retransmissions without it are a reason to ask it
 * [RFC9293:SHLD-10].
 */
#include "net_fixture.h"
#include "wire/tcp_hdr.h"

struct peer {
	struct net n;
	rill_id	 id;
	uint16_t port;			/* ours */
	seq_t	 nxt;			/* what the peer acknowledges */
	int	 arps, segs;		/* sent by the stack since look() was last called */
};

static void arp_reply(struct net *n)
{
	struct arp_msg m = { .op = ARP_REPLY, .spa = peer4(1), .tpa = peer4(2) };
	uint8_t b[60] = { 0 };

	memcpy(m.sha, peer_mac, 6);
	memcpy(m.tha, net_mac, 6);
	rl_eth_write(b, net_mac, peer_mac, ETH_ARP);
	rl_arp_write(&m, b + ETH_HDR_LEN);
	net_in_raw(n, b, sizeof(b));
}

/* Take what the stack sends; the peer answers ARP or keeps silent. */
static void look(struct peer *p, bool answer)
{
	p->arps = p->segs = 0;
	while (net_out(&p->n)) {
		struct tcp_hdr h;
		uint32_t len;

		if (get16(p->n.out + 12) == ETH_ARP) {
			p->arps++;
			if (answer)
				arp_reply(&p->n);
			continue;
		}
		REQUIRE("TCP", rl_tcp_hdr_parse(&h, net_l4(&p->n), 60) == 0);
		len = net_l3_len(&p->n) - IPV4_HDR_LEN - h.hdr_len;
		p->segs++;
		p->port = h.sport;
		p->nxt = seq_add(h.seq, len + !!(h.flags & TH_SYN));
	}
}

static void answer(struct peer *p, uint8_t flags)
{
	struct tcp_hdr h = { .sport = 80, .dport = p->port, .flags = flags | TH_ACK,
			     .seq = seq_make(flags ? 0 : 1), .ack = p->nxt, .win = 65535,
			     .hdr_len = 20 };
	struct rill_ip src = peer4(1), dst = peer4(2);
	uint8_t b[20];
	uint16_t sum;

	rl_tcp_hdr_write(&h, b);
	sum = rl_sum_finish(rl_sum(b, 20, rl_sum_pseudo(&src, &dst, RL_PROTO_TCP, 20)));
	memcpy(b + 16, &sum, 2);
	net_in(&p->n, net_put(&p->n, &src, &dst, RL_PROTO_TCP, b, 20));
}

static void start(struct peer *p)
{
	struct rill_addr a = { .ip = peer4(1), .port = 80 };

	net_init(&p->n, NET_ETHER | NET_NO_PEER | NET_V4_ONLY);
	CHECK_EQ("open", rill_tcp_open(p->n.st, 0, &p->id), 0);
	CHECK_EQ("connect", rill_tcp_connect(p->n.st, p->id, &a, 0), -EINPROGRESS);
	look(p, true);
	CHECK("asked for, then the SYN", p->arps == 1 && p->segs == 1);
	answer(p, TH_SYN);
	look(p, false);
	CHECK("ACK", p->arps == 0 && p->segs == 1);
}

static void finish(struct peer *p)
{
	CHECK_EQ("abort", rill_tcp_abort(p->n.st, p->id), 0);
	net_drain(&p->n);
	net_fini(&p->n);
}

static void send_byte(struct peer *p)
{
	struct rill_iov iov = { "x", 1 };

	CHECK_EQ("send", rill_tcp_send(p->n.st, p->id, &iov, 1, 0), 1);
	look(p, false);
	CHECK_EQ("sent", p->segs, 1);
}

/* An entry gone stale is used; the ACK makes asking unnecessary. */
TEST(progress_confirms)
{
	for (int acked = 0; acked < 2; acked++) {
		static struct peer p;
		int asked = 0;

		start(&p);
		net_seconds(&p.n, 100);
		look(&p, false);
		send_byte(&p);
		if (acked)
			answer(&p, 0);
		for (int i = 0; i < 10; i++) {
			net_advance(&p.n, RL_SEC);
			look(&p, false);
			asked += p.arps;
		}
		CHECK_EQ("asked", asked > 0, !acked);
		finish(&p);
	}
}

/* R1: not before the third retransmission, and once. */
TEST(silence_is_suspect)
{
	static struct peer p;
	int asked = 0;

	start(&p);
	send_byte(&p);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(rl_label("before %d", i), asked, 0);
		net_advance(&p.n, (200 << i) * RL_MS + RL_MS);
		look(&p, true);
		CHECK_EQ(rl_label("retransmission %d", i), p.segs, 1);
		asked += p.arps;
	}
	CHECK_EQ("asked", asked, 1);
	net_advance(&p.n, 1700 * RL_MS);
	look(&p, true);
	CHECK("and not again", p.segs == 1 && p.arps == 0);
	finish(&p);
}
