/* tcp.h - connections that carry bytes as they are, and what is made of them: what the files about servers share.
 *
 *     tcp.c         a connection: bytes in, bytes out
 *     gate.c        a server: who is let in
 *     client.c      one client of it: a request after the other
 *     call.c        what a request says
 *     reply.c       what it is answered
 *     route.c       which handler it goes to
 *     socket.c      a WebSocket: messages in and out
 *     opening.c     how one is opened
 *
 * What has come and was not read lies in a buffer of at most WINDOW bytes; the world is told what was read. What is to
 * be sent lies in another one: the world takes it as fast as the other side reads.
 */
#ifndef CO_OUTSIDE_TCP_H
#define CO_OUTSIDE_TCP_H

#include "co_server.h"
#include "protocol/bytes.h"
#include "protocol/http.h"
#include "protocol/random.h"
#include "protocol/websocket.h"
#include "runtime/state/loop.h"

enum { TCP_WINDOW = 64 * 1024, TCP_BUFFER = 64 * 1024 };

/* A connection. */
struct tcp {
    struct tcp *next, *prev;        /* all of the loop's                                              */
    uint64_t number;                /* the world's                                                    */
    struct op *op;                  /* its bytes come with it; NULL: it has ended                      */
    struct op *writing, *spent;     /* what is on its way; one that has ended, to be freed            */
    bool open;                      /* it is there                                                    */
    bool over;                      /* nothing more comes: */
    int rc;                         /* 0, or how it broke                                             */
    bool lost;                      /* nothing more can be sent, either                               */
    uint8_t seed[WORLD_SEED];       /* of one's own connecting                                        */
    struct pt_bytes in;             /* that have come, and nobody has read                            */
    uint64_t untold;                /* bytes read of which the world does not know yet                */
    char *out;                      /* out_size bytes that nobody has taken yet                       */
    size_t out_size, out_room;
    size_t under_way;               /* bytes of `writing`                                             */
    size_t buffer;                  /* so many may wait before a sender does                          */
    struct co_waiters readers, writers;
    struct co_gate *gate;           /* of a server's; its task waits for `open`                       */
};

/* A server. */
struct co_gate {
    struct co_gate *next, *prev;
    const void *opened_at;
    uint64_t number;                /* the world's                                                    */
    struct co_server_options options;
    bool closed, serving, stopping;
    struct tcp *coming;             /* what the next client will come by; NULL: nobody is waited for  */
    struct co_client *clients;      /* the newest first                                               */
    int count;
    struct co_waiters waiting;      /* its own task                                                   */
    const struct co_route *routes;
    size_t route_count;
    void *arg;
    const void *pc;                 /* the line of co_serve                                           */
};

/* One of its clients. */
struct co_client {
    struct co_client *next, *prev;
    struct co_gate *gate;
    struct tcp *tcp;
    bool resting;                   /* between two requests                                           */
    struct co_call call;
    char *bytes;                    /* the head of its request                                        */
    struct http_head head;
    struct http_body body;
    const struct co_route *route;
    char *whole;                    /* the body, once somebody wanted all of it                       */
    size_t whole_size;
    bool said_continue;
    bool answered;                  /* its answer has begun                                           */
    bool in_pieces;                 /* and is sent piece by piece, */
    bool chunked;                   /* in chunks                                                      */
    bool ended;                     /* its answer is whole                                            */
    bool keeps;                     /* another request may follow                                     */
    struct co_socket *socket;       /* it has become a WebSocket's; NULL: not, or it was ended         */
    bool upgraded;
};

/* A WebSocket. */
struct co_socket {
    struct co_socket *next, *prev;  /* all of the loop's                                              */
    const void *opened_at;
    struct tcp *tcp;
    struct co_client *client;       /* NULL: we have connected                                        */
    struct ws_reader reader;
    struct random random;           /* for masks                                                      */
    int64_t timeout;
    bool sent_close;                /* we have said that we close it                                  */
    int64_t close_by;               /* then: when we no longer wait for the answer                    */
    bool ended;                     /* nothing more will be read: */
    int rc, code;                   /* what co_ws_recv returns from then on, and ws->code             */
    char reason[WS_MOST_REASON + 1];
    bool receiving;                 /* a task waits for a message                                     */
    bool in_pieces;                 /* a message has begun, and its last piece was not sent           */
    struct utf8 utf8;               /* of that message                                                */
};

