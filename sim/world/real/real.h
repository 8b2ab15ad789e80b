/* real.h - what the files of the real world share: this machine's network,
 * files, CPUs and clock, over libuv and libcurl.
 *
 *     real.c        the five calls; opening and closing
 *     operation.c   what submit asked for, and what of it is to be handed over
 *     table.c       things found by their number
 *     alarm.c       waking up at a nanosecond
 *     interrupt.c   Ctrl-C
 *     http.c        requests: from submit to the last completion
 *     session.c     whose connections they use, and whose turn it is
 *     resolve.c     names of hosts
 *     transfer.c    one request in curl's hands
 *     socket.c      curl's sockets and timers
 *     watch.c       waiting for all of them
 *     verdict.c     curl's errors as errno values
 *     job.c         workers: threads
 *     file.c        the disk; file_work.c: what its threads do
 *     database.c    databases; database_sqlite.c: in a file; database_postgres.c: a server
 *     tcp.c         connections for bytes as they are; listener.c: what clients come to; dial.c: what is asked
 *     served.c      a world file that is served for real
 *
 * Everything runs on the loop's thread, within the calls, except jobs (job.c) and calls to the disk (file_work.c).
 */
#ifndef REAL_H
#define REAL_H

#include "world.h"

#include "trace/trace.h"

#include <curl/curl.h>
#include <uv.h>

#ifdef __linux__
#define RW_EPOLL
#endif

struct real;

/* ---- table.c --------------------------------------------------------------------------------- */

/* Things found by a number that is not 0. Zero-filled: empty. */
struct table {
    struct entry { uint64_t number; void *thing; } *slots;
    size_t count, mask;
};

void *rw_table_find(const struct table *table, uint64_t number);
bool rw_table_put(struct table *table, uint64_t number, void *thing);      /* a new number; false: no memory */
void rw_table_remove(struct table *table, uint64_t number);
void rw_table_free(struct table *table);

/* ---- operation.c ----------------------------------------------------------------------------- */

/* What submit asked for, until its last completion was handed over and nobody works on it any more. */
struct operation {
    uint64_t id, user;
    enum world_op kind;             /* HTTP: it is a struct exchange; JOB: a struct job; FILE: a struct access;
                                     * DATABASE: a struct query; SOCKET: a struct dial                      */
    int64_t t;                      /* when what is to be handed over happened                              */
    int32_t rc;                     /* once over                                                            */
    bool over;                      /* nothing more will happen to it                                       */
    bool offered;                   /* it is in the line of those that have something to hand over           */
    bool handed;                    /* its last completion was handed over                                  */
    bool at_work;                   /* a thread is busy with it: it cannot be freed yet                     */
    struct operation *next, *prev;  /* in that line; next also among the retired                            */
};

/* NULL: no memory */
struct operation *rw_operation_new(struct real *world, const struct world_request *request, size_t size);
void rw_operation_undo(struct real *world, struct operation *operation);    /* it never was */
/* It has something to hand over, as of now. */
void rw_operation_offer(struct real *world, struct operation *operation);
/* It is over: who is over first is told first. */
void rw_operation_end(struct real *world, struct operation *operation, int32_t rc);
/* A thread is done with an operation whose last completion may have been handed over before. */
void rw_operation_release(struct real *world, struct operation *operation);
size_t rw_operations_take(struct real *world, struct world_completion out[], size_t max);
/* Frees those whose last completion the caller has seen. */
void rw_operations_recycle(struct real *world);
void rw_operations_free(struct real *world);

/* ---- http.c, session.c, resolve.c ---------------------------------------------------------------- */

/* Exchanges that wait for the same, the oldest first. */
struct line { struct exchange *first, *last; };

/* A growing run of bytes. */
struct bytes { char *data; size_t size, room; };

