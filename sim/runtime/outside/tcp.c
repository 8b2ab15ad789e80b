/* tcp.c - a connection that carries bytes as they are. */
#include "runtime/outside/tcp.h"
#include "runtime/state/op.h"
#include "runtime/state/waiters.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/scope.h"
#include "runtime/watch/report.h"

#include <stdlib.h>
#include <string.h>

/* ---- All of them ---------------------------------------------------------------------------------- */

struct servers *co__servers(void)
{
    struct loop *loop = co__loop;
    if (!loop->servers)
        loop->servers = calloc(1, sizeof *loop->servers);
    return loop->servers;
}

void co__servers_report(struct loop *loop)
{
    if (!loop->servers)
        return;
    for (const struct co_gate *gate = loop->servers->gates; gate; gate = gate->next)
        if (!gate->closed)
            co__leak(loop, "server", NULL, gate->opened_at);
    for (const struct co_socket *socket = loop->servers->sockets; socket; socket = socket->next)
        co__leak(loop, "WebSocket", NULL, socket->opened_at);
}

static void tcp_free(struct tcp *tcp)
{
    pt_bytes_free(&tcp->in);
    free(tcp->out);
    free(tcp);
}

void co__servers_free(struct loop *loop)
{
    struct servers *servers = loop->servers;
    if (!servers)
        return;
    while (servers->sockets) {
        struct co_socket *socket = servers->sockets;
        servers->sockets = socket->next;
        pt_ws_reader_free(&socket->reader);
        free(socket);
    }
    while (servers->gates) {
        struct co_gate *gate = servers->gates;
        servers->gates = gate->next;
        free(gate);
    }
    while (servers->tcps) {
        struct tcp *tcp = servers->tcps;
        servers->tcps = tcp->next;
        tcp_free(tcp);
    }
    free(servers);
    loop->servers = NULL;
}

static void wake_all(struct co_waiters *list)
{
    while (list->first)
        co__wake(list->first, 0);
}

/* ---- What comes in ---------------------------------------------------------------------------------- */

static void break_off(struct tcp *tcp, int rc)
{
    tcp->over = tcp->lost = true;
    tcp->rc = rc;
    wake_all(&tcp->writers);
}

static void deliver(struct op *op, const struct world_completion *completion)
{
    struct tcp *tcp = op->arg;
    if (completion->parts & WORLD_HEAD) {
        tcp->open = true;
        if (completion->head == WORLD_SEED)
            memcpy(tcp->seed, completion->data, WORLD_SEED);
        if (tcp->gate)
            wake_all(&tcp->gate->waiting);
    }
    size_t head = completion->parts & WORLD_HEAD ? completion->head : 0;
    if (completion->parts & WORLD_BODY && completion->size > head && !tcp->over
        && !pt_bytes_add(&tcp->in, (const char *)completion->data + head, completion->size - head))
        break_off(tcp, -ENOMEM);
    if (completion->parts & WORLD_END) {
        if (!tcp->over && completion->rc < 0)
            break_off(tcp, completion->rc);
        tcp->over = true;
        if (tcp->gate)
            wake_all(&tcp->gate->waiting);
    }
    wake_all(&tcp->readers);
}

/* An operation that nobody waits for: it brings what it brings to `deliver`. */
static struct op *submit(struct world_request *request, void (*take)(struct op *, const struct world_completion *),
                         void *arg)
{
    static struct co_task nobody;
    request->op = WORLD_SOCKET;
    struct op *op = co__op_submit(co__loop->current ? co__loop->current : &nobody, request, take, arg);
    if (op) {
        op->task = NULL;
        op->is_stream = true;
    }
    return op;
}

static void tell(const struct tcp *tcp, enum world_socket_call call, uint64_t count)
{
    const struct world_request request = {.op = WORLD_SOCKET, .call = call, .file = tcp->number, .count = count};
    co__loop->world->submit(co__loop->world, &request);
}

void co__tcp_consume(struct tcp *tcp, size_t n)
{
    pt_bytes_drop(&tcp->in, n);
    tcp->untold += n;
    if (tcp->untold && !tcp->over && (tcp->in.size == 0 || tcp->untold >= TCP_WINDOW / 2)) {
        tell(tcp, WORLD_SOCKET_READ, tcp->untold);
        tcp->untold = 0;
    }
}

int co__tcp_await(struct co_task *self, struct tcp *tcp, size_t have)
{
    if (self->cancel_now)
        return -ECANCELED;
    return tcp->in.size > have || tcp->over ? 0 : co__suspend_in(self, WAIT_PEER, tcp, &tcp->readers);
}

void co__tcp_wake_readers(struct tcp *tcp)
{
    wake_all(&tcp->readers);
}

/* ---- What goes out ------------------------------------------------------------------------------------ */

bool co__tcp_reserve(struct tcp *tcp, size_t size)
{
    size_t room = tcp->out_room ? tcp->out_room : 512;
    if (size > SIZE_MAX / 4 || tcp->out_size + size <= tcp->out_room)
        return size <= SIZE_MAX / 4;
    while (room < tcp->out_size + size)
        room *= 2;
    char *out = realloc(tcp->out, room);
    if (!out)
        return false;
    tcp->out = out;
    tcp->out_room = room;
    return true;
}

