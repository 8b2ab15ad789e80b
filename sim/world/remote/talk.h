/* talk.h - one question to the judge, and its answer. Nothing here calls what a student's program may replace or the
 * linker wraps: only system calls by their number. */
#ifndef TALK_H
#define TALK_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

/* The connection, and the judge's last answer. */
struct talk {
    int fd;
    /* The program's own trace, to be flushed if the judge is gone; NULL: none. And how many lines of the record it says
     * it has seen. */
    struct trace *trace;
    uint64_t seen;
    /* The memory that came with the last answer; NULL: none. */
    void *memory;
    size_t memory_size;
    /* The last answer. */
    union {
        struct wire_head head;
        struct wire_answer begin;
        struct wire_list list;
        struct wire_happened happened;
        char bytes[WIRE_PACKET];
    } answer;
};

/* What an answer that carries nothing more may be. Apart, so that completions stay where they are meanwhile. */
union short_answer {
    struct wire_head head;
    struct wire_answer begin;
    struct wire_welcome welcome;
    struct wire_id id;
    struct wire_option option;
    struct wire_time time;
    struct wire_call call;
};

/* Sends a message, whose length is in its head, and `size` bytes of data behind it: the head then says both. If the
 * judge is gone, or has ended this run, so does the process: exit code WIRE_ENDED, and a line on stderr. */
void talk_send(const struct talk *talk, struct wire_head *message, const void *data, size_t size);
/* Receives an answer into into[room], and into talk->memory the memory that comes along, in the place of the one
 * before. Ends the process as talk_send does. */
void talk_receive(struct talk *talk, void *into, size_t room);
/* If the record has grown since, notes in the program's own trace how long it is at `now`: so the two can be put
 * together in the order in which they were written. */
void talk_note(struct talk *talk, const struct wire_answer *answer, int64_t now);
/* Ends the process: the judge has said what it should not. */
_Noreturn void talk_is_broken(const struct talk *talk);
/* The bytes of an answer whose `bytes` these are; `inside`: where in the packet they would follow. */
const char *talk_bytes(const struct talk *talk, const struct wire_bytes *bytes, const char *inside);
/* Gives back the memory that came with the last answer. */
void talk_forget(struct talk *talk);

#endif
