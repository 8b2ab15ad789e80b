/* stream.c - an answer read piece by piece.
 *
 * What has come and was not read lies in a ring of WINDOW bytes. The world lets the server send only as much as fits in
 * (the request's window); it is told what was read when the ring is empty or half of it was read, and before each wait.
 */
#include "runtime/outside/http.h"
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 64 * 1024 };

struct co_flow {
    struct co_flow *next, *prev;    /* all streams not yet closed                                     */
    const void *opened_at;
    struct op *op;
    char *headers;                  /* NULL: they have not come                                       */
    int status;
    int rc;                         /* over: how it ended                                             */
    bool over;                      /* the last of it has come                                        */
    bool no_memory;                 /* for the headers                                                */
    bool closed;                    /* while somebody waits for more: who frees it                    */
    uint32_t readers;               /* tasks that wait, or were woken and have not run yet            */
    int64_t cpu;                    /* ns that handling it costs this program, not yet spent          */
    size_t first, unread;           /* the ring: from where on, how many bytes                        */
    size_t searched;                /* of the unread ones, so many hold no '\n'                       */
    uint64_t untold;                /* bytes read of which the world does not know yet                */
    char ring[WINDOW];
};

/* ---- What comes in ---------------------------------------------------------------------------- */

static void take_body(struct co_flow *flow, const char *data, size_t size)
{
    size_t at = (flow->first + flow->unread) % WINDOW, n = size < WINDOW - at ? size : WINDOW - at;
    assert(size <= WINDOW - flow->unread);          /* else the world does not keep to the window */
    memcpy(flow->ring + at, data, n);
    memcpy(flow->ring, data + n, size - n);
    flow->unread += size;
}

static void deliver(struct op *op, const struct world_completion *completion)
{
    struct co_flow *flow = op->arg;
    size_t head = 0;
    flow->cpu += completion->cpu;
    if (completion->parts & WORLD_HEAD) {
        head = completion->head;
        flow->status = completion->status;
        flow->headers = malloc(head + 1);
        flow->no_memory = !flow->headers;
        if (flow->headers) {
            if (head)
                memcpy(flow->headers, completion->data, head);
            flow->headers[head] = '\0';
        }
    }
    if (completion->parts & WORLD_BODY && completion->size > head)
        take_body(flow, (const char *)completion->data + head, completion->size - head);
    if (completion->parts & WORLD_END) {
        flow->over = true;
        flow->rc = completion->rc;
    }
}

/* Opens the window by what was read. */
static void tell(struct co_flow *flow)
{
    struct loop *loop = co__loop;
    const struct world_request read = {.op = WORLD_HTTP_READ, .id = flow->op->id, .count = flow->untold};
    if (flow->untold && !flow->over && loop->world->submit(loop->world, &read))
        flow->untold = 0;
}

static void flow_free(struct co_flow *flow)
{
    free(flow->headers);
    free(flow);
}

/* Waits until something comes. 0 or -ECANCELED, -EBADF (closed meanwhile: then `flow` is no more). */
static int wait(struct co_task *self, struct co_flow *flow)
{
    tell(flow);
    flow->op->task = self;
    flow->op->seq = ++co__loop->seq;
    flow->readers++;
    int rc = co__suspend(self, WAIT_STREAM, flow->op);
    flow->readers--;
    if (!flow->closed)
        return rc;
    if (flow->readers == 0)
        flow_free(flow);
    return -EBADF;
}

/* Waits until more than `have` bytes are there, or all of them. 0 or an error of wait's. */
static int await_more(struct co_task *self, struct co_flow *flow, size_t have)
{
    while (flow->unread <= have && !flow->over) {
        if (flow->op->task)
            return -EBUSY;
        int rc = wait(self, flow);
        if (rc < 0)
            return rc;
    }
    if (flow->over && flow->cpu > 0) {
        int64_t cpu = flow->cpu;
        flow->cpu = 0;
        co__block(cpu, "cpu", self->waits_at);
    }
    return 0;
}

/* ---- Opening and closing ----------------------------------------------------------------------- */

/* Gives up what is not over, and frees the operation. */
static void end_op(struct co_flow *flow)
{
    struct op *op = flow->op;
    if (!op)
        return;
    if (op->is_due)
        co__catch_up(co__loop);
    if (op->task) {                         /* somebody else is reading it */
        struct co_task *reader = op->task;
        op->task = NULL;
        co__wake(reader, -EBADF);
    }
    if (flow->over)
        co__op_free(op);
    else
        co__op_abandon(op);
    flow->op = NULL;
}

/* One answer's head, redirect or not. */
static int await_head(struct fetch *fetch, struct co_flow *flow)
{
    int rc;
    flow->op = co__fetch_submit(fetch, deliver, flow, &rc);
    if (!flow->op)
        return rc;
    flow->op->is_stream = true;
    flow->op->task = NULL;
    while (!flow->headers && !flow->over && !flow->no_memory)
        if ((rc = wait(fetch->self, flow)) < 0)
            return rc;
    return flow->no_memory ? -ENOMEM : flow->headers ? 0 : flow->rc;
}

/* Nothing of the answer is wanted: it led elsewhere. */
static void start_again(struct co_flow *flow)
{
    int64_t cpu = flow->over ? flow->cpu : 0;
    end_op(flow);
    free(flow->headers);
    memset(flow, 0, offsetof(struct co_flow, ring));
    if (cpu > 0)
        co__block(cpu, "cpu", co__loop->current->waits_at);
}

static int follow(struct fetch *fetch, struct co_flow *flow)
{
    for (;;) {
        int rc = await_head(fetch, flow);
        if (rc == 0)
            rc = co__fetch_answered(fetch, flow->status, flow->headers);
        if (rc <= 0)
            return rc;
        start_again(flow);
    }
}

