/* http.h - what the files of the HTTP client share.
 *
 *     request.c   one request: what it sends, where redirects lead, how it is waited for
 *     answer.c    what comes back, in memory
 *     stream.c    what comes back, piece by piece
 *     session.c   connections and cookies that outlive a request; cookies.c: the cookies
 */
#ifndef HTTP_H
#define HTTP_H

#include "co.h"
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"

/* ---- request.c ---------------------------------------------------------------------------------- */

/* A request and its redirects, while they go on. */
struct fetch {
    struct co_task *self;
    const void *pc;                 /* the student's line                                             */
    bool blocking;                  /* the loop stands still meanwhile                                */
    int64_t deadline;               /* blocking: ns                                                   */
    const char *method;
    const char *url;                /* the student's, or `moved`                                      */
    uint32_t method_length, url_length;
    const char *headers, *session_headers;  /* NULL: none                                             */
    const void *body;
    size_t length;
    int redirects_left;             /* -1: none is followed                                           */
    bool once;                      /* never sent a second time                                       */
    bool left_site;                 /* a redirect led to another site: nobody's credentials go there  */
    bool body_dropped;              /* a redirect made a GET of it                                    */
    struct co_cookies *session;     /* NULL: none                                                     */
    uint32_t max_per_host;
    uint32_t window;                /* for the world; 0: none                                         */
    char *moved;                    /* where the last redirect led, or the student's URL made tidy; NULL: neither */
    char *credentials;              /* "Authorization: Basic ...\n" from the URL's user and password; NULL: none */
};

/* Begins with what a student asks for. 0, or -EINVAL, -ENOMEM: then there is nothing to end. */
int co__fetch_begin(struct fetch *fetch, struct co_task *self, const struct co_request *request, const void *pc);
void co__fetch_end(struct fetch *fetch);

/* Sends the request. Returns its operation; NULL: *rc says why. */
struct op *co__fetch_submit(struct fetch *fetch, void (*deliver)(struct op *, const struct world_completion *),
                            void *arg, int *rc);

/* Takes notice of the head of an answer. 1: it leads elsewhere, send again. 0: it is an answer. Or an error. */
int co__fetch_answered(struct fetch *fetch, int status, const char *headers);

/* Begins the limit on the request's time; -ENOMEM without memory. */
int co__fetch_limit(const struct fetch *fetch, struct co_timeout *limit, int64_t ns);

/* ---- answer.c ----------------------------------------------------------------------------------- */

/* The memory of an answer. */
struct co_answer {
    struct co_answer *next;         /* all answers not yet freed,                                     */
    struct co_answer **link;        /* and what points to this one                                    */
    const void *received_at;
    char *body;                     /* `length` bytes and a '\0'; grows while the answer comes in     */
    size_t length, capacity;        /* capacity 0: the body lies in this block, behind the headers    */
    char *headers;                  /* in this block                                                  */
};

/* An answer that comes in. Zero-filled: nothing has yet. */
struct incoming {
    struct co_answer *answer;       /* NULL: nothing has come                                         */
    int status;
    int64_t cpu;                    /* ns that handling it costs this program                         */
    bool no_memory;
};

void co__answer_deliver(struct op *op, const struct world_completion *completion);   /* op->arg: struct incoming */
void co__answer_drop(struct incoming *incoming);

/* It is complete: hands it out. 0 or -ENOMEM. */
int co__answer_finish(struct incoming *incoming, const void *pc, struct co_response *resp);

/* The value of a header in "Name: value\n" lines, its name in any case: *length bytes, no '\0' after them. NULL: none.
 * `*from` (which may be NULL: the first) is where the search begins, and where the next one may. */
const char *co__header_find(const char *lines, const char *name, size_t name_length, size_t *length, const char **from);

/* ---- cookies.c ---------------------------------------------------------------------------------- */

struct cookie;

/* A session: kept by the loop, never in the student's memory, until it is closed and none of its requests goes on. */
struct co_cookies {
    struct co_cookies *next, *prev; /* all sessions not yet closed                                    */
    const void *opened_at;
    uint32_t number;                /* the world's name for it                                        */
    uint32_t requests;              /* how many go on                                                 */
    bool closed;
    struct cookie *first;           /* longer paths first, then older ones: the order in which they are sent */
};

/* Writes "Cookie: a=b; c=d\n" for a URL, nothing without cookies; out NULL: counts only. Returns how many bytes. */
size_t co__cookies_write(const struct co_cookies *cookies, const char *url, int64_t now, char *out);

/* Keeps what the Set-Cookie lines of an answer from `url` say. 0 or -ENOMEM. */
int co__cookies_take(struct co_cookies *cookies, const char *url, const char *headers, int64_t now);

void co__cookies_clear(struct co_cookies *cookies);

/* ---- session.c ---------------------------------------------------------------------------------- */

/* A request of the session begins: its record, which stays at least until session_leave. NULL: no memory. */
struct co_cookies *co__session_enter(struct co_session *session, const void *pc);
void co__session_leave(struct co_cookies *record);

/* ---- At the end of a run ------------------------------------------------------------------------ */

void co__answers_report(struct loop *loop);             /* as leaks */
void co__flows_report(struct loop *loop);
void co__sessions_report(struct loop *loop);
void co__answers_leave(struct loop *loop);              /* they may still be freed, late */
void co__flows_free(struct loop *loop);
void co__sessions_free(struct loop *loop);

#endif
