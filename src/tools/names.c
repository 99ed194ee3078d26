/* SPDX-License-Identifier: MIT */
/*
 * Addresses to names in the background, for the commands that trace paths: a
 * resolver that does not answer must not delay the reading of answers.  One thread
 * asks one after another; the table is bounded, and an address that finds no room
 * has no name.  The thread ends with the process.
 */
#include "tools/names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#define NAMES_MAX	256

struct name {
	struct rill_ip	ip;
	bool		known;
	char		text[NI_MAXHOST];
};

static struct name table[NAMES_MAX];
static unsigned used, asked;
static bool running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;

static void ask(const struct rill_ip *ip, char *text, size_t n)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 s6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in s4 = { .sin_family = AF_INET };
	bool v4 = !memcmp(ip->b, mapped, sizeof(mapped));

	memcpy(&s6.sin6_addr, ip->b, 16);
	memcpy(&s4.sin_addr, ip->b + 12, 4);
	if (getnameinfo(v4 ? (void *)&s4 : (void *)&s6, v4 ? sizeof(s4) : sizeof(s6), text,
			(socklen_t)n, NULL, 0, NI_NAMEREQD) != 0)
		text[0] = '\0';
}

static void *work(void *arg)
{
	char text[NI_MAXHOST];

	pthread_mutex_lock(&lock);
	for (;;) {
		struct name *e;

		while (asked == used)
			pthread_cond_wait(&more, &lock);
		e = &table[asked++];
		pthread_mutex_unlock(&lock);
		ask(&e->ip, text, sizeof(text));
		pthread_mutex_lock(&lock);
		memcpy(e->text, text, sizeof(text));
		e->known = true;
	}
	return arg;
}

static bool start(void)
{
	pthread_t t;

	if (!running && pthread_create(&t, NULL, work, NULL) == 0) {
		pthread_detach(t);
		running = true;
	}
	return running;
}

static struct name *find(const struct rill_ip *ip)
{
	for (unsigned i = 0; i < used; i++)
		if (!memcmp(&table[i].ip, ip, sizeof(*ip)))
			return &table[i];
	if (used == NAMES_MAX || !start())
		return NULL;
	table[used] = (struct name){ .ip = *ip };
	pthread_cond_signal(&more);
	return &table[used++];
}

const char *names_get(const struct rill_ip *ip)
{
	const char *text = "";
	struct name *e;

	pthread_mutex_lock(&lock);
	e = find(ip);
	if (e)
		text = e->known ? e->text : NULL;
	pthread_mutex_unlock(&lock);
	return text;
}