/* One request and its answer. */
struct exchange {
    struct operation operation;     /* first, so that an operation of kind HTTP is one                      */
    struct session *session;
    struct site *site;              /* where its turn comes; NULL: there is no limit                         */
    bool has_turn;                  /* it is one of the site's active ones                                  */
    struct line *line;              /* where it waits; NULL: nowhere                                        */
    struct exchange *next, *prev;   /* in that line                                                         */
    char *request;                  /* method, URL, headers, body: the first three with a '\0' after each   */
    const char *url, *fields, *body;
    size_t length;                  /* of the body                                                          */
    uint32_t window;                /* 0: none                                                              */
    uint64_t credit;                /* with a window: so many more bytes may be handed over                 */
    CURL *easy;                     /* NULL: not in curl's hands                                            */
    struct curl_slist *headers, *resolve, *connect_to;
    bool once;                      /* never sent a second time: not over a connection used before           */
    bool sent, resent;              /* it was sent; once more, over another connection                      */
    bool paused;                    /* curl waits until the program has read more                           */
    size_t known;                   /* of what it brings next, so many bytes it has brought before          */
    int32_t failure;                /* why we, not curl, broke it off; 0: we did not                        */
    int status;
    size_t header_bytes;            /* so far, all heads together                                           */
    bool head_known, head_handed;   /* the answer's own head is complete; was handed over                   */
    struct bytes in;                /* what has come and was not handed over: the head first                */
    size_t head;                    /* how many bytes of it are the head                                    */
    size_t given;                   /* how many bytes of it the last completion showed                      */
    uint64_t received;              /* bytes of the body so far                                             */
    curl_socket_t opened[2];        /* the sockets opened last for it, until one is its connection: curl may try
                                     * two addresses at a time                                              */
};

/* Limits on what a server may send. (With a window, the body has none.) */
enum { RW_MOST_HEADERS = 256 * 1024, RW_MOST_BODY = 64 * 1024 * 1024 };

/* A host of which only so many exchanges of a session may be under way at a time. */
struct site {
    struct site *next;
    struct session *session;
    uint32_t active;
    struct line waiting;
    char name[];                    /* "http://host:port", in lower case                                    */
};

/* Whose connections they are: curl keeps them with its multi handle. */
struct session {
    struct real *world;
    struct session *next;           /* all of them                                                          */
    uint32_t number;                /* 0: of those requests that belong to none                             */
    CURLM *multi;
    uv_timer_t timer;               /* curl's                                                               */
    bool is_due;                    /* curl wants to be asked at once                                       */
    struct session *next_due;       /* among those                                                          */
    size_t requests;                /* that go on                                                           */
    bool closed;                    /* to be freed when none goes on                                        */
    struct site *sites;
};

/* A host whose name was asked for. */
struct host {
    struct host *next;
    struct real *world;
    uv_getaddrinfo_t question;
    bool asking;
    int64_t until;                  /* the answer holds up to then                                          */
    char *addresses;                /* "127.0.0.1,[::1]"; NULL: there is none                               */
    struct line waiting;
    char name[];
};

struct http {
    CURLSH *share;                  /* TLS sessions are resumed across connections                           */
    struct session *sessions, *due;
    struct host *hosts;
    struct line fresh;              /* submitted, not begun: curl runs within wait only                     */
    struct line resuming;           /* paused, and there is room again                                      */
    CURL *spare[64];                /* handles to be used again                                             */
    size_t spares;
    const char *ca_file, *ca_folder;    /* NULL: the system's                                               */
    bool proxied;                   /* then names of hosts are the proxy's business                         */
    struct socket **sockets;        /* by descriptor                                                        */
    size_t socket_room;
    uint64_t last_socket;           /* the newest one's number                                              */
    bool closing;                   /* the world is: nothing new begins                                     */
};

bool rw_http_open(struct real *world);
uint64_t rw_http_submit(struct real *world, const struct world_request *request);
void rw_http_read(struct real *world, struct exchange *exchange, uint64_t count);
void rw_http_cancel(struct real *world, struct exchange *exchange);
void rw_http_begin(struct real *world);            /* begins what was submitted, goes on with what was paused */
void rw_http_offer(struct exchange *exchange);     /* something has come: it is handed over, if it is worth it */
void rw_http_give(struct exchange *exchange, struct world_completion *out);
void rw_http_given(struct exchange *exchange);     /* what the last completion showed is no longer needed */
void rw_http_forget(struct exchange *exchange);    /* frees what it has besides itself */
void rw_http_close(struct real *world);
/* The exchange's transfer may begin: it has its turn, and its host is known. */
void rw_exchange_start(struct real *world, struct exchange *exchange);
void rw_exchange_end(struct real *world, struct exchange *exchange, int32_t rc);

void rw_line_add(struct line *line, struct exchange *exchange);
void rw_line_remove(struct exchange *exchange);

struct session *rw_session_find(struct real *world, uint32_t number);   /* made if need be; NULL: no memory */
void rw_session_close(struct real *world, uint32_t number);
void rw_session_leave(struct session *session);    /* one of its requests is over */
void rw_sessions_reap(struct real *world);         /* frees those that are closed and done; not within curl */
/* 1: it is its turn; 0: it waits for it; or -ENOMEM. */
int rw_site_enter(struct exchange *exchange, uint32_t limit);
void rw_site_leave(struct real *world, struct exchange *exchange);

