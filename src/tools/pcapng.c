/* SPDX-License-Identifier: MIT */
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng): one section, one interface, times in
 * nanoseconds, and for each packet what is known of it as a comment, which Wireshark
 * shows and searches (frame.comment).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dump.h"
#include "tools/out.h"

enum block { B_INTERFACE = 1, B_PACKET = 6, B_SECTION = 0x0a0d0d0a };
enum option { O_END = 0, O_COMMENT = 1, O_FLAGS = 2, O_USERAPPL = 4, O_TSRESOL = 9 };

struct pcapng {
	FILE		*f;
	const char	*cmd, *file;
};

/* A block's body; its length stands in front and behind. */
struct body {
	uint8_t		head[1024];	/* options, or what precedes a packet's bytes */
	uint32_t	n;
};

static void word(struct body *b, uint32_t v)
{
	memcpy(b->head + b->n, &v, 4);
	b->n += 4;
}

static void option(struct body *b, enum option code, const void *p, size_t len)
{
	uint16_t head[2] = { (uint16_t)code, (uint16_t)len };

	memcpy(b->head + b->n, head, 4);
	memcpy(b->head + b->n + 4, p, len);
	b->n += 4 + (uint32_t)len;
	while (b->n & 3)
		b->head[b->n++] = 0;
}

static void put(struct pcapng *w, const void *p, size_t n)
{
	fwrite(p, 1, n, w->f);		/* failures show in ferror() */
}

/* @a, then @n bytes at @p and their padding, then @b. */
static void block(struct pcapng *w, enum block type, const struct body *a, const void *p,
		  uint32_t n, const struct body *b)
{
	static const uint8_t zeros[4];
	uint32_t pad = -n & 3, len = 12 + a->n + n + pad + (b ? b->n : 0);
	uint32_t head[2] = { type, len };

	put(w, head, sizeof(head));
	put(w, a->head, a->n);
	put(w, p, n);
	put(w, zeros, pad);
	if (b)
		put(w, b->head, b->n);
	put(w, &len, sizeof(len));
}

static void put_head(struct pcapng *w, int link, uint32_t snaplen)
{
	static const uint16_t version[2] = { 1, 0 };
	static const uint8_t nanoseconds = 9;
	struct body b = { .n = 0 };

	word(&b, 0x1a2b3c4d);
	memcpy(b.head + b.n, version, sizeof(version));
	b.n += sizeof(version);
	word(&b, UINT32_MAX);		/* length of the section: not told */
	word(&b, UINT32_MAX);
	option(&b, O_USERAPPL, "rill dump", 9);
	word(&b, O_END);
	block(w, B_SECTION, &b, NULL, 0, NULL);
	b.n = 0;
	word(&b, (uint32_t)(link == LOOK_RAW ? LOOK_RAW_FILE : link));
	word(&b, snaplen);
	option(&b, O_TSRESOL, &nanoseconds, 1);
	word(&b, O_END);
	block(w, B_INTERFACE, &b, NULL, 0, NULL);
}

struct pcapng *pcapng_open(const char *cmd, const char *file, int link, uint32_t snaplen)
{
	struct pcapng *w = calloc(1, sizeof(*w));

	if (!w) {
		complain("%s: out of memory", cmd);
		return NULL;
	}
	*w = (struct pcapng){ strcmp(file, "-") ? fopen(file, "we") : stdout, cmd, file };
	if (!w->f) {
		complain("%s: -w %s: %s", cmd, file, strerror(errno));
		free(w);
		return NULL;
	}
	put_head(w, link, snaplen);
	return w;
}

bool pcapng_put(struct pcapng *w, const struct packet *p, const struct packet_note *note)
{
	uint64_t ts = (uint64_t)p->at_ns;
	uint32_t flags = note->dir;
	struct body a = { .n = 0 }, b = { .n = 0 };

	word(&a, 0);
	word(&a, (uint32_t)(ts >> 32));
	word(&a, (uint32_t)ts);
	word(&a, p->n);
	word(&a, p->len);
	if (*note->text)
		option(&b, O_COMMENT, note->text, strlen(note->text));
	if (flags)
		option(&b, O_FLAGS, &flags, 4);
	if (b.n)
		word(&b, O_END);
	block(w, B_PACKET, &a, p->data, p->n, &b);
	return !ferror(w->f);
}

void pcapng_flush(struct pcapng *w)
{
	fflush(w->f);
}

bool pcapng_close(struct pcapng *w)
{
	bool ok = fflush(w->f) == 0 && !ferror(w->f);

	if (!ok && !(w->f == stdout && errno == EPIPE))
		complain("%s: -w %s: %s; the file is not complete", w->cmd, w->file,
			 strerror(errno));
	if (w->f != stdout && fclose(w->f) != 0)
		ok = false;
	free(w);
	return ok;
}