void co__tcp_put(struct tcp *tcp, const void *bytes, size_t size)
{
    if (size)
        memcpy(tcp->out + tcp->out_size, bytes, size);
    tcp->out_size += size;
}

static void written(struct op *op, const struct world_completion *completion)
{
    struct tcp *tcp = op->arg;
    if (!(completion->parts & WORLD_END))
        return;
    if (tcp->spent)
        co__op_free(tcp->spent);
    tcp->spent = op;                    /* its caller is not done with it */
    tcp->writing = NULL;
    tcp->under_way = 0;
    if (completion->rc < 0)
        break_off(tcp, completion->rc == -ECANCELED ? -ECONNRESET : completion->rc);
    else
        co__tcp_flush(tcp);
    if (co__tcp_unsent(tcp) < tcp->buffer || tcp->lost)
        wake_all(&tcp->writers);
    if (tcp->lost)
        wake_all(&tcp->readers);
}

void co__tcp_flush(struct tcp *tcp)
{
    if (tcp->writing || tcp->out_size == 0 || tcp->lost)
        return;
    struct world_request request = {.call = WORLD_SOCKET_WRITE, .file = tcp->number, .data = tcp->out,
                                    .size = tcp->out_size, .lengths = {(uint32_t)tcp->out_size}};
    if (tcp->out_size > UINT32_MAX / 2 || !(tcp->writing = submit(&request, written, tcp))) {
        break_off(tcp, -ENOMEM);
        return;
    }
    tcp->under_way = tcp->out_size;
    tcp->out_size = 0;
    if (tcp->out_room > TCP_BUFFER) {   /* a large message does not keep its memory */
        free(tcp->out);
        tcp->out = NULL;
        tcp->out_room = 0;
    }
}

static int await_less(struct co_task *self, struct tcp *tcp, size_t most, bool try)
{
    while (!tcp->lost && co__tcp_unsent(tcp) > most) {
        if (try)
            return -EAGAIN;
        int rc = co__suspend_in(self, WAIT_ROOM, tcp, &tcp->writers);
        if (rc < 0)
            return rc;
    }
    return tcp->lost ? tcp->rc < 0 ? tcp->rc : -ECONNRESET : 0;
}

int co__tcp_await_room(struct co_task *self, struct tcp *tcp, bool try)
{
    return await_less(self, tcp, tcp->buffer - 1, try);
}

int co__tcp_drain(struct co_task *self, struct tcp *tcp)
{
    size_t buffer = tcp->buffer;
    if (self->cancel_now)
        return -ECANCELED;
    tcp->buffer = 1;                    /* who waits is woken when nothing is left */
    int rc = await_less(self, tcp, 0, false);
    tcp->buffer = buffer;
    return rc;
}

int co__limit_begin(struct co_task *self, struct co_timeout *limit, int64_t ns)
{
    *limit = (struct co_timeout){0};
    co__timeout_begin(self, limit, ns, self->waits_at);
    if (!limit->scope)
        return -ENOMEM;
    return limit->scope->expired && ns > 0 ? co_timeout_end(limit, -ENOMEM) : 0;
}

/* ---- Beginning and end ------------------------------------------------------------------------------------ */

struct tcp *co__tcp_new(struct world_request *request)
{
    struct servers *servers = co__servers();
    struct tcp *tcp = servers ? calloc(1, sizeof *tcp) : NULL;
    if (!tcp)
        return NULL;
    tcp->buffer = TCP_BUFFER;
    request->window = TCP_WINDOW;
    tcp->op = submit(request, deliver, tcp);
    if (!tcp->op) {
        free(tcp);
        return NULL;
    }
    tcp->number = tcp->op->id;
    tcp->next = servers->tcps;
    if (tcp->next)
        tcp->next->prev = tcp;
    servers->tcps = tcp;
    return tcp;
}

void co__tcp_finish(struct tcp *tcp)
{
    co__tcp_flush(tcp);
    if (!tcp->lost)
        tell(tcp, WORLD_SOCKET_FINISH, 0);
}

/* Completions that still come find nobody. */
static void end_op(struct op *op, bool over)
{
    if (!op)
        return;
    op->deliver = NULL;
    if (over)
        co__op_free(op);
    else
        co__op_abandon(op);
}

void co__tcp_close(struct tcp *tcp)
{
    struct servers *servers = co__loop->servers;
    wake_all(&tcp->readers);
    wake_all(&tcp->writers);
    if (tcp->out_size > 0 && !tcp->lost) {      /* what waited for what is under way goes behind it */
        struct world_request request = {.call = WORLD_SOCKET_WRITE, .file = tcp->number, .data = tcp->out,
                                        .size = tcp->out_size, .lengths = {(uint32_t)tcp->out_size}};
        struct op *op = submit(&request, NULL, NULL);
        if (op)
            op->is_stream = false;              /* its completion frees it */
    }
    if (tcp->writing) {
        tcp->writing->deliver = NULL;
        tcp->writing->is_stream = false;
    }
    end_op(tcp->spent, true);
    tell(tcp, WORLD_SOCKET_CLOSE, 0);
    end_op(tcp->op, tcp->op->rc != -EINPROGRESS);
    if (tcp->prev)
        tcp->prev->next = tcp->next;
    else
        servers->tcps = tcp->next;
    if (tcp->next)
        tcp->next->prev = tcp->prev;
    tcp_free(tcp);
}
