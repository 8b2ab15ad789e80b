/* request.c - what a program asks of the world: held to the rules of world.h, and handed on. */
#include "judge.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Where several programs are served their sessions and pools are told apart by these bits. */
enum { NUMBER_BITS = 28 };

/* ---- Marks ---------------------------------------------------------------------------------------------- */

static struct mark *mark_new(struct program *program, const struct wire_submit *submit)
{
    struct mark *mark = program->pending < MOST_PENDING ? malloc(sizeof *mark) : NULL;
    if (!mark)
        return NULL;
    *mark = (struct mark){.program = program, .user = submit->user, .fn = submit->fn, .job = submit->job,
                          .next = &program->marks, .prev = program->marks.prev};
    mark->prev->next = mark;
    program->marks.prev = mark;
    program->pending++;
    return mark;
}

void mark_free(struct mark *mark)
{
    mark->prev->next = mark->next;
    mark->next->prev = mark->prev;
    mark->program->pending--;
    free(mark);
}

/* Whether the id is of an operation of its own. One program alone cannot have another's. */
static bool is_its_own(const struct program *program, uint64_t id)
{
    if (program->judge->count == 1)
        return true;
    const struct mark *mark = program->marks.next;
    while (mark != &program->marks && mark->id != id)
        mark = mark->next;
    return mark != &program->marks;
}

void request_give_up(struct program *program)
{
    const struct co_world *world = program->judge->world;
    for (const struct mark *mark = program->marks.next; mark != &program->marks; mark = mark->next)
        if (mark->id)
            world->cancel(program->judge->world, mark->id);
}

/* ---- Rules ------------------------------------------------------------------------------------------------- */

/* Whether the text is one JSON value that a reader of the record can take: in one line, and not deep. */
static bool is_json(const char *text, size_t length)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if ((unsigned char)c < 0x20)
            return false;
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > MOST_DEPTH)
            return false;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    json_t *value = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_decref(value);
    return value != NULL;
}

static bool gives_no_completion(const struct wire_submit *submit)
{
    return submit->op == WORLD_REPORT || submit->op == WORLD_SESSION_CLOSE || submit->op == WORLD_HTTP_READ
        || submit->op == WORLD_FINISH || (submit->op == WORLD_FILE && submit->call == WORLD_FILE_CLOSE)
        || (submit->op == WORLD_DATABASE && submit->call >= WORLD_DATABASE_STOP)
        || (submit->op == WORLD_SOCKET && submit->call >= WORLD_SOCKET_READ);
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const struct program *program, const struct wire_submit *submit)
{
    bool shared = program->judge->count > 1;
    uint64_t sum = 0;
    for (int i = 0; i < (submit->op == WORLD_HTTP ? 4 : submit->op == WORLD_REPORT || submit->op == WORLD_FILE
                                                                    || submit->op >= WORLD_DATABASE ? 2 : 0);
         i++)
        sum += submit->lengths[i];
    if ((submit->op < WORLD_HTTP || submit->op > WORLD_HTTP_READ)
        && submit->op != WORLD_DATABASE && submit->op != WORLD_SOCKET)
        return "there is no such request";
    if (sum > submit->size || (sum < submit->size && submit->op != WORLD_FILE))
        return "the lengths of a request's parts do not fit its data";
    if (program->in_job && (!gives_no_completion(submit) || submit->op == WORLD_FINISH))
        return "a job asks for what only a task can";
    if (submit->op == WORLD_HTTP && submit->sending > WORLD_ONCE_KEPT)
        return "there is no such way to send a request";
    if (shared && (submit->session | submit->pool) >> NUMBER_BITS)
        return "the number of a session or of a pool is too large";
    return NULL;
}

/* ---- Submitting ---------------------------------------------------------------------------------------------- */

/* Receives what does not fit into the first packet. `data` has room for all of it. False: the program is served no
 * longer. */
static bool receive_rest(struct program *program, char *data, size_t have, size_t size)
{
    const struct judge *judge = program->judge;
    const size_t head = sizeof(struct wire_head);
    while (have < size) {
        size_t now = size - have < WIRE_PACKET - head ? size - have : WIRE_PACKET - head;
        if (!program_receive(program))
            return false;
        if (judge->in.head.kind != WIRE_DATA || judge->in.head.size != head + now) {
            program_refuse(program, "the rest of a request is not what it should be");
            return false;
        }
        memcpy(data + have, judge->in.bytes + head, now);
        have += now;
    }
    return true;
}

