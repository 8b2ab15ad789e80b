/* tcp.h - what the files about connections for bytes share.
 *
 *     tcp.c         one connection: it opens, reads, writes, closes
 *     listener.c    those that clients come to
 *     dial.c        what a program asks: its operations
 */
#ifndef REAL_TCP_H
#define REAL_TCP_H

#include "real.h"

enum { MOST_ADDRESS = 300 };

/* A connection. */
struct link {
    uv_tcp_t handle;                /* first                                                                */
    struct real *world;
    uint64_t number;                /* the id of its operation                                              */
    struct dial *dial;              /* that; NULL: its last completion was handed over, or it was given up    */
    struct bytes in, shown;         /* what has come: not handed over; with the last completion             */
    size_t head;                    /* so many bytes of `in` are the HEAD's                                 */
    size_t room;                    /* so many bytes may still come                                         */
    bool open, reading, over, finishing, closing, resolved;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    uv_getaddrinfo_t question;
    struct addrinfo *addresses, *next;
};

struct listener {
    uv_tcp_t handle;                /* first                                                                */
    struct real *world;
    uint64_t number;
    size_t come;                    /* clients that wait to be let in                                       */
    struct dial *first, *last;      /* ACCEPTs that wait for one                                            */
};

/* An operation: an ACCEPT or CONNECT, a LISTEN, a WRITE. */
struct dial {
    struct operation operation;
    uint32_t call;
    uint64_t listener;
    size_t window;
    struct link *link;              /* NULL: none                                                           */
    struct dial *next;              /* among those that wait                                                */
    bool head_handed;
    uv_write_t write;
    char *data;
};

/* ---- tcp.c ---- */
/* NULL: no memory. The dial is its operation. */
struct link *rw_link_new(struct real *world, struct dial *dial);
/* It is there: with the HEAD comes `head`. */
void rw_link_opened(struct link *link, const void *head, size_t size);
/* Nothing more comes. */
void rw_link_over(struct link *link, int32_t rc);
void rw_link_read_on(struct link *link);
void rw_link_write(struct real *world, struct dial *dial, const struct world_request *request);
/* Nothing more will be written. */
void rw_link_finish(struct link *link);
/* At once; frees it, by and by. */
void rw_link_close(struct link *link);
/* What was written still goes; then it is closed. */
void rw_link_leave(struct real *world, struct link *link);
void rw_link_connect(struct real *world, struct dial *dial, const struct world_request *request);

/* ---- listener.c ---- */
int32_t rw_listener_open(struct real *world, struct dial *dial, const struct world_request *request);
void rw_listener_let_in(struct real *world, struct dial *dial, uint64_t number);
void rw_listener_close(struct real *world, struct listener *listener);
void rw_listener_free(struct listener *listener);
/* The dial no longer waits for a client. */
void rw_listener_forget(struct real *world, struct dial *dial);

/* ---- dial.c ---- */
/* "HOST:PORT", a port of digits. False: it is none. */
bool rw_address_split(const char *data, size_t size, char host[MOST_ADDRESS], char port[8]);
void rw_socket_trace(struct real *world, const char *ev, uint64_t number);
/* libuv's error as world.h has it. */
int32_t rw_socket_error(int code);
void rw_dial_end(struct real *world, struct dial *dial, int32_t rc);

#endif
