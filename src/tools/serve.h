/* SPDX-License-Identifier: MIT */
/* Between the files of `rill serve`. */
#ifndef RL_TOOLS_SERVE_H
#define RL_TOOLS_SERVE_H

#include <sys/stat.h>

#include "rill/socket.h"
#include "tools/http.h"

#define SERVE_RECV	(256 * 1024)	/* shared receive buffer */
#define SERVE_PIECE	(256 * 1024)	/* of a mapped file, given to one send */
#define SERVE_SMALL	(64 * 1024)	/* up to here a file is read, not mapped */

struct upload {
	int			dir, fd;	/* of the target's directory; of @tmp */
	char			name[256], tmp[64];
	bool			chunked, existed;
	uint64_t		left, got;	/* left: without chunks only */
	struct http_chunked	ck;
};

enum hstate {
	HC_HEAD,		/* waits for a request, or for the rest of one */
	HC_BODY,		/* receives an upload */
	HC_SEND,		/* sends a response */
	HC_LINGER,		/* has shut down, reads over what still comes */
};

struct hconn {
	struct hconn	*prev, *next;	/* least recently active first */
	int		fd;
	enum hstate	state;
	uint32_t	events;		/* what epoll watches */
	int64_t		active_ms, since_ms;	/* last moved; state's beginning */
	bool		keep;		/* connection stays after this response */
	bool		unread;		/* request body was not read: linger */
	bool		eof;
	char		*in;		/* received, not yet used */
	size_t		in_len, in_cap;
	char		*out;		/* head of the response, small bodies too */
	size_t		out_len, out_off;
	char		*map;		/* large body; unmapped at the end */
	size_t		map_len, body_off, body_end;
	struct upload	*up;
	char		*log;		/* request line, kept for the access log */
	int		status;
	uint64_t	sent;
};

struct server {
	struct rill_engine *e;
	int		ep, listener;	/* listener -1: no more connections */
	int		root;		/* directory that is served */
	bool		read_only, verbose, stopping, listener_off;
	uint64_t	max_upload;
	int		idle_ms;
	uint64_t	once;		/* stop after that many connections; 0: never */
	uint64_t	accepted;
	unsigned	nconns;
	struct hconn	lru;		/* head of the ring */
	int64_t		now_ms;
	char		date[HTTP_DATE_LEN];
	time_t		date_of;
	char		*buf;		/* SERVE_RECV bytes */
};

/* serve_conn.c */
void serve_accept(struct server *s);
void serve_event(struct server *s, struct hconn *c, uint32_t events);
void serve_close(struct server *s, struct hconn *c);
void serve_sweep(struct server *s);		/* those idle for too long */
void serve_stop(struct server *s);		/* no new ones, idle ones closed */
bool serve_watch(struct server *s, struct hconn *c, uint32_t events);

/* serve_req.c: each leaves a response in @c */
void serve_request(struct server *s, struct hconn *c, struct http_head *h);
void serve_error(struct server *s, struct hconn *c, int status);
/** @extra: further fields, each with CRLF; @body may be NULL. */
void serve_reply(struct server *s, struct hconn *c, int status, const char *extra,
		 const void *body, uint64_t body_len, bool send_body);
int serve_status(int err);		/* errno to HTTP */

/* serve_file.c */
int serve_open(struct server *s, const char *path, int flags);	/* fd or -errno */
ssize_t serve_guarded_writev(struct hconn *c, const struct iovec *iov, int n);
void serve_guard_install(void);
char *serve_listing(int fd, const char *path, size_t *len);	/* takes @fd */

/* serve_put.c */
void serve_put(struct server *s, struct hconn *c, const struct http_head *h,
	       const char *path);
/** Body bytes at @p; *@used are done.  Return: 0, 1 the body is over, -STATUS. */
int serve_put_data(struct hconn *c, const char *p, size_t n, size_t *used);
void serve_put_end(struct server *s, struct hconn *c);
void serve_put_abort(struct hconn *c);

#endif