/* 1: its host needs no answer, or has it; 0: it waits for one; or an error. */
int rw_resolve(struct real *world, struct exchange *exchange);
void rw_resolve_close(struct real *world);

/* ---- transfer.c, socket.c, verdict.c -------------------------------------------------------------- */

int rw_transfer_begin(struct real *world, struct exchange *exchange);       /* 0 or an error */
void rw_transfer_stop(struct real *world, struct exchange *exchange);       /* curl lets go of it */
bool rw_transfer_resume(struct exchange *exchange);
int32_t rw_verdict(const struct exchange *exchange, CURLcode code);         /* 0 or an error */

/* A descriptor of curl's. */
struct socket {
#ifdef RW_EPOLL
    uint32_t serial;                /* no two sockets' is the same, though their descriptors may be          */
#else
    uv_poll_t poll;
#endif
    struct real *world;
    struct session *session;        /* who is to be told                                                    */
    curl_socket_t fd;
    uint64_t number;                /* for the trace; 0: it is no connection, or not yet                    */
    int local_port, remote_port;    /* of a connection                                                      */
    int events, watched;            /* what curl waits for; what the kernel was asked for: CURL_CSELECT_IN, _OUT */
};

bool rw_sockets_attach(struct session *session);   /* its multi handle speaks to us from now on */
void rw_sockets_detach(struct session *session);   /* and no more */
void rw_sockets_act(struct real *world);           /* curl does what is due at once */
/* CURL_SOCKET_BAD: errno says why. */
curl_socket_t rw_socket_open(struct real *world, const struct curl_sockaddr *address);
/* The connection between these ports: one of those opened for this very request,
 * or (*reused) an earlier one. NULL: unknown. */
struct socket *rw_socket_connected(struct real *world, const curl_socket_t opened[2], int local, int remote,
                                   bool *reused);
int rw_socket_close(void *world, curl_socket_t fd);
struct socket *rw_socket_find(const struct real *world, curl_socket_t fd);     /* NULL: it is none of ours */
struct socket *rw_socket_of(struct real *world, curl_socket_t fd);      /* made if need be; NULL: no memory */
void rw_socket_ready(struct socket *socket, int what);      /* CURL_CSELECT_IN, _OUT: curl is told */
void rw_sockets_free(struct real *world);
void rw_messages(struct session *session);         /* ends those transfers that curl is done with */

/* ---- watch.c ---------------------------------------------------------------------------------------- */

bool rw_watch_open(struct real *world);
void rw_watch_close(struct real *world);
/* Lets happen what is there; with `wait`, until something is. */
void rw_watch_wait(struct real *world, bool wait);
bool rw_watch_begin(struct socket *socket);        /* false: it cannot be watched */
/* It is watched for this from now on; 0: for nothing. False: the kernel says no. */
bool rw_watch(struct socket *socket, int events);
void rw_watch_end(struct socket *socket);          /* before it is closed; frees it */
bool rw_watch_alarm(struct real *world, int fd);   /* where there is epoll */

/* ---- job.c ----------------------------------------------------------------------------------------- */

struct job {
    struct operation operation;
    int (*fn)(void *);
    void *argument;
    struct crew *crew;
    struct job *next;               /* in its crew's line, among those to be taken, or in the news          */
    uint32_t worker;                /* 0: none yet                                                          */
    bool begun, done, in_news, told;
    int32_t rc;
    int64_t cost;                   /* ns                                                                   */
};

struct jobs {
    uv_mutex_t mutex;               /* guards all that follows, and the jobs' own fields                    */
    uv_cond_t changed;
    struct crew *crews;
    struct job *ready_first, *ready_last;   /* have a worker's number, and wait for a thread                */
    struct job *news_first, *news_last;     /* have begun or ended                                          */
    uv_thread_t *threads;
    size_t thread_count, idle, ready_count;
    uint32_t cpus;
    bool stop;
};

bool rw_jobs_open(struct real *world);
uint64_t rw_job_submit(struct real *world, const struct world_request *request);
void rw_job_cancel(struct real *world, struct job *job);
void rw_jobs_news(struct real *world);
void rw_jobs_close(struct real *world);

/* ---- file.c, file_work.c ---------------------------------------------------------------------------- */

struct access;
struct files {
    struct table openings;
    char **touched;                 /* with a trace: paths that the program made, wrote or renamed          */
    size_t touched_count;
};

uint64_t rw_file_submit(struct real *world, const struct world_request *request);
void rw_file_cancel(struct real *world, struct access *access);
void rw_file_give(struct access *access, struct world_completion *out);
void rw_file_forget(struct access *access);
void rw_files_trace(struct real *world);
void rw_files_close(struct real *world);