/* All that the loop knows of servers; made with the first of them. */
struct servers {
    struct tcp *tcps;
    struct co_gate *gates;
    struct co_socket *sockets;
};

/* ---- tcp.c ------------------------------------------------------------------------------------ */

struct servers *co__servers(void);          /* NULL: no memory */
/* What is left of them at the end of a run. Weak: a program without servers is linked without all this. */
void co__servers_report(struct loop *loop) __attribute__((weak));
void co__servers_free(struct loop *loop) __attribute__((weak));

/* A connection that an ACCEPT or CONNECT is to bring. NULL: no memory. */
struct tcp *co__tcp_new(struct world_request *request);
/* It is wanted no more; what was sent still goes. Frees it. */
void co__tcp_close(struct tcp *tcp);
/* Nothing more will be sent, and the other side is told so. */
void co__tcp_finish(struct tcp *tcp);

/* Waits until more than `have` bytes are unread, or nothing more comes, or readers are woken. 0 or an error. */
int co__tcp_await(struct co_task *self, struct tcp *tcp, size_t have);
static inline char *co__tcp_unread(const struct tcp *tcp)
{
    return pt_bytes_begin(&tcp->in);
}
void co__tcp_consume(struct tcp *tcp, size_t n);
void co__tcp_wake_readers(struct tcp *tcp);

/* Waits until fewer than `buffer` bytes wait to be sent. 0, -ECONNRESET, -ECANCELED; with `try` -EAGAIN. */
int co__tcp_await_room(struct co_task *self, struct tcp *tcp, bool try);
/* Waits until all has been taken by the network. */
int co__tcp_drain(struct co_task *self, struct tcp *tcp);
/* Adds bytes; they go when they are flushed. False: no memory, and nothing was added. */
bool co__tcp_reserve(struct tcp *tcp, size_t size);
void co__tcp_put(struct tcp *tcp, const void *bytes, size_t size);     /* into what was reserved */
void co__tcp_flush(struct tcp *tcp);
static inline size_t co__tcp_unsent(const struct tcp *tcp)
{
    return tcp->out_size + tcp->under_way;
}

/* Begins a limit of ns. 0 or -ENOMEM. */
int co__limit_begin(struct co_task *self, struct co_timeout *limit, int64_t ns);

/* ---- client.c, call.c, reply.c, route.c --------------------------------------------------------- */

int co__client_run(void *client);
/* Its server stops: if it rests, it is closed; its WebSocket is told. */
void co__client_stop(struct co_client *client);
/* Finds the route; NULL: *status says 404 or 405. */
const struct co_route *co__route_find(const struct co_gate *gate, const char *method, const char *path, int *status);
/* The part of the path that stands where the route has ":name" (length of name). NULL: it has none. */
const char *co__route_part(const char *route, const char *path, const char *name, size_t *length);
/* Sends a whole answer without a handler, after which the connection is closed. */
void co__refuse_client(struct co_client *client, int status, const char *headers);
/* Ends an answer that was sent in pieces. */
void co__reply_end(struct co_client *client, bool whole);
/* Reads what the handler has left of the body, if it is little. False: it is not. */
bool co__call_skip(struct co_task *self, struct co_client *client);
/* The client of a call that may be answered now by `self`; NULL: *rc says why not. */
struct co_client *co__call_enter(struct co_call *call, const void *pc, int *rc, struct co_task **self);

/* ---- socket.c -------------------------------------------------------------------------------------- */

struct co_socket *co__socket_new(struct tcp *tcp, struct co_client *client, const struct co_ws_options *options,
                                 const void *pc);
void co__socket_free(struct co_socket *socket);
/* Says that it is closed, if that was not said. */
void co__socket_say_close(struct co_socket *socket, int code, const char *reason);

#endif
