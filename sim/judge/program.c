/* program.c - one program: its connection, its messages, and how its service ends. */
#define _GNU_SOURCE
#include "judge.h"

#include "explore/tape.h"
#include "trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS = 256 };               /* after so many messages the clock and the record are looked at */

/* ---- Joining and leaving --------------------------------------------------------------------------- */

static void begin_line(const struct program *program, const char *ev)
{
    const struct judge *judge = program->judge;
    trace_begin(judge->trace, judge->world->now(judge->world), TRACE_JUDGE, ev);
    trace_int(judge->trace, "program", program->number);
}

void program_leave(struct program *program, const char *why, const char *told)
{
    struct judge *judge = program->judge;
    if (program->state == PROGRAM_LEFT)
        return;
    program->state = PROGRAM_LEFT;
    close(program->fd);
    program->fd = -1;
    begin_line(program, "leave");
    trace_str(judge->trace, "why", why, strlen(why));
    if (told)
        trace_str(judge->trace, "told", told, strlen(told));
    trace_int(judge->trace, "messages", (int64_t)program->messages);
    trace_end(judge->trace);
    if (judge->count > 1)
        request_give_up(program);       /* what a dead process had under way dies with it, as others go on */
}

void program_refuse(struct program *program, const char *told)
{
    program_leave(program, "wrong", told);
}

void program_free(struct program *program)
{
    if (program->fd >= 0)
        close(program->fd);
    while (program->marks.next != &program->marks)
        mark_free(program->marks.next);
    for (size_t i = 0; i < program->unread_count; i++)
        free(program->unread[i].data);
    free(program->unread);
}

/* ---- Sending and receiving ------------------------------------------------------------------------- */

struct wire_answer program_begin(const struct program *program, enum wire_kind kind, size_t size)
{
    return (struct wire_answer){{kind, (uint32_t)size}, trace_lines(program->judge->trace)};
}

void program_answer(struct program *program, void *answer, enum wire_kind kind, size_t size)
{
    struct wire_answer begin = program_begin(program, kind, size);
    memcpy(answer, &begin, sizeof begin);
    if (send(program->fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        program_refuse(program, "it does not read what it is answered");
    else
        program_leave(program, "gone", NULL);
}

/* Whether it has used up what the judge grants; then it is served no longer. */
static bool is_too_much(struct program *program)
{
    const struct judge *judge = program->judge;
    struct timespec now;
    struct stat record;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec * 1000000000 + now.tv_nsec >= judge->deadline)
        program_leave(program, "limit", "its time was up");
    else if (program->messages > judge->settings->messages)
        program_leave(program, "limit", "it sent more messages than a run may");
    else if (stat(judge->settings->record, &record) == 0 && (uint64_t)record.st_size > judge->settings->record_bytes)
        program_leave(program, "limit", "it did more than the record has room for");
    return program->state == PROGRAM_LEFT;
}

/* One packet into judge->in, whatever it is. Returns its length, or -1. */
static ssize_t receive_packet(struct program *program)
{
    struct judge *judge = program->judge;
    for (;;) {
        ssize_t size = recv(program->fd, judge->in.bytes, WIRE_PACKET, MSG_TRUNC);
        if (size > 0)
            return size;
        if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            program_leave(program, program->ended ? "ended" : "gone", NULL);
            return -1;
        }
        if (is_too_much(program))
            return -1;
    }
}

bool program_receive(struct program *program)
{
    const struct judge *judge = program->judge;
    ssize_t size = receive_packet(program);
    if (size < 0)
        return false;
    program->messages++;
    if ((program->messages % LOOKS == 0 || program->messages > judge->settings->messages) && is_too_much(program))
        return false;
    if (size > WIRE_PACKET)
        program_refuse(program, "a message is longer than messages are");
    else if ((size_t)size < sizeof judge->in.head)
        program_refuse(program, "a message is shorter than messages are");
    else if (judge->in.head.size != (size_t)size)
        program_refuse(program, "a message is not as long as it says");
    return program->state != PROGRAM_LEFT;
}

/* ---- Messages ----------------------------------------------------------------------------------------- */

static void hello(struct program *program)
{
    struct judge *judge = program->judge;
    struct wire_hello hello;
    memcpy(&hello, &judge->in, sizeof hello);
    if (hello.version != WIRE_VERSION) {
        program_refuse(program, "it speaks another version of the wire");
        return;
    }
    begin_line(program, "join");
    trace_end(judge->trace);
    program->state = PROGRAM_RUNS;
    struct wire_welcome welcome = {.now = judge->world->now(judge->world), .has_tape = judge->tape != NULL};
    program_answer(program, &welcome, WIRE_WELCOME, sizeof welcome);
}

static void choose(struct program *program)
{
    static const char *const labels[WIRE_CHOICES] = {"ready", "cancel"};
    struct judge *judge = program->judge;
    struct wire_choose choose;
    memcpy(&choose, &judge->in, sizeof choose);
    if (!judge->tape || choose.what >= WIRE_CHOICES || choose.n < 1) {
        program_refuse(program, judge->tape ? "it asks the tape what nobody asks" : "it asks a tape: there is none");
        return;
    }
    struct wire_option option = {.option = tape_choose(judge->tape, labels[choose.what], choose.n)};
    program_answer(program, &option, WIRE_OPTION, sizeof option);
}