static int open_flow(struct fetch *fetch, int64_t timeout, struct co_flow *flow)
{
    struct co_timeout limit;
    int rc = co__fetch_limit(fetch, &limit, timeout);
    return rc < 0 ? rc : co_timeout_end(&limit, follow(fetch, flow));
}

int co_stream_open(const struct co_request *request, struct co_stream *stream)
{
    int rc;
    struct fetch fetch;
    const void *pc = CALLER;
    *stream = (struct co_stream){0};
    struct co_task *self = co__enter(pc, &rc);
    if (!self || (rc = co__fetch_begin(&fetch, self, request, pc)) < 0)
        return rc;
    struct loop *loop = co__loop;
    struct co_flow *flow = malloc(sizeof *flow);
    rc = -ENOMEM;
    if (flow) {
        memset(flow, 0, offsetof(struct co_flow, ring));
        fetch.window = WINDOW;
        rc = open_flow(&fetch, request->timeout, flow);
    }
    co__fetch_end(&fetch);
    if (rc < 0) {
        if (flow) {
            end_op(flow);
            flow_free(flow);
        }
        return rc;
    }
    flow->opened_at = pc;
    flow->next = loop->flows;
    if (flow->next)
        flow->next->prev = flow;
    loop->flows = flow;
    *stream = (struct co_stream){.status = flow->status, .headers = flow->headers, .flow = flow};
    return 0;
}

void co_stream_close(struct co_stream *stream)
{
    struct loop *loop = co__loop;
    struct co_flow *flow = loop ? loop->flows : NULL;
    while (flow && flow != stream->flow)            /* one of this loop's? */
        flow = flow->next;
    *stream = (struct co_stream){0};
    if (!flow)
        return;
    if (flow->prev)
        flow->prev->next = flow->next;
    else
        loop->flows = flow->next;
    if (flow->next)
        flow->next->prev = flow->prev;
    end_op(flow);
    flow->closed = true;
    if (flow->readers == 0)
        flow_free(flow);
}

void co__flows_report(struct loop *loop)
{
    for (const struct co_flow *flow = loop->flows; flow; flow = flow->next)
        co__leak(loop, "stream", NULL, flow->opened_at);
}

void co__flows_free(struct loop *loop)
{
    while (loop->flows) {
        struct co_flow *flow = loop->flows;
        loop->flows = flow->next;
        flow_free(flow);
    }
}

/* ---- Reading ------------------------------------------------------------------------------------ */

/* Takes the next n unread bytes, and stores those of them that fit into out[0..size). */
static void take(struct co_flow *flow, size_t n, char *out, size_t size)
{
    size_t stored = n < size ? n : size, straight = WINDOW - flow->first < stored ? WINDOW - flow->first : stored;
    if (stored) {
        memcpy(out, flow->ring + flow->first, straight);
        memcpy(out + straight, flow->ring, stored - straight);
    }
    flow->unread -= n;
    flow->first = flow->unread ? (flow->first + n) % WINDOW : 0;       /* a small ring stays in the cache */
    flow->searched = 0;
    flow->untold += n;
    if (flow->unread == 0 || flow->untold >= WINDOW / 2)
        tell(flow);
}

int co_stream_read(struct co_stream *stream, void *buffer, size_t size)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    struct co_flow *flow = stream->flow;
    if (!self)
        return rc;
    if (!flow)
        return -EBADF;
    if (!buffer || size == 0)
        return -EINVAL;
    if ((rc = await_more(self, flow, 0)) < 0)
        return rc;
    if (flow->unread == 0)
        return flow->rc;
    size_t n = flow->unread < size ? flow->unread : size;
    take(flow, n, buffer, n);
    return (int)n;
}

/* How many unread bytes there are before the first '\n'; all of them, if there is none: *found. */
static size_t line_length(struct co_flow *flow, bool *found)
{
    for (size_t at = flow->searched; at < flow->unread;) {
        size_t place = (flow->first + at) % WINDOW, n = flow->unread - at;
        if (n > WINDOW - place)
            n = WINDOW - place;
        const char *newline = memchr(flow->ring + place, '\n', n);
        *found = newline != NULL;
        if (newline)
            return at + (size_t)(newline - (flow->ring + place));
        at += n;
    }
    *found = false;
    flow->searched = flow->unread;
    return flow->unread;
}

/* Reads a line into line[0..room), room being what lies before the '\0'. Nothing is taken before all of it is there,
 * so that a cancel loses nothing; but a line longer than the ring is taken piece by piece. */
static int read_line(struct co_task *self, struct co_flow *flow, char *line, size_t room)
{
    size_t stored = 0, length = 0;          /* in line[]; of the line so far */
    for (;;) {
        bool found;
        size_t n = line_length(flow, &found);
        bool last = !found && flow->over;
        if (last && (flow->rc < 0 || n + length == 0))
            return flow->rc;
        if (found || last || n == WINDOW) {
            size_t fits = n < room - stored ? n : room - stored;
            length += n;
            take(flow, n, line + stored, fits);
            stored += fits;
            line[stored] = '\0';
        }
        if (found)
            take(flow, 1, NULL, 0);
        if (found && stored == length && stored > 0 && line[stored - 1] == '\r')
            line[stored - 1] = '\0';
        if (found || last)
            return 1;
        int rc = await_more(self, flow, flow->unread);
        if (rc < 0)
            return rc;
    }
}

int co_stream_read_line(struct co_stream *stream, char *line, size_t size)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (line && size)
        line[0] = '\0';
    if (!self)
        return rc;
    if (!stream->flow)
        return -EBADF;
    if (!line || size == 0)
        return -EINVAL;
    return read_line(self, stream->flow, line, size - 1);
}
