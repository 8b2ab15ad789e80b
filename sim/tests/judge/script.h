/* script.h - for tests of the judge: all that a program will ever say is put into its connection beforehand, and then
 * the judge is let go, in this same process. What it answers is thrown away; what counts is its record. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "judge/judge.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct script {
    struct judge_settings settings;
    int ours, theirs;               /* the program's end of the connection, and the judge's */
    char record[64];
    char text[1 << 17];             /* the record, once the judge has run                   */
};

static inline void script_begin(struct script *script, const char *world)
{
    int ends[2], room = 1 << 20;
    memset(script, 0, offsetof(struct script, text));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    script->ours = ends[0];
    script->theirs = ends[1];
    assert_int_equal(setsockopt(script->ours, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    snprintf(script->record, sizeof script->record, "/tmp/looplab-record-XXXXXX");
    close(mkstemp(script->record));
    script->settings = (struct judge_settings){.world = world, .record = script->record, .program = "test",
                                               .seconds = 60, .messages = 100000, .record_bytes = 1 << 20};
}

static inline void script_bytes(struct script *script, const void *bytes, size_t size)
{
    assert_int_equal(send(script->ours, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT), size);
}

/* A message of that kind; `size` bytes in all, the head among them. */
static inline void script_say(struct script *script, enum wire_kind kind, void *message, size_t size)
{
    struct wire_head head = {kind, (uint32_t)size};
    memcpy(message, &head, sizeof head);
    script_bytes(script, message, size);
}

static inline void script_hello(struct script *script)
{
    struct wire_hello hello = {.version = WIRE_VERSION};
    script_say(script, WIRE_HELLO, &hello, sizeof hello);
}

/* A SUBMIT with its data in one packet. */
static inline void script_submit(struct script *script, struct wire_submit submit, const char *data)
{
    static char packet[WIRE_PACKET];
    size_t size = strlen(data);
    submit.size = size;
    memcpy(packet, &submit, sizeof submit);
    memcpy(packet + sizeof submit, data, size);
    script_say(script, WIRE_SUBMIT, packet, sizeof submit + size);
}

static inline void script_finish(struct script *script)
{
    script_submit(script, (struct wire_submit){.op = WORLD_FINISH}, "");
}

static inline void script_wait(struct script *script, int64_t until)
{
    struct wire_wait wait = {.until = until, .max = 64};
    script_say(script, WIRE_WAIT, &wait, sizeof wait);
}

/* Nothing more will come: the judge runs, and its record is read. */
static inline const char *script_run(struct script *script)
{
    char error[512] = "";
    int code = judge_serve(&script->settings, &script->theirs, 1, error, sizeof error);
    if (code != 0)
        fail_msg("the judge ended with %d: %s", code, error);
    close(script->ours);
    FILE *file = fopen(script->record, "r");
    assert_non_null(file);
    size_t length = fread(script->text, 1, sizeof script->text - 1, file);
    script->text[length] = '\0';
    fclose(file);
    unlink(script->record);
    return script->text;
}

static inline const char *script_end(struct script *script)
{
    shutdown(script->ours, SHUT_WR);
    return script_run(script);
}

#endif
