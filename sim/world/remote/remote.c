/* remote.c - the world that a judge holds: the five calls of world.h, each a question to it.
 *
 * The clock moves only in wait and block, and each of their answers says where it stands: so now() is no question.
 * Inside a worker's job the job's own clock runs here, and the judge is told how long it took when it has returned.
 */
#include "talk.h"

#include "../../explore/tape.h"
#include "../world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct remote {
    /* The five calls. First, so that a struct co_world * is a struct remote *. */
    struct co_world calls;
    int64_t now;
    /* A job runs, and has computed for so many ns. */
    bool in_job;
    int64_t cost;
    struct talk talk;
};

static int64_t later(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

/* ---- Asking ------------------------------------------------------------------------------------- */

/* A question that has a short answer of that kind. */
static void ask(struct remote *remote, struct wire_head *question, const void *data, size_t size,
                enum wire_kind expected, union short_answer *answer)
{
    struct talk *talk = &remote->talk;
    talk_send(talk, question, data, size);
    talk_receive(talk, answer, sizeof *answer);
    if (answer->head.kind != expected)
        talk_is_broken(talk);
    talk_note(talk, &answer->begin, remote->now);
}

static int64_t remote_now(struct co_world *calls)
{
    const struct remote *remote = (const struct remote *)calls;
    return remote->in_job ? later(remote->now, remote->cost) : remote->now;
}

static uint64_t remote_submit(struct co_world *calls, const struct world_request *request)
{
    struct remote *remote = (struct remote *)calls;
    struct wire_submit submit = {
        .head = {WIRE_SUBMIT, sizeof submit}, .op = request->op, .task = request->task, .user = request->user,
        .session = request->session, .max_per_host = request->max_per_host, .window = request->window,
        .sending = request->sending, .blocking = request->blocking, .pool = request->pool,
        .workers = request->workers, .call = request->call, .mode = request->mode,
        .id = request->id, .fn = request->fn, .job = request->job, .file = request->file, .count = request->count,
        .size = request->size,
    };
    memcpy(submit.lengths, request->lengths, sizeof submit.lengths);
    union short_answer answer;
    ask(remote, &submit.head, request->data, request->size, WIRE_ID, &answer);
    return answer.id.id;
}

static void remote_cancel(struct co_world *calls, uint64_t id)
{
    struct remote *remote = (struct remote *)calls;
    struct wire_cancel cancel = {{WIRE_CANCEL, sizeof cancel}, id};
    union short_answer answer;
    ask(remote, &cancel.head, NULL, 0, WIRE_DONE, &answer);
}

/* ---- Time ----------------------------------------------------------------------------------------- */

/* A job of this program's begins: it runs here and now. */
static void run_job(struct remote *remote, const struct wire_call *call)
{
    int (*fn)(void *) = (int (*)(void *))(uintptr_t)call->fn;
    void *job = (void *)(uintptr_t)call->job;
    int64_t before = remote->now;
    talk_note(&remote->talk, &call->begin, call->now);
    remote->now = call->now;
    remote->in_job = true;
    remote->cost = 0;
    int rc = fn(job);
    remote->in_job = false;
    remote->now = before;
    struct wire_returned returned = {.head = {WIRE_RETURNED, sizeof returned}, .rc = rc, .ns = remote->cost};
    talk_send(&remote->talk, &returned.head, NULL, 0);
}

/* Asks for time to pass; runs the jobs that begin meanwhile; the last answer is in talk.answer. */
static void pass(struct remote *remote, struct wire_head *question, enum wire_kind expected)
{
    struct talk *talk = &remote->talk;
    talk_forget(talk);                  /* what came with the last wait */
    talk_send(talk, question, NULL, 0);
    for (;;) {
        talk_receive(talk, &talk->answer, sizeof talk->answer);
        if (talk->answer.head.kind != WIRE_CALL)
            break;
        struct wire_call call;
        memcpy(&call, &talk->answer, sizeof call);
        run_job(remote, &call);
    }
    if (talk->answer.head.kind != (uint32_t)expected)
        talk_is_broken(talk);
}

static void remote_block(struct co_world *calls, int64_t ns)
{
    struct remote *remote = (struct remote *)calls;
    if (ns <= 0)
        return;
    if (remote->in_job) {
        remote->cost = later(remote->cost, ns);
        return;
    }
    struct wire_block block = {{WIRE_BLOCK, sizeof block}, ns};
    pass(remote, &block.head, WIRE_TIME);
    struct wire_time time;
    memcpy(&time, &remote->talk.answer, sizeof time);
    remote->now = time.now;
    talk_note(&remote->talk, &time.begin, time.now);
}

static size_t remote_wait(struct co_world *calls, int64_t until, struct world_completion out[], size_t max)
{
    struct remote *remote = (struct remote *)calls;
    if (remote->in_job)
        return 0;                       /* a job cannot wait */
    struct wire_wait wait = {{WIRE_WAIT, sizeof wait}, until, max < WIRE_AT_ONCE ? max : WIRE_AT_ONCE};
    pass(remote, &wait.head, WIRE_HAPPENED);
    struct talk *talk = &remote->talk;
    const struct wire_happened *happened = &talk->answer.happened;
    const struct wire_completion *from = (const void *)(happened + 1);
    size_t n = happened->count;
    if (n > wait.max || sizeof *happened + n * sizeof *from > talk->answer.head.size)
        talk_is_broken(talk);
    const char *bytes = talk_bytes(talk, &happened->bytes, (const char *)(from + n));
    for (size_t i = 0; i < n; i++, from++) {
        if (from->at > happened->bytes.size || from->size > happened->bytes.size - from->at)
            talk_is_broken(talk);
        out[i] = (struct world_completion){.id = from->id, .user = from->user, .t = from->t, .parts = from->parts,
                                           .rc = from->rc, .status = from->status, .head = from->head,
                                           .cpu = from->cpu, .data = bytes + from->at, .size = from->size};
    }
    remote->now = happened->now;
    talk_note(talk, &happened->begin, happened->now);
    return n;
}

/* ---- The judge's tape ---------------------------------------------------------------------------------- */

static uint32_t choose(void *who, const char *label, uint32_t n)
{
    struct remote *remote = who;
    struct wire_choose question = {{WIRE_CHOOSE, sizeof question},
                                   strcmp(label, "cancel") == 0 ? WIRE_CANCEL_NOW : WIRE_READY, n};
    union short_answer answer;
    ask(remote, &question.head, NULL, 0, WIRE_OPTION, &answer);
    return (uint32_t)answer.option.option;
}

/* ---- Opening and closing --------------------------------------------------------------------------------- */

static void remote_close(struct co_world *calls)
{
    struct remote *remote = (struct remote *)calls;
    talk_forget(&remote->talk);
    free(remote);
}

int world_remote_fd(const char *name)
{
    static const char prefix[] = "judge:";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return -1;
    const char *number = name + sizeof prefix - 1;
    size_t digits = strspn(number, "0123456789");
    return digits >= 1 && digits <= 6 && !number[digits] ? atoi(number) : -1;
}

struct co_world *world_remote_open(int fd, struct trace *trace, struct tape **tape, char *error, size_t size)
{
    struct remote *remote = malloc(sizeof *remote);
    struct tape *held = remote ? tape_held_elsewhere(choose, remote) : NULL;
    if (!held) {
        free(remote);
        snprintf(error, size, "out of memory");
        return NULL;
    }
    memset(remote, 0, offsetof(struct remote, talk.answer));
    remote->calls = (struct co_world){remote_now, remote_submit, remote_cancel, remote_wait, remote_block, remote_close,
                                      .live = false};
    remote->talk.fd = fd;
    remote->talk.trace = trace;
    struct wire_hello hello = {{WIRE_HELLO, sizeof hello}, WIRE_VERSION};
    union short_answer answer;
    ask(remote, &hello.head, NULL, 0, WIRE_WELCOME, &answer);
    remote->now = answer.welcome.now;
    if (answer.welcome.has_tape)
        *tape = held;
    else
        tape_close(held);
    return &remote->calls;
}

long world_remote_urls(int fd, char ***urls, char *error, size_t size)
{
    struct talk *talk = calloc(1, sizeof *talk);
    long n = -1;
    if (talk) {
        talk->fd = fd;
        struct wire_head question = {WIRE_URLS, sizeof question};
        talk_send(talk, &question, NULL, 0);
        talk_receive(talk, &talk->answer, sizeof talk->answer);
        const struct wire_list *list = &talk->answer.list;
        if (list->begin.head.kind != WIRE_LIST || list->count < 0)
            talk_is_broken(talk);
        const char *bytes = talk_bytes(talk, &list->bytes, (const char *)(list + 1));
        size_t count = (size_t)list->count, pointers = (count + 1) * sizeof(char *);
        char **block = malloc(pointers + list->bytes.size);
        if (block) {
            char *at = memcpy((char *)block + pointers, bytes, list->bytes.size), *end = at + list->bytes.size;
            for (size_t i = 0; i < count; i++, at += strnlen(at, (size_t)(end - at)) + 1)
                block[i] = at;
            block[count] = NULL;
            *urls = block;
            n = list->count;
        }
        talk_forget(talk);
    }
    free(talk);
    if (n < 0)
        snprintf(error, size, "out of memory");
    return n;
}
