/* judge.h - inside the judge: the process that holds the world while a grade is made.
 *
 * The programs that it serves hold a descriptor each (sim/world/remote/wire.h) and nothing else: no world file, no
 * seed, no tape, no clock. What the judge saw stands in its record, a trace of the world's lines, and of its own about
 * who came and went.
 *
 * One program is served at a time, until it waits; then the next, in the order in which they were named. So what
 * happens at one instant happens in an order that no scheduler decides. When all of them wait, and not before,
 * time moves.
 *
 *     judge.c ──▶ clock.c: all wait, time moves
 *             ──▶ program.c: a message is received ──▶ request.c: it is held to the rules, goes to the world
 *                                                  ──▶ answer.c: what happened goes back
 *
 * Whatever a program sends, it is that program whose service ends, never the judge.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "world/remote/wire.h"
#include "world/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MOST_PROGRAMS = 15,                 /* one more would not fit into a number of theirs (request.c)  */
    MOST_PENDING = 1 << 18,             /* operations of one program under way; a further one finds no memory  */
    MOST_WORKERS = 1 << 20,             /* of one pool                                                  */
    MOST_BYTES = 256 << 20,             /* that a program may send with its requests, in all            */
    MOST_UNREAD = 64 << 20,             /* bytes that may lie here for a program that computes          */
    MOST_DEPTH = 64,                    /* of a report's JSON                                           */
};

/* What the command line says. */
struct judge_settings {
    const char *world;                  /* as world_virtual_open has it                                 */
    uint64_t seed;
    const char *tape;                   /* NULL: none                                                   */
    const char *record;                 /* where the record goes                                        */
    const char *program;                /* its name there                                               */
    int64_t seconds;                    /* of real time that all of it may take                         */
    uint64_t messages;                  /* that one program may send                                    */
    uint64_t record_bytes;              /* that the record may have; somewhat more are written           */
};

enum program_state {
    PROGRAM_NEW,                        /* has not said HELLO                                           */
    PROGRAM_RUNS,                       /* it is its turn                                               */
    PROGRAM_WAITS,                      /* until something happens, or until `until`                    */
    PROGRAM_COMPUTES,                   /* until `until`, whatever happens                              */
    PROGRAM_LEFT,
};

/* Who asked for an operation, and by which mark of its own. The world's `user` is a pointer to it. */
struct mark {
    struct program *program;
    uint64_t id, user;
    uint64_t fn, job;                   /* of a job: what the program is to call                        */
    struct mark *next, *prev;           /* its neighbours in the program's list                         */
};

/* A completion that its program cannot take yet. Its data is a copy, here. */
struct unread {
    struct world_completion completion;
    char *data;
};

struct program {
    struct judge *judge;
    int fd;
    uint32_t number;                    /* from 1                                                       */
    enum program_state state;
    int64_t until;
    int64_t ns;                         /* it computes so long                                           */
    size_t max;                         /* it takes so many completions                                 */
    bool asked_urls;
    bool in_job;                        /* one of its jobs runs                                          */
    bool ended;                         /* it has said WORLD_FINISH                                     */
    uint64_t messages, bytes;           /* that it has sent                                             */
    struct mark marks;                  /* the head of the ring of its operations                        */
    size_t pending;                     /* how many those are                                           */
    struct unread *unread;              /* the first `unread_count` of unread_room                       */
    size_t unread_count, unread_room, unread_bytes;
};

struct judge {
    const struct judge_settings *settings;
    struct co_world *world;
    struct trace *trace;
    struct tape *tape;
    struct program programs[MOST_PROGRAMS];
    size_t count;
    int64_t deadline;                   /* ns of the machine's clock                                     */
    const char *failed;                 /* why the judge itself cannot go on; NULL: it can                */
    /* The message that came last, and the answer being made. */
    union { struct wire_head head; struct wire_answer begin; char bytes[WIRE_PACKET]; } in, out;
};

/* Serves a program at each of the n descriptors, which it closes, until the last one has left. Returns 0, 2 (the
 * settings are wrong) or 3 (the judge cannot go on, and the record is not whole), then with a line in error[size]. */
int judge_serve(const struct judge_settings *settings, const int fds[], size_t n, char *error, size_t size);

/* ---- program.c: one program, its connection, its messages -------------------------------------------- */

/* Receives the program's next message into judge->in. False: it is served no longer. */
bool program_receive(struct program *program);
/* Receives one, and does what it asks for. */
void program_step(struct program *program);
/* How an answer of `size` bytes begins. */
struct wire_answer program_begin(const struct program *program, enum wire_kind kind, size_t size);
/* Sends an answer of `size` bytes, whose beginning is filled in here. */
void program_answer(struct program *program, void *answer, enum wire_kind kind, size_t size);
/* The function of each job, as the world knows it: has the program run it. */
int program_call(void *mark);
/* It is served no longer: `why` as the trace has it, told: a sentence or NULL. */
void program_leave(struct program *program, const char *why, const char *told);
/* What it sent is wrong. */
void program_refuse(struct program *program, const char *told);
void program_free(struct program *program);

/* ---- request.c: what a program asks of the world ------------------------------------------------------ */

/* The message in judge->in is a SUBMIT, or a CANCEL. */
void request_submit(struct program *program);
void request_cancel(struct program *program);
/* Gives up all that it has under way. */
void request_give_up(struct program *program);
/* A mark whose operation has ended. */
void mark_free(struct mark *mark);

/* ---- answer.c: what happened, on its way back ----------------------------------------------------------- */

/* Puts the program's own mark into a completion, in the place of ours. Returns whose it is. */
struct program *answer_translate(struct world_completion *completion);
/* Sends what has happened, already translated. */
void answer_happened(struct program *program, const struct world_completion happened[], size_t n);
void answer_urls(struct program *program);

/* ---- clock.c ---------------------------------------------------------------------------------------------- */

/* All wait: lets time pass until one of them goes on. */
void clock_pass(struct judge *judge);

#endif
