/* wire.h - what a program and the judge that holds its world say to each other.
 *
 * They have one SOCK_SEQPACKET socket pair, an end each. A message is one packet: a struct of this file, which begins
 * with its kind and its whole length, and what its comment says follows. The program asks and the judge answers, one
 * message for one, in this order:
 *
 *     program                       judge
 *     (URLS                         LIST)             at most once, before HELLO
 *     HELLO                         WELCOME           the world is open, its clock is running
 *     SUBMIT, then its DATA         ID
 *     CANCEL                        DONE
 *     CHOOSE                        OPTION            if the judge holds a tape
 *     BLOCK                         TIME
 *     WAIT                          HAPPENED
 *     a SUBMIT of WORLD_FINISH      ID                nothing may follow, but the end of the connection
 *
 * While the program waits for TIME or HAPPENED the judge may say CALL instead: a job of the program's begins. The
 * program runs it, may meanwhile SUBMIT what gives no completion, and CANCEL, and says RETURNED; then the judge goes on
 * as before. So there is always one side whose turn it is.
 *
 * Numbers are as the machine has them: both run on it. The judge believes nothing that a program says: whatever is not
 * as described here ends that program's service, and stands in the record. The program believes the judge.
 *
 * What is larger than a packet: the program sends it in DATA messages, each as full as can be but for the last one. The
 * judge writes it into memory that it then seals (memfd), and sends the descriptor along.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

enum {
    WIRE_VERSION = 1,
    WIRE_PACKET = 64 << 10,         /* bytes: no message is longer                                    */
    WIRE_AT_ONCE = 64,              /* the most completions in one answer                              */
    WIRE_ENDED = 70,                /* with this code a program exits whose judge serves it no longer  */
};

enum wire_kind {
    WIRE_URLS = 1, WIRE_HELLO, WIRE_SUBMIT, WIRE_DATA, WIRE_CANCEL, WIRE_CHOOSE, WIRE_BLOCK, WIRE_WAIT, WIRE_RETURNED,
    WIRE_LIST = 101, WIRE_WELCOME, WIRE_ID, WIRE_DONE, WIRE_OPTION, WIRE_TIME, WIRE_HAPPENED, WIRE_CALL,
};

/* At the beginning of each message; the whole of URLS. Behind it in DATA: the next bytes of a request. */
struct wire_head {
    uint32_t kind;                  /* of enum wire_kind                                        */
    uint32_t size;                  /* of the whole packet                                      */
};

/* ---- From the program ------------------------------------------------------------------------- */

struct wire_hello {
    struct wire_head head;
    uint64_t version;               /* WIRE_VERSION                                             */
};

/* struct world_request (world.h), of which the members mean the same. Its first bytes of data follow. */
struct wire_submit {
    struct wire_head head;
    uint32_t op, task;
    uint64_t user;
    uint32_t session, max_per_host, window, sending, blocking, pool, workers, call, mode, unused;
    uint32_t lengths[4];
    uint64_t id, fn, job, file, count;
    uint64_t size;                  /* of all of its data                                       */
};

struct wire_cancel {
    struct wire_head head;
    uint64_t id;
};

struct wire_choose {
    struct wire_head head;
    uint32_t what;                  /* of enum wire_choice                                      */
    uint32_t n;                     /* how many options, from 1                                 */
};

enum wire_choice { WIRE_READY, WIRE_CANCEL_NOW, WIRE_CHOICES };

struct wire_block {
    struct wire_head head;
    int64_t ns;
};

struct wire_wait {
    struct wire_head head;
    int64_t until;
    uint64_t max;                   /* completions, at most WIRE_AT_ONCE                         */
};

struct wire_returned {
    struct wire_head head;
    int32_t rc, unused;             /* what the job's function returned                         */
    int64_t ns;                     /* how long it has computed, from 0                         */
};

/* ---- From the judge --------------------------------------------------------------------------- */

/* At the beginning of each answer; the whole of DONE. */
struct wire_answer {
    struct wire_head head;
    uint64_t lines;                 /* how many the record has, without its first: where this lies among them */
};

/* Bytes that belong to an answer: they follow it, or fill the memory whose descriptor comes along. */
struct wire_bytes {
    uint64_t size;
    uint64_t elsewhere;             /* 1: in that memory                                        */
};

/* The URLs of the world's routes, each ended by a NUL. */
struct wire_list {
    struct wire_answer begin;
    int64_t count;
    struct wire_bytes bytes;
};

struct wire_welcome {
    struct wire_answer begin;
    int64_t now;
    uint64_t has_tape;              /* 1: the judge holds one, and is to be asked               */
};

struct wire_id {
    struct wire_answer begin;
    uint64_t id;                    /* as submit returns it; 0: memory is out                   */
};

struct wire_option {
    struct wire_answer begin;
    uint64_t option;
};

struct wire_time {
    struct wire_answer begin;
    int64_t now;
};

/* struct world_completion. */
struct wire_completion {
    uint64_t id, user;
    int64_t t;
    uint32_t parts;
    int32_t rc, status;
    uint32_t head;
    int64_t cpu;
    uint64_t at, size;              /* where among the answer's bytes its data lies             */
};

/* `count` struct wire_completion follow, then the bytes. */
struct wire_happened {
    struct wire_answer begin;
    int64_t now;
    uint64_t count;
    struct wire_bytes bytes;
};

struct wire_call {
    struct wire_answer begin;
    int64_t now;                    /* when the job begins                                      */
    uint64_t fn, job;
};

#endif
