/* wire.h - connections that carry bytes, and those who come over them: the clients that a world file describes.
 *
 *     socket.c      what a program asks: it listens, lets in, connects, writes, closes
 *     wire.c        a connection: what is sent from one end arrives at the other, in order
 *     guest.c       a client of the world file: a step after the other
 *     guest_read.c  what it reads, and makes of that
 *     guest_trace.c its lines of the trace
 *
 *     end ── half a round trip ──▶ end          bytes, room (so many were read), the end of it, or that it broke
 *
 * What is sent and not yet known to be read is at most the other end's window. Who is sent no room waits. All that is
 * on its way to one end takes equally long, so one event an end is enough, that of what arrives next.
 */
#ifndef WIRE_H
#define WIRE_H

#include "operation.h"
#include "unit.h"

#include "protocol/bytes.h"
#include "protocol/http.h"
#include "protocol/websocket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest;
struct world;

/* What such operations are. Only the first three are a program's. */
enum socket_role { SOCKET_LISTEN, SOCKET_END, SOCKET_WRITE, SOCKET_CARRIER, SOCKET_TIMER, SOCKET_READER, SOCKET_STOP };

struct socket {
    struct operation operation;
    enum socket_role role;
    uint32_t program;
    /* An END's, a WRITE's, a CARRIER's; NULL: it has none, or has it no more. */
    struct end *end;
    /* A TIMER's, a READER's. */
    struct guest *guest;
    /* A listener's port; an END waiting for a client of this listener. */
    int64_t port;
    struct socket *listener;
    /* A WRITE's: size bytes, of which `sent` were. */
    char *data;
    size_t size, sent;
    /* A listener's: clients that have come and were not let in, and ENDs that wait for one. Its next one. */
    struct end *first, *last;
    struct line waiting;
    struct socket *next;
    bool closed;
    /* An END's: the address, or the seed, that comes with the HEAD. */
    char head[64];
    uint32_t head_size;
};

/* Something on its way to an end. */
struct arrival {
    int64_t time;
    enum arrives { ARRIVES_HELLO, ARRIVES_BYTES, ARRIVES_ROOM, ARRIVES_FIN, ARRIVES_RESET } what;
    size_t n;
};

/* One end of a connection. */
struct end {
    struct wire *wire;
    struct end *other;
    /* Whose it is: a program's operation, or a guest. Both NULL: nobody's any more. */
    struct socket *socket;
    struct guest *guest;
    /* The id of that operation, and its program; 0: it was not let in yet, or it is a guest's. */
    uint64_t number;
    uint32_t program;
    /* Nobody reads or writes here any more. */
    bool let_go;
    /* It takes in nothing and says nothing: its machine has gone. */
    bool silent;
    /* On their way; here and not read; handed over with the last wait. */
    struct pt_bytes coming, here, shown;
    struct arrival *arrivals;
    size_t arrival_first, arrival_count, arrival_room;
    struct socket *carrier;
    /* The most bytes to it on their way or not read. */
    size_t window;
    /* Bytes sent from here that the other end was not yet known to have read. */
    size_t outstanding;
    /* What is to be sent as soon as there is room: writes, or (a guest's, or of one who has let go) bytes. */
    struct line writes;
    struct pt_bytes pending;
    bool finishes, finished;
    /* The other side has; it broke. */
    bool over, broken;
    /* There was no memory for what should have arrived: it is about to break. */
    bool lost;
    /* In a listener's line. */
    struct end *next;
};

struct wire {
    struct wire *next, *prev;
    struct end ends[2];         /* who has connected, who was connected to */
    int64_t delay;
};

/* ---- What a world file says of clients ---- */

enum step_kind { STEP_WAIT, STEP_REQUEST, STEP_WEBSOCKET, STEP_TEXT, STEP_BINARY, STEP_PING, STEP_CLOSE, STEP_SEND,
                 STEP_RECEIVE, STEP_STALL, STEP_VANISH, STEP_STAY };
enum vanish { VANISH_FIN, VANISH_RST, VANISH_SILENCE };

struct step {
    int64_t kind;
    /* WAIT, STALL: so long. */
    int64_t time;
    /* REQUEST, WEBSOCKET. */
    char *path, *method, *headers;
    /* Do not wait for the answer's end. */
    bool stream;
    /* What is sent: a body, a message, bytes; a close's reason. */
    char *bytes;
    size_t size;
    int64_t code;
    int64_t how;
    /* RECEIVE: how many messages. Of the others: how often, and how long after each other. */
    int64_t times, every;
};

struct script {
    char *name;
    /* "app.test:8080", and the port. */
    char *host;
    int64_t port;
    int64_t at, rtt, window, rate, count, every;
    struct step *steps;
    size_t step_count;
};

/* ---- The clients themselves ---- */