/* ---- database.c ---------------------------------------------------------------------------------------- */

struct client;
struct query;
uint64_t rw_query_submit(struct real *world, const struct world_request *request);
void rw_query_cancel(struct real *world, struct query *query);
void rw_query_give(const struct query *query, struct world_completion *out);
void rw_query_forget(struct query *query);
void rw_databases_close(struct real *world);

/* ---- dial.c --------------------------------------------------------------------------------------------- */

struct dial;
uint64_t rw_dial_submit(struct real *world, const struct world_request *request);
void rw_dial_cancel(struct real *world, struct dial *dial);
void rw_dial_give(struct dial *dial, struct world_completion *out);
void rw_dial_forget(struct dial *dial);
void rw_dials_close(struct real *world);

/* ---- served.c ------------------------------------------------------------------------------------------- */

/* A world file that is served for real. Zero-filled: there is none, the world is the machine's own. */
struct served {
    const char *map;                /* CO_CONNECT_TO; NULL: names are looked up as usual                    */
    struct co_world *disk;          /* whose disk it is; NULL: the machine's                                */
    size_t pending;                 /* calls to that disk that have not ended                               */
};

bool rw_served_open(struct real *world, char *error, size_t size);      /* false: CO_DISK is no world file */
void rw_served_close(struct real *world);
/* Where host ("a.test:80") is: 1, and exchange->connect_to says it; or -ENXIO, -ENOMEM. */
int rw_served_find(struct real *world, struct exchange *exchange, const char *host, size_t length);
/* A connection takes one of the descriptors that the world file grants, or gives it back. False: none is left. */
bool rw_served_socket(struct real *world, bool opens);
/* What handling the answer costs the program's CPU, as its server says; ns. */
int64_t rw_served_cpu(const struct real *world, const struct exchange *exchange);
/* The connection was refused, as only a served world can say so late: the error; 0: it was not. */
int32_t rw_served_refusal(const struct real *world, const struct exchange *exchange);
/* Sleeps until shortly before that; in a served world only. In any thread. */
void rw_served_rest(const struct real *world, int64_t until);
/* Calls to the disk, and the program's end: the disk's id, or 0. */
uint64_t rw_served_submit(struct real *world, const struct world_request *request);
bool rw_served_cancel(struct real *world, uint64_t id);                 /* false: it is none of the disk's */
size_t rw_served_take(struct real *world, struct world_completion out[], size_t max);
int64_t rw_served_next(const struct real *world);                       /* when the disk will next do something */

/* ---- alarm.c, interrupt.c ----------------------------------------------------------------------------- */

bool rw_alarm_open(struct real *world);
void rw_alarm_set(struct real *world, int64_t until);      /* at the latest; INT64_MAX: never */
void rw_alarm_rings(struct real *world);           /* where there is a timerfd: it is ready */
void rw_alarm_close(struct real *world);

void rw_interrupt_open(struct real *world);
bool rw_interrupt_asked(struct real *world);       /* since the last time */
void rw_interrupt_close(struct real *world);

/* ---- real.c --------------------------------------------------------------------------------------------- */

struct real {
    struct co_world calls;          /* first, so that a struct co_world * is a struct real *               */
    struct trace *trace;            /* NULL: nowhere                                                        */
    uv_thread_t thread;             /* whose loop it is                                                     */
    uv_loop_t loop;
    uint64_t begin;                 /* uv_hrtime when it was opened                                         */
    bool polling;                   /* libuv is at work                                                     */
    int64_t polled;                 /* when libuv last had a look                                           */
    uv_async_t wake;                /* from another thread, or a signal's handler                           */
    int set;                        /* epoll's                                                              */
    uint32_t last_serial;           /* the newest socket's                                                  */
    int64_t alarm_at;
    int alarm_fd;
    uv_timer_t alarm_timer;         /* where there is no timerfd                                            */
    bool interrupted;               /* not yet handed over                                                  */
    uint64_t last_id;
    size_t pending;                 /* operations that are not over                                         */
    struct table operations;
    struct operation *first, *last; /* those that have something to hand over                               */
    struct operation *retired;
    struct http http;
    struct jobs jobs;
    struct files files;
    struct client *clients;         /* connections to databases                                             */
    struct table links, listeners;  /* connections for bytes, and what clients come to                      */
    struct served served;
};

int64_t rw_now(const struct real *world);
/* Begins a line of the trace; NULL: there is none. */
struct trace *rw_trace(const struct real *world, const char *ev, uint64_t op);

#endif
