/* SPDX-License-Identifier: MIT */
/*
 * lwIP tuned for this comparison: large windows and pools; its memcpy and its
 * checksum are left as they come.  Debian's liblwip is compiled with windows of
 * 64 KiB, which cannot be changed at run time.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0

#define MEM_ALIGNMENT			8
#define MEM_SIZE			(64 * 1024 * 1024)
#define MEMP_NUM_PBUF			16384
#define MEMP_NUM_TCP_PCB		60000
#define MEMP_NUM_TCP_PCB_LISTEN		32
#define MEMP_NUM_TCP_SEG		16384
#define PBUF_POOL_SIZE			8192
#define PBUF_POOL_BUFSIZE		1600

#define TCP_MSS				1460
#define LWIP_WND_SCALE			1
#define TCP_RCV_SCALE			5
#define TCP_WND				(1024 * 1024)
#define TCP_SND_BUF			(1024 * 1024)
#define TCP_SND_QUEUELEN		4096
#define TCP_SNDLOWAT			32768
#define TCP_QUEUE_OOSEQ			1
#define TCP_LISTEN_BACKLOG		1
#define TCP_DEFAULT_LISTEN_BACKLOG	255
#define LWIP_TCP_TIMESTAMPS		0
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1

#define LWIP_IPV6			0
#define LWIP_DHCP			0
#define LWIP_DNS			0
#define LWIP_RAW			0
#define LWIP_STATS			0
#define LWIP_NOASSERT			1

#endif