enum guest_state { GUEST_WAITS, GUEST_CONNECTS, GUEST_READS_ANSWER, GUEST_READS_MESSAGES, GUEST_CLOSES, GUEST_STAYS,
                   GUEST_DONE };

struct guest {
    const struct script *script;
    int64_t number;
    size_t step;
    int64_t done_times;
    enum guest_state state;
    struct end *end;
    struct socket *timer, *reader;
    /* Bytes read and not understood yet. */
    struct pt_bytes text;
    size_t searched;
    /* It has sent a request and not read all of the answer; its WebSocket is open. */
    bool asked, has_head, opening, is_open, sent_close, got_close;
    struct http_head head;
    int status;
    struct http_body body;
    struct pt_bytes shown;         /* the body's first bytes, for the trace */
    uint64_t body_size;
    struct ws_reader reader_ws;
    /* Messages that have come and that no step has waited for; it waits as long as a step says. */
    int64_t messages;
    bool in_wait;
    /* So many bytes it is reading now, where it reads slowly. */
    size_t slice;
    uint64_t draws;
    int64_t stalled_until;
};

struct guests {
    struct script *scripts;
    size_t script_count;
    /* When a person asks the program to end; VW_UNLIMITED: when all of them are done. */
    int64_t stop;
    bool has_stop;
    struct guest *all;
    size_t count, busy;
    struct socket *stopper;
    /* What programs listen at. */
    struct socket *listeners;
    struct wire *wires;
    int64_t free_port;
    uint64_t seeds;
};

/* ---- socket.c ---- */
uint64_t vw_socket_submit(struct world *world, const struct world_request *request);
void vw_socket_step(struct world *world, struct socket *socket);
void vw_socket_cancel(struct world *world, struct socket *socket);
/* What is handed over of an END. False: there is nothing. */
void vw_socket_give(struct socket *socket, uint32_t parts, struct world_completion *out);
void vw_socket_forget(struct socket *socket);
struct socket *vw_listener_find(const struct world *world, int64_t port);
/* An operation of the world's own. NULL: no memory. */
struct socket *vw_socket_new(struct world *world, enum socket_role role);
/* A client has come to this end. False: the listener is gone. */
bool vw_listener_come(struct world *world, struct end *end);
/* Something has happened to an end that is a program's. */
void vw_end_tell(struct world *world, struct end *end, enum arrives what);
void vw_write_end(struct world *world, struct socket *write, int32_t rc);

/* ---- wire.c ---- */
/* Both ends are somebody's from now on; a HELLO is on its way to the second. NULL: no memory. */
struct wire *vw_wire_new(struct world *world, int64_t delay, size_t window);
/* Sends as much as there is room for of what is to be sent. */
void vw_end_pump(struct world *world, struct end *end);
void vw_end_send(struct world *world, struct end *end, const void *bytes, size_t size);   /* as there is room */
void vw_end_read(struct world *world, struct end *end, size_t n);
void vw_end_finish(struct world *world, struct end *end);
void vw_end_reset(struct world *world, struct end *end);
/* Whoever had it has gone; what was to be sent still goes. Frees the wire, once it is nobody's and empty. */
void vw_end_let_go(struct world *world, struct end *end);
void vw_carrier_step(struct world *world, struct end *end);
void vw_wires_free(struct guests *guests);

/* ---- guest.c ---- */
/* Clients are about to come. False: no memory. */
bool vw_guests_open(struct world *world);
void vw_guests_free(struct guests *guests);
void vw_guest_step(struct world *world, struct guest *guest);
/* What it waits for never comes: it goes on. */
void vw_guest_go_on(struct world *world, struct guest *guest);
/* It goes on with its next step. */
void vw_guest_next(struct world *world, struct guest *guest);
void vw_guest_frame(struct world *world, struct guest *guest, enum ws_opcode opcode, const void *bytes, size_t size);
/* Its connection is no more. */
void vw_guest_lost(struct world *world, struct guest *guest, const char *how);
void vw_guest_part(struct world *world, struct guest *guest);

/* ---- guest_read.c ---- */
void vw_guest_arrived(struct world *world, struct guest *guest);
void vw_guest_read(struct world *world, struct guest *guest);       /* its reader's time has come */
/* It reads nothing for a while. */
bool vw_guest_rests(const struct world *world, const struct guest *guest);
/* The server has ended what it sends. */
void vw_guest_over(struct world *world, struct guest *guest);
bool vw_guest_key(struct world *world, struct guest *guest, char key[WS_KEY + 1]);

/* ---- guest_trace.c ---- */
enum { VW_GUEST_NAME = 64 };
void vw_guest_name(const struct guest *guest, char name[VW_GUEST_NAME]);
void vw_trace_guest(const struct world *world, const struct guest *guest, const char *ev, const char *what,
                    const void *text, size_t size);
void vw_trace_answer(const struct world *world, const struct guest *guest);
void vw_trace_code(const struct world *world, const struct guest *guest, const char *ev, int code);

#endif