/* It waits from here on; the clock says when it goes on. */
static void wait_for(struct program *program)
{
    struct wire_wait wait;
    memcpy(&wait, &program->judge->in, sizeof wait);
    if (wait.max > WIRE_AT_ONCE) {
        program_refuse(program, "it waits for more completions than come at once");
        return;
    }
    program->until = wait.until;
    program->max = wait.max;
    program->state = PROGRAM_WAITS;
}

static void compute(struct program *program)
{
    struct judge *judge = program->judge;
    struct wire_block block;
    memcpy(&block, &judge->in, sizeof block);
    int64_t now = judge->world->now(judge->world);
    if (block.ns <= 0) {
        program_refuse(program, "it computes for less than no time");
        return;
    }
    program->ns = block.ns;
    program->until = block.ns > INT64_MAX - now ? INT64_MAX : now + block.ns;
    program->state = PROGRAM_COMPUTES;
    if (judge->count == 1)
        return;                         /* the world writes the line by itself */
    trace_begin(judge->trace, now, TRACE_WORLD, "cpu.block");
    trace_int(judge->trace, "program", program->number);
    trace_int(judge->trace, "ns", block.ns);
    trace_end(judge->trace);
}

static void urls(struct program *program)
{
    if (program->asked_urls)
        program_refuse(program, "it asks for the URLs a second time");
    else
        answer_urls(program);
    program->asked_urls = true;
}

/* When a kind of message may come. */
enum moment { AT_FIRST = 1, IN_ITS_RUN = 2, IN_A_JOB = 4 };

static const struct {
    size_t size;
    bool more;                          /* data may follow                                            */
    enum moment moments;
    void (*handle)(struct program *);   /* NULL: who waits for it handles it                          */
} kinds[] = {
    [WIRE_URLS] = {sizeof(struct wire_head), false, AT_FIRST, urls},
    [WIRE_HELLO] = {sizeof(struct wire_hello), false, AT_FIRST, hello},
    [WIRE_SUBMIT] = {sizeof(struct wire_submit), true, IN_ITS_RUN | IN_A_JOB, request_submit},
    [WIRE_DATA] = {sizeof(struct wire_head), true, 0, NULL},
    [WIRE_CANCEL] = {sizeof(struct wire_cancel), false, IN_ITS_RUN | IN_A_JOB, request_cancel},
    [WIRE_CHOOSE] = {sizeof(struct wire_choose), false, IN_ITS_RUN, choose},
    [WIRE_BLOCK] = {sizeof(struct wire_block), false, IN_ITS_RUN, compute},
    [WIRE_WAIT] = {sizeof(struct wire_wait), false, IN_ITS_RUN, wait_for},
    [WIRE_RETURNED] = {sizeof(struct wire_returned), false, IN_A_JOB, NULL},
};

/* Receives a message that may come now. Returns its kind; 0: the program is served no longer. */
static uint32_t receive_known(struct program *program)
{
    const struct judge *judge = program->judge;
    if (!program_receive(program))
        return 0;
    uint32_t kind = judge->in.head.kind, size = judge->in.head.size;
    enum moment moment = program->in_job ? IN_A_JOB : program->state == PROGRAM_NEW ? AT_FIRST : IN_ITS_RUN;
    bool known = kind < sizeof kinds / sizeof kinds[0] && kinds[kind].size > 0;
    if (!known)
        program_refuse(program, "there is no such kind of message");
    else if (kinds[kind].more ? size < kinds[kind].size : size != kinds[kind].size)
        program_refuse(program, "a message is not as long as its kind is");
    else if (program->ended || !(kinds[kind].moments & moment))
        program_refuse(program, "a message comes when it is not its turn");
    return program->state == PROGRAM_LEFT ? 0 : kind;
}

void program_step(struct program *program)
{
    uint32_t kind = receive_known(program);
    if (kind)
        kinds[kind].handle(program);
}

/* ---- Jobs ------------------------------------------------------------------------------------------------ */

int program_call(void *argument)
{
    const struct mark *mark = argument;
    struct program *program = mark->program;
    struct judge *judge = program->judge;
    if (program->state == PROGRAM_LEFT)
        return -ECANCELED;
    struct wire_call call = {.now = judge->world->now(judge->world), .fn = mark->fn, .job = mark->job};
    program->in_job = true;
    program_answer(program, &call, WIRE_CALL, sizeof call);
    uint32_t kind = 0;
    while (program->state != PROGRAM_LEFT && (kind = receive_known(program)) && kind != WIRE_RETURNED)
        kinds[kind].handle(program);
    program->in_job = false;
    struct wire_returned returned;
    memcpy(&returned, &judge->in, sizeof returned);
    if (kind == WIRE_RETURNED && returned.ns < 0)
        program_refuse(program, "a job took less than no time");
    if (program->state == PROGRAM_LEFT)
        return -ECANCELED;
    judge->world->block(judge->world, returned.ns);
    return returned.rc;
}