/* All of the request's data, to be freed; NULL: the program is served no longer. */
static char *receive_data(struct program *program, const struct wire_submit *submit)
{
    struct judge *judge = program->judge;
    size_t here = judge->in.head.size - sizeof *submit, fits = WIRE_PACKET - sizeof *submit;
    if (submit->size > MOST_BYTES || (program->bytes += submit->size) > MOST_BYTES) {
        program_leave(program, "limit", "it sent more bytes than a run may");
        return NULL;
    }
    if (here != (submit->size < fits ? submit->size : fits)) {
        program_refuse(program, "a request is not as long as it says");
        return NULL;
    }
    char *data = malloc(submit->size ? submit->size : 1);
    if (!data) {
        judge->failed = "out of memory";
        program_leave(program, "limit", "the judge is out of memory");
        return NULL;
    }
    memcpy(data, judge->in.bytes + sizeof *submit, here);
    if (receive_rest(program, data, here, submit->size))
        return data;
    free(data);
    return NULL;
}

/* All others have come to an end, or have left. */
static bool is_last(const struct program *program)
{
    const struct judge *judge = program->judge;
    for (size_t i = 0; i < judge->count; i++) {
        const struct program *other = &judge->programs[i];
        if (other != program && !other->ended && other->state != PROGRAM_LEFT)
            return false;
    }
    return true;
}

static struct world_request request_of(const struct program *program, const struct wire_submit *submit,
                                       const char *data, struct mark *mark)
{
    bool shared = program->judge->count > 1;
    uint32_t own = shared ? program->number << NUMBER_BITS : 0;
    struct world_request request = {
        .op = (enum world_op)submit->op, .task = submit->task, .program = shared ? program->number : 0,
        .user = (uintptr_t)mark, .session = submit->session ? submit->session | own : 0,
        .max_per_host = submit->max_per_host, .window = submit->window, .sending = submit->sending,
        .blocking = submit->blocking, .id = submit->id, .pool = submit->pool ? submit->pool | own : 0,
        .workers = submit->workers, .call = submit->call, .mode = submit->mode, .file = submit->file,
        .count = submit->count, .data = data, .size = submit->size,
    };
    memcpy(request.lengths, submit->lengths, sizeof request.lengths);
    if (submit->op == WORLD_JOB) {
        request.fn = (uintptr_t)program_call;
        request.job = (uintptr_t)mark;
    }
    return request;
}

/* Hands it to the world, which writes into the record that it was made: that is the proof. Returns its id, or 0: no
 * memory. */
static uint64_t hand_on(struct program *program, const struct wire_submit *submit, const char *data)
{
    struct co_world *world = program->judge->world;
    struct mark *mark = NULL;
    if (submit->op == WORLD_JOB && submit->workers > MOST_WORKERS)
        return 0;
    if (!gives_no_completion(submit) && !(mark = mark_new(program, submit)))
        return 0;
    struct world_request request = request_of(program, submit, data, mark);
    uint64_t id = world->submit(world, &request);
    if (mark && id)
        mark->id = id;
    else if (mark)
        mark_free(mark);
    return id;
}

void request_submit(struct program *program)
{
    struct wire_submit submit;
    struct wire_id answer = {0};
    memcpy(&submit, &program->judge->in, sizeof submit);
    const char *fault = fault_of(program, &submit);
    if (fault) {
        program_refuse(program, fault);
        return;
    }
    char *data = receive_data(program, &submit);
    if (!data)
        return;
    if (submit.op == WORLD_REPORT && !is_json(data + submit.lengths[0], submit.lengths[1])) {
        free(data);
        program_refuse(program, "a report is no JSON");
        return;
    }
    bool others_go_on = submit.op == WORLD_FINISH && !is_last(program);
    bool not_its_own = submit.op == WORLD_HTTP_READ && !is_its_own(program, submit.id);
    answer.id = others_go_on || not_its_own ? submit.id : hand_on(program, &submit, data);
    program->ended = submit.op == WORLD_FINISH;
    free(data);
    program_answer(program, &answer, WIRE_ID, sizeof answer);
}

void request_cancel(struct program *program)
{
    struct judge *judge = program->judge;
    struct wire_cancel cancel;
    struct wire_answer done;
    memcpy(&cancel, &judge->in, sizeof cancel);
    if (is_its_own(program, cancel.id))
        judge->world->cancel(judge->world, cancel.id);
    program_answer(program, &done, WIRE_DONE, sizeof done);
}
